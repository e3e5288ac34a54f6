"""The share of right choices by trial number, as Harlow (1949) drew his learning sets."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from popagents.plots.style import DASHED, INK, LINES, End, canvas, headline, horizontal_grid, name_ends, save

DOTS: dict[str, Any] = {"marker": "o", "ms": 7, "mec": "white", "lw": 2.2, "zorder": 3}


def learning_set_curve(
    curves: Mapping[str, Any],
    path: str | Path,
    references: Mapping[str, Any] | None = None,
    title: str = "Right choices, trial by trial",
) -> Path:
    """Draw the share of right choices by trial number.

    Args:
        curves: by name, the share of right choices in each trial: (trials,), from 0 to 1.
        path: the file to write; its suffix says the format.
        references: curves to compare with, likewise; drawn dashed.
        title: written above.

    Returns:
        The path.

    Raises:
        ValueError: there is no curve, two differ in length, or a share lies outside 0 to 1.
    """
    names = [*curves, *(references or {})]
    shares = checked_shares([*curves.values(), *(references or {}).values()])
    trials = np.arange(1, 1 + shares.shape[1])
    figure, axes = canvas(4.4)
    ends = []
    for i, (name, percent) in enumerate(zip(names, 100 * shares, strict=True)):
        colour, look = (LINES[i % len(LINES)], DOTS) if name in curves else (INK, DASHED)
        axes.plot(trials, percent, color=colour, clip_on=False, **look)
        ends.append(End(percent[-1], f"{name} {percent[-1]:.3g}", colour))
    lowest = 10 * min(4, int(10 * shares.min()))
    axes.set(xlabel="trial", ylabel="right choices (%)", xticks=trials, ylim=(lowest, 100))
    horizontal_grid(axes)
    name_ends(axes, ends)
    headline(axes, title)
    return save(figure, path)


def checked_shares(curves: Sequence[Any]) -> np.ndarray:
    """Return curves of one length as float64, (curves, trials); raise ValueError for others."""
    lengths = {len(curve) for curve in curves}
    if len(lengths) == 1 and lengths != {0}:
        shares = np.array(list(curves), float)
        if ((shares >= 0) & (shares <= 1)).all():
            return shares
    raise ValueError(
        f"curves are {curves}; there must be one or more, all of one length, and each a share of right choices from 0 "
        "to 1 for every trial"
    )
