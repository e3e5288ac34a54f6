"""How the tests of several runs went, side by side."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from popagents.common.optional import needed
from popagents.plots.page import LINES, canvas, draw_references


def evaluation_curves(
    runs: Mapping[str, tuple[Any, Any]],
    path: str | Path,
    reference_scores: Mapping[str, float] | None = None,
    title: str = "Tests of the policy",
) -> Path:
    """Draw the mean return of every test, with its standard error, over the environment steps taken before it.

    Args:
        runs: by name, when it was tested, (tests,), in steps, and what the episodes of each test returned, (tests,
            episodes): `EvalCallback`'s `evaluations_timesteps` and `evaluations_results`, or `timesteps` and `results`
            in the `evaluations.npz` that it writes.
        path: the file to write; its suffix says the format.
        reference_scores: scores to compare with, by name.
        title: what stands above.

    Returns:
        The path.

    Raises:
        ValueError: a run has no test, or not as many rows of returns as tests.
    """
    figure, axes = canvas(4.4)
    for i, (name, (timesteps, results)) in enumerate(runs.items()):
        look = {"color": LINES[i % len(LINES)], "lw": 1.6, "marker": "o", "ms": 4, "elinewidth": 0.8}
        axes.errorbar(timesteps, *mean_and_error(name, timesteps, results), label=name, **look)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color="#e6e6e6", lw=0.8)
    axes.margins(x=0.02)
    draw_references(axes, reference_scores or {})
    axes.xaxis.set_major_formatter(needed("matplotlib.ticker").EngFormatter(sep=" "))
    axes.set(xlabel="environment steps before the test", ylabel="mean return, with standard error")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=5, frameon=False, borderaxespad=0.2)
    axes.set_title(title, loc="left", fontweight="bold", pad=28)
    figure.savefig(path)
    return Path(path)


def mean_and_error(name: str, timesteps: Any, results: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return each test's mean return and its standard error, (tests,); 0 where there was one episode.

    Raises:
        ValueError: there is no test, or not one row of returns for each.
    """
    steps, returns = np.asarray(timesteps, float), np.asarray(results, float)
    if returns.ndim != 2 or not returns.size or steps.shape != returns.shape[:1]:
        raise ValueError(
            f"run {name!r} was tested at steps of shape {steps.shape} with returns of shape {returns.shape}; give "
            "(tests,) and (tests, episodes), one test at least"
        )
    return returns.mean(axis=1), returns.std(axis=1) / max(1, returns.shape[1] - 1) ** 0.5
