"""The fitness of several groups of runs, side by side: what offspring inherit, compared."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from popagents.common.lineage import by_generation
from popagents.plots.style import LINES, End, canvas, headline, horizontal_grid, name_ends, save


def inheritance_curves(
    runs: Mapping[str, Sequence[np.ndarray]], path: str | Path, title: str = "Fitness by what offspring inherit"
) -> Path:
    """Draw the population's mean fitness by generation: a thin line for each run, a thick one for the runs' mean.

    Args:
        runs: by name, lineages of runs with the same number of generations.
        path: the file to write; its suffix says the format.
        title: written above.

    Returns:
        The path.

    Raises:
        ValueError: a lineage is empty, or its generations differ in size.
    """
    figure, axes = canvas(4.8)
    ends = []
    for i, (name, lineages) in enumerate(runs.items()):
        colour = LINES[i % len(LINES)]
        last = draw_runs(axes, lineages, colour)
        ends.append(End(last, f"{name} {round(last)}", colour))
    axes.set(xlabel="generation (thin: each run; thick: mean)", ylabel="mean fitness of the population")
    axes.margins(x=0)
    horizontal_grid(axes)
    name_ends(axes, ends)
    headline(axes, title)
    return save(figure, path)


def draw_runs(axes: Any, lineages: Sequence[np.ndarray], colour: str) -> float:
    """Draw the runs of one group and their mean; return where that ends."""
    means = np.array([np.nanmean(by_generation(lineage)["fitness"], axis=1) for lineage in lineages])
    generations = np.arange(1, 1 + means.shape[1])
    axes.plot(generations, means.T, color=colour, lw=0.8, alpha=0.5)
    axes.plot(generations, means.mean(axis=0), color=colour, lw=2.4)
    return float(means[:, -1].mean())
