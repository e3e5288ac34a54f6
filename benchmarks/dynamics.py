"""`python -m benchmarks.dynamics`: learning dynamics against the same equations in plain NumPy, in one run on one core.

The plain implementation knows its game, two players in one state: eight lines of einsum a step, for one start or many.
"""

from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import numpy as np

from benchmarks.ratios import paired, seconds
from benchmarks.table import Row, show
from popagents import dynamics, plots
from popenvs.dilemmas import stag_hunt

START = np.array([[[0.6, 0.4]], [[0.55, 0.45]]])
RATE, DISCOUNT = 0.1, 0.9


def plain(X: np.ndarray, keep: bool, tolerance: float = 1e-8) -> np.ndarray:
    """Learn in a stag hunt from starts X (n, 2, 2) to their fixed points; return the trajectory, or only its end."""
    payoff = np.array([[1.0, -0.5], [0.8, 0.0]])
    path, moving = [X], np.ones(len(X), bool)
    while moving.any():
        old = X[moving]
        rewards = np.stack([old[:, 1] @ payoff.T, old[:, 0] @ payoff.T], 1)
        values = (old * rewards).sum(-1, keepdims=True) / (1 - DISCOUNT)
        error = rewards + DISCOUNT * values - values
        logits = np.log(old) + RATE * error
        grown = np.exp(logits - logits.max(-1, keepdims=True))
        X = X.copy()
        X[moving] = grown / grown.sum(-1, keepdims=True)
        moving[moving] = np.linalg.norm((X[moving] - old).reshape(len(old), -1), axis=1) >= tolerance
        if keep:
            path.append(X)
    return np.stack(path) if keep else X


def one() -> Any:
    """Learn from one start, with a new learner."""
    return dynamics.ActorCritic(stag_hunt(), RATE, DISCOUNT).trajectory(START)


def many(n: int) -> Callable[[], Any]:
    """Return a function that learns from n random starts to their fixed points."""
    learner = dynamics.ActorCritic(stag_hunt(), RATE, DISCOUNT)
    starts = learner.random_strategies(n)
    return lambda: learner.trajectory(starts, keep="ends")


def picture() -> None:
    """Draw a flow of 9 x 9 arrows."""
    figure, (axes,) = plots.squares()
    plots.flow_plot(dynamics.ActorCritic(stag_hunt(), RATE, DISCOUNT), axes=axes)
    figure.canvas.draw()


def plain_arrows() -> None:
    """Compute the same arrows, one point at a time."""
    grid = np.linspace(0.01, 0.99, 9)
    for p in grid:
        for q in grid:
            plain(np.array([[[p, 1 - p], [q, 1 - q]]]), keep=False, tolerance=np.inf)


def rows() -> Iterator[Row]:
    """Yield (what, target, measured)."""
    starts = many(1000)().strategies[0][:, :, 0]
    ours, theirs, ratio = paired(one, lambda: plain(START[None, :, 0], keep=True))
    yield (
        "stag hunt, 385 points, new object",
        "<= 3 ms",
        f"{1e3 * ours:.2f} ms ({ratio:.0f} times faster than plain NumPy's {1e3 * theirs:.1f})",
    )
    ours, theirs, ratio = paired(many(1000), lambda: plain(starts, keep=False), rounds=5)
    yield (
        "1000 starts to their fixed points",
        "<= 0.10 s",
        f"{ours:.3f} s ({ratio:.0f} times faster than plain NumPy's {theirs:.2f})",
    )
    yield "100 000 starts to their fixed points", "runs", f"{seconds(many(100_000)):.1f} s"
    yield "flow of 9 x 9 arrows, drawn", "<= 0.1 s", f"{median(seconds(picture) for _ in range(5)):.3f} s"
    learner = dynamics.ActorCritic(stag_hunt(), RATE, DISCOUNT)
    ours, theirs, ratio = paired(lambda: dynamics.flow(learner), plain_arrows)
    yield (
        "its arrows alone",
        "",
        f"{1e3 * ours:.2f} ms ({ratio:.0f} times faster than plain NumPy's {1e3 * theirs:.1f})",
    )


if __name__ == "__main__":
    show(rows())
