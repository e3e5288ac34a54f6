"""The cooperation rate of populations by generation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from popagents.plots.style import BLUE, GREY, empty_figure, figure_headline, open_frame, save


def cooperation_curves(
    games: Mapping[str, Any], path: str | Path, title: str = "How often the members cooperate"
) -> Path:
    """Draw the cooperation rate over generations, one panel a game, one line a run.

    Args:
        games: by name, the rates of its runs: (runs, generations), from 0 to 1; what is logged as
            `rollout/cooperation`.
        path: the file to write; its suffix says the format.
        title: written above.

    Returns:
        The path.

    Raises:
        ValueError: there is no game, or its rates are not a table of numbers from 0 to 1.
    """
    tables = {name: checked_rates(name, rates) for name, rates in games.items()}
    if not tables:
        raise ValueError("games is empty; give the rates of one game at least")
    figure = empty_figure(3.2)
    panels = figure.subplots(1, len(tables), sharey=True, squeeze=False)[0]
    for axes, (name, rates) in zip(panels, tables.items(), strict=True):
        draw_game(axes, name, rates)
    panels[0].set_ylabel("cooperation (%)")
    figure_headline(figure, title)
    return save(figure, path)


def draw_game(axes: Any, name: str, rates: np.ndarray) -> None:
    """Draw one game's panel: a line for each row of its rates, (runs, generations)."""
    axes.plot(np.arange(rates.shape[1]), 100 * rates.T, color=BLUE, lw=1.6, alpha=0.75, clip_on=False)
    axes.set_title(name, fontsize="medium", loc="left")
    axes.set(xlabel="generation", ylim=(0, 100), xlim=(0, max(1, rates.shape[1] - 1)))
    axes.grid(axis="y", color=GREY, lw=0.6)
    open_frame(axes)


def checked_rates(name: str, rates: Any) -> np.ndarray:
    """Return rates as float64, (runs, generations); raise ValueError for anything else."""
    try:
        table = np.array(rates, float)
    except ValueError:  # runs of unequal length
        table = np.empty(0)
    if table.ndim == 2 and table.size and ((table >= 0) & (table <= 1)).all():
        return table
    raise ValueError(f"the rates of {name!r} are {rates}; they must be (runs, generations), each from 0 to 1")
