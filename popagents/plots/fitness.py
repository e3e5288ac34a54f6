"""How the fitness of a population moved: the statistics of its generations, and their figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from popagents.common.lineage import by_generation
from popagents.common.optional import needed
from popagents.plots.page import BLUE, LINES, ORANGE, canvas, draw_references

POINTS = 60  # generations from which on a curve is smoothed


class Curve(NamedTuple):
    """Holds how the fitness of a population moved: float64 arrays, (generations,)."""

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
        title: what stands above.
        tests: when the policy itself was tested (steps) and what it got (mean returns), for example `StopOnGoal`'s
            `timesteps` and `tests`: an evolution strategy's centre scores otherwise than its members.
    """
    window = max(1, len(by_generation(lineage)) // POINTS)
    curve = fitness_curve(lineage, window)
    figure, axes = canvas(4.4)
    x = curve.timesteps
    axes.fill_between(x, curve.lowest, curve.best, color=BLUE, alpha=0.14, lw=0, label="all members")
    axes.fill_between(x, curve.tenth, curve.ninetieth, color=BLUE, alpha=0.28, lw=0, label="10 to 90 % of them")
    axes.plot(x, curve.mean, color=BLUE, lw=2.2, label="mean")
    axes.plot(x, curve.best, color=ORANGE, lw=1, label="best member")
    if tests is not None:
        axes.plot(*tests, color=LINES[2], lw=1.8, label="policy, tested")
    axes.set_axisbelow(True)
    axes.grid(axis="y", color="#e6e6e6", lw=0.8)
    axes.margins(x=0)
    draw_references(axes, reference_scores or {})
    axes.xaxis.set_major_formatter(needed("matplotlib.ticker").EngFormatter(sep=" "))
    smoothed = f" (each point: mean of {window} generations)" if window > 1 else ""
    axes.set(xlabel=f"environment steps, all members together{smoothed}", ylabel="fitness (mean return)")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=5, frameon=False, borderaxespad=0.2)
    axes.set_title(title, loc="left", fontweight="bold", pad=28)
    figure.savefig(path)
    return Path(path)
