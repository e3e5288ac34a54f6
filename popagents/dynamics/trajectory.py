"""Trajectories of learning, from one start or many: the call of the compiled loop, and its result."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from popagents.common.checks import choice, positive
from popagents.dynamics import loop

KEEP = "all", "ends"
ROOM = 10**7  # numbers that may be allocated before the length of a trajectory is known
Play = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]  # `play`, all but its history given


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
    check_settings(max_steps, tolerance, keep)
    batch = batch_axes(learner, X)
    starts = np.array(np.broadcast_to(X, batch + learner.shape), np.float64).reshape(-1, *learner.shape)
    plays = partial(play, learner, starts, settings_of(learner, batch), batch, max_steps, tolerance)
    history, steps, end = first_and_last(plays, starts) if keep == "ends" else every_step(plays, starts, max_steps)
    converged, diverged, steps = (x.reshape(batch) for x in (end == loop.CONVERGED, end == loop.DIVERGED, steps))
    strategies = history.reshape(len(history), *batch, *learner.shape)
    if not batch:
        return Trajectory(strategies, bool(converged), bool(diverged), int(steps))
    return Trajectory(strategies, converged, diverged, steps)


def check_settings(max_steps: int, tolerance: float, keep: str) -> None:
    """Check how a run ends and what is kept of it.

    Raises:
        ValueError: a setting is out of its range.
    """
    positive("max_steps", max_steps)
    choice("keep", keep, KEEP)
    if not tolerance >= 0:
        raise ValueError(f"tolerance is {tolerance!r}; it must be 0 (never a fixed point) or above")


def settings_of(learner: Any, batch: tuple[int, ...]) -> np.ndarray:
    """Return a learner's settings for the compiled loop: (5, B, N)."""
    n = learner.shape[0]
    settings = learner.learning_rate, learner.discount, learner.intensity, learner.scale, learner.epsilon
    return np.stack([np.broadcast_to(array, (*batch, n)).reshape(-1, n) for array in settings])


def first_and_last(plays: Play, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the first and the last tables, (2, B, N, Z, A), the numbers of steps and the ends."""
    finals, steps, end = plays(np.empty((0, *starts.shape)))
    return np.stack([starts, finals]), steps, end


def every_step(plays: Play, starts: np.ndarray, max_steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the tables of all steps, (n + 1, B, N, Z, A), the numbers of steps and the ends."""
    length = max_steps + 1
    if length * starts.size > ROOM:  # run twice, first for the length
        length = plays(np.empty((0, *starts.shape)))[1].max(initial=0) + 1
    history = np.empty((length, *starts.shape))
    _, steps, end = plays(history)
    history = history[: steps.max(initial=0) + 1].copy()
    loop.repeat_last(history, steps)
    return history, steps, end


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
