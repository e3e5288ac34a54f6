"""The fitness of a population over time: the statistics of its generations, and their figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from popagents.common.lineage import by_generation
from popagents.plots.style import (
    BLUE,
    GREEN,
    ORANGE,
    canvas,
    draw_references,
    headline_and_legend,
    horizontal_grid,
    save,
    step_counts,
)

POINTS = 60  # generations from which on a curve is smoothed


class Curve(NamedTuple):
    """The statistics of each generation's fitness: float64 arrays, (generations,)."""

    timesteps: np.ndarray
    mean: np.ndarray
    lowest: np.ndarray
    tenth: np.ndarray  # a tenth of the members did worse
    ninetieth: np.ndarray  # a tenth of the members did better
    best: np.ndarray


def fitness_curve(lineage: np.ndarray, window: int = 1) -> Curve:
    """Sum up each generation's fitness; members without one (NaN) do not count.

    Args:
        lineage: `popagents.common.lineage.ROW`s, all members of every generation.
        window: each statistic is the mean over so many neighbouring generations, fewer at the ends.
    """
    table = by_generation(lineage)
    low, tenth, ninetieth, high = np.nanquantile(table["fitness"], [0, 0.1, 0.9, 1], axis=1)
    statistics = [np.nanmean(table["fitness"], axis=1), low, tenth, ninetieth, high]
    kernel = np.ones(min(window, len(table)))
    weights = np.convolve(np.ones(len(table)), kernel, "same")
    smooth = [np.convolve(values, kernel, "same") / weights for values in statistics]
    return Curve(table["timesteps"][:, 0].astype(float), *smooth)


def learning_curve(
    lineage: np.ndarray,
    path: str | Path,
    reference_scores: Mapping[str, float] | None = None,
    title: str = "Fitness of the population",
    tests: tuple[Sequence[float], Sequence[float]] | None = None,
) -> Path:
    """Draw the population's fitness over the environment steps it has taken.

    Args:
        lineage: a learner's `lineage`.
        path: the file to write; its suffix says the format.
        reference_scores: scores to compare with, by name.
        title: written above.
        tests: the steps at which the policy itself was evaluated, and its mean returns, for example `StopOnGoal`'s
            `timesteps` and `tests`: an evolution strategy's centre scores otherwise than its members.

    Returns:
        The path.

    Raises:
        ValueError: the lineage is empty, or its generations differ in size.
    """
    window = max(1, len(by_generation(lineage)) // POINTS)
    figure, axes = canvas(4.4)
    draw_curve(axes, fitness_curve(lineage, window))
    if tests is not None:
        axes.plot(*tests, color=GREEN, lw=1.8, label="policy, evaluated")
    horizontal_grid(axes)
    draw_references(axes, reference_scores or {})
    step_counts(axes)
    smoothed = f" (each point: mean of {window} generations)" if window > 1 else ""
    axes.set(xlabel=f"environment steps, all members together{smoothed}", ylabel="fitness (mean return)")
    headline_and_legend(axes, title)
    return save(figure, path)


def draw_curve(axes: Any, curve: Curve) -> None:
    """Draw the mean, the best member, and bands between members; they fill the width of the axes."""
    x = curve.timesteps
    axes.fill_between(x, curve.lowest, curve.best, color=BLUE, alpha=0.14, lw=0, label="all members")
    axes.fill_between(x, curve.tenth, curve.ninetieth, color=BLUE, alpha=0.28, lw=0, label="10 to 90 % of them")
    axes.plot(x, curve.mean, color=BLUE, lw=2.2, label="mean")
    axes.plot(x, curve.best, color=ORANGE, lw=1, label="best member")
    axes.margins(x=0)
