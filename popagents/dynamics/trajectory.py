"""Trajectories of learning, from one start or many: the call of the compiled loop, and its result."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from popagents.common.checks import choice, positive
from popagents.dynamics import loop

KEEP = "all", "ends"
ROOM = 10**7  # numbers that may be allocated before the length of a trajectory is known


@dataclass(frozen=True)
class Trajectory:
    """A trajectory of strategies; ... are the batch axes.

    Attributes:
        strategies: (n + 1, ..., N, Z, A), n being the most steps of any element; one that ends earlier repeats its
            last strategies. With keep="ends" only the first and the last: (2, ..., N, Z, A).
        converged: whether a fixed point was reached: bool, or (...).
        diverged: whether NaN or infinity occurred, which is never a fixed point: bool, or (...).
        n_steps: steps taken: int, or (...).
    """

    strategies: np.ndarray
    converged: Any
    diverged: Any
    n_steps: Any

    @property
    def final(self) -> np.ndarray:
        """Return the last strategies, (..., N, Z, A)."""
        return self.strategies[-1]

    def __repr__(self) -> str:
        if np.ndim(self.converged):
            counts = f"{self.converged.sum()} converged, {self.diverged.sum()} diverged"
            return (
                f"<Trajectory of {self.converged.size} starts: {counts}, at most {self.n_steps.max(initial=0)} steps>"
            )
        end = "converged" if self.converged else "diverged" if self.diverged else "still moving"
        return f"<Trajectory: {end} after {self.n_steps} steps>"


def run(learner: Any, X: np.ndarray, max_steps: int, tolerance: float, keep: str) -> Trajectory:
    """Run a learner; see `Learner.trajectory`."""
    positive("max_steps", max_steps)
    choice("keep", keep, KEEP)
    if not tolerance >= 0:
        raise ValueError(f"tolerance is {tolerance!r}; it must be 0 (never a fixed point) or above")
    batch = batch_axes(learner, X)
    starts = np.array(np.broadcast_to(X, batch + learner.shape), np.float64).reshape(-1, *learner.shape)
    settings = learner.learning_rate, learner.discount, learner.intensity, learner.scale, learner.epsilon
    n = learner.shape[0]
    prepared = np.stack([np.broadcast_to(array, (*batch, n)).reshape(-1, n) for array in settings])
    arguments = learner, starts, prepared, batch, max_steps, tolerance
    if keep == "ends":
        finals, steps, end = play(*arguments, np.empty((0, *starts.shape)))
        history = np.stack([starts, finals])
    else:
        length = max_steps + 1
        if length * starts.size > ROOM:  # run twice, first for the length
            length = play(*arguments, np.empty((0, *starts.shape)))[1].max(initial=0) + 1
        history = np.empty((length, *starts.shape))
        _, steps, end = play(*arguments, history)
        history = history[: steps.max(initial=0) + 1].copy()
        loop.repeat_last(history, steps)
    converged, diverged, steps = (x.reshape(batch) for x in (end == loop.CONVERGED, end == loop.DIVERGED, steps))
    strategies = history.reshape(len(history), *batch, *learner.shape)
    if not batch:
        return Trajectory(strategies, bool(converged), bool(diverged), int(steps))
    return Trajectory(strategies, converged, diverged, steps)


def batch_axes(learner: Any, X: np.ndarray) -> tuple[int, ...]:
    """Return the batch axes of starts, settings and game together.

    Raises:
        ValueError: they do not fit each other.
    """
    settings = learner.learning_rate, learner.discount, learner.intensity, learner.epsilon
    try:
        return np.broadcast_shapes(X.shape[:-3], learner.tensors.batch, *(array.shape[:-1] for array in settings))
    except ValueError as error:
        raise ValueError(f"batch axes of starts, settings and game do not fit each other: {error}") from error


def games(tensors: Any, batch: tuple[int, ...]) -> Iterator[tuple[Any, Any]]:
    """Yield each game with the indices of the batch elements that play it.

    The arrays are copies: read-only ones would be another type to numba, and compile everything anew.
    """
    count = int(np.prod(tensors.batch))
    which = np.broadcast_to(np.arange(count).reshape(tensors.batch), batch).reshape(-1)
    transitions, rewards = (
        np.broadcast_to(array, tensors.batch + array.shape[-axes:]).reshape(-1, *array.shape[-axes:])
        for array, axes in ((tensors.transitions, 3), (tensors.rewards, 3))
    )
    for g in range(count):
        shared = tensors.observations.copy(), tensors.actions, tensors.available
        yield (transitions[g].copy(), rewards[g].copy(), *shared), np.flatnonzero(which == g)


def play(
    learner: Any, starts: Any, settings: Any, batch: tuple[int, ...], max_steps: int, tolerance: float, history: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Run the compiled loop, game by game.

    Args:
        learner: its rule is used.
        starts: (B, N, Z, A).
        settings: (5, B, N).
        batch: axes that make up B.
        max_steps: of each element.
        tolerance: see `Learner.trajectory`.
        history: (n, B, N, Z, A), to be filled in.

    Returns:
        The last tables, the numbers of steps and the ends.
    """
    finals, steps, end = starts.copy(), np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int64)
    for game, elements in games(learner.tensors, batch):
        loop.run(learner.rule, elements, finals, game, settings, int(max_steps), float(tolerance), history, steps, end)
    return finals, steps, end
