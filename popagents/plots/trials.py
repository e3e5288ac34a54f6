"""The share of right choices by trial number, as Harlow (1949) drew his learning sets."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from popagents.plots.animations import INK
from popagents.plots.page import DASHED, LINES, apart, canvas


def learning_set_curve(
    curves: Mapping[str, Any],
    path: str | Path,
    references: Mapping[str, Any] | None = None,
    title: str = "Right choices, trial by trial",
) -> Path:
    """Draw the share of right choices by trial number, as Harlow (1949) drew his learning sets.

    Args:
        curves: by name, the share of right choices in each trial: (trials,), from 0 to 1.
        path: the file to write; its suffix says the format.
        references: curves to compare with, likewise; drawn dashed.
        title: what stands above.

    Raises:
        ValueError: there is no curve, two differ in length, or a share lies outside 0 to 1.
    """
    names = [*curves, *(references or {})]
    shares = checked_shares([*curves.values(), *(references or {}).values()])
    trials = np.arange(1, 1 + shares.shape[1])
    colours = [LINES[i % len(LINES)] if name in curves else INK for i, name in enumerate(names)]
    figure, axes = canvas(4.4)
    for name, colour, percent in zip(names, colours, 100 * shares, strict=True):
        dots = {"marker": "o", "ms": 7, "mec": "white", "lw": 2.2, "zorder": 3}
        axes.plot(trials, percent, color=colour, clip_on=False, **(dots if name in curves else DASHED))
    lowest = 10 * min(4, int(10 * shares.min()))
    axes.set(xlabel="trial", ylabel="right choices (%)", xticks=trials, ylim=(lowest, 100))
    axes.grid(axis="y", color="#e6e6e6", lw=0.8)
    order = np.argsort(shares[:, -1], kind="stable")
    heights = apart(100 * shares[order, -1], 0.06 * (100 - lowest))
    for i, height in zip(order, heights, strict=True):
        where = {"transform": axes.get_yaxis_transform(), "va": "center"}
        axes.text(1.01, height, f"{names[i]} {100 * shares[i, -1]:.3g}", color=colours[i], **where)
    axes.set_title(title, loc="left", fontweight="bold", pad=14)
    figure.savefig(path)
    return Path(path)


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
