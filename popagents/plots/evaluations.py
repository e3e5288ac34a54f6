"""The evaluations of several runs, side by side."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from popagents.plots.style import (
    LINES,
    canvas,
    draw_references,
    headline_and_legend,
    horizontal_grid,
    save,
    step_counts,
)


def evaluation_curves(
    runs: Mapping[str, tuple[Any, Any]],
    path: str | Path,
    reference_scores: Mapping[str, float] | None = None,
    title: str = "Evaluations of the policy",
) -> Path:
    """Draw the mean return of every evaluation, with its standard error, over the environment steps taken before it.

    Args:
        runs: by name, the steps taken before each evaluation, (evaluations,), and the returns of its episodes,
            (evaluations, episodes): `EvalCallback`'s `evaluations_timesteps` and `evaluations_results`, or `timesteps`
            and `results` in the `evaluations.npz` that it writes.
        path: the file to write; its suffix says the format.
        reference_scores: scores to compare with, by name.
        title: written above.

    Returns:
        The path.

    Raises:
        ValueError: a run has no evaluation, or not one row of returns for each.
    """
    figure, axes = canvas(4.4)
    for i, (name, (timesteps, results)) in enumerate(runs.items()):
        look = {"color": LINES[i % len(LINES)], "lw": 1.6, "marker": "o", "ms": 4, "elinewidth": 0.8}
        axes.errorbar(timesteps, *mean_and_error(name, timesteps, results), label=name, **look)
    horizontal_grid(axes)
    axes.margins(x=0.02)
    draw_references(axes, reference_scores or {})
    step_counts(axes)
    axes.set(xlabel="environment steps before the evaluation", ylabel="mean return, with standard error")
    headline_and_legend(axes, title)
    return save(figure, path)


def mean_and_error(name: str, timesteps: Any, results: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return each evaluation's mean return and its standard error, (evaluations,); 0 where there was one episode.

    Raises:
        ValueError: there is no evaluation, or not one row of returns for each.
    """
    steps, returns = np.asarray(timesteps, float), np.asarray(results, float)
    if returns.ndim != 2 or not returns.size or steps.shape != returns.shape[:1]:
        raise ValueError(
            f"run {name!r} was tested at steps of shape {steps.shape} with returns of shape {returns.shape}; give "
            "(tests,) and (tests, episodes), one test at least"
        )
    return returns.mean(axis=1), returns.std(axis=1) / max(1, returns.shape[1] - 1) ** 0.5
