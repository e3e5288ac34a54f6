"""The hyperparameters of a population as they evolve."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from popagents.plots.style import ORANGE, PALE, empty_figure, figure_headline, horizontal_grid, open_frame, save


def drift_figure(
    drift: np.ndarray, names: Sequence[str], path: str | Path, title: str = "Hyperparameters, as they evolved"
) -> Path:
    """Draw the members' hyperparameters by generation, a panel for each: mean, and from the smallest to the largest.

    Args:
        drift: (generations, hyperparameters, 3): mean, smallest and largest, for example `Genetic`'s `drift`.
        names: of the hyperparameters.
        path: the file to write; its suffix says the format.
        title: written above.

    Returns:
        The path.
    """
    figure = empty_figure(5)
    for i, name in enumerate(names):
        axes = figure.add_subplot(-(-len(names) // 2), 2, i + 1)
        draw_hyperparameter(axes, name.replace("_", " "), drift[:, i])
    figure.supxlabel("generation (line: mean; band: all members)", fontsize=10)
    figure_headline(figure, title)
    return save(figure, path)


def draw_hyperparameter(axes: Any, name: str, drift: np.ndarray) -> None:
    """Draw one panel: mean, smallest and largest value by generation, (generations, 3)."""
    generations = np.arange(1, 1 + len(drift))
    open_frame(axes)
    axes.fill_between(generations, drift[:, 1], drift[:, 2], color=PALE, lw=0)
    axes.plot(generations, drift[:, 0], color=ORANGE, lw=2)
    axes.set_title(name, loc="left", fontsize=10)
    axes.margins(x=0)
    horizontal_grid(axes)
