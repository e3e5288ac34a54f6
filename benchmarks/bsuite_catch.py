"""Fruit catch with bsuite's settings beside the package's own Catch, where `pip install bsuite` was run."""

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np

import popenvs  # noqa: F401  (registers the ids)
from benchmarks.ratios import paired
from benchmarks.table import Row, show

SETTINGS = {"rows": 10, "columns": 5, "basket_width": 1, "basket_start": "center", "end_row": -1}
EPISODES = 1000


def ours(**settings: Any) -> gym.Env:
    """Return fruit catch with bsuite's settings."""
    return gym.make("PopFruitCatch-v0", **SETTINGS, **settings)


def theirs(seed: int) -> Any:
    """Return the package's Catch.

    Raises:
        ImportError: bsuite is not installed.
    """
    from bsuite.environments.catch import Catch

    return Catch(seed=seed)


def seeds_by_column(env: gym.Env) -> dict[int, int]:
    """Return for each column a seed that lets the fruit begin there."""
    return {int(env.reset(seed=seed)[0][0, 0].argmax()): seed for seed in range(100)}


def differences(episodes: int = EPISODES) -> int:
    """Play both with the same random actions; count the steps (and resets) in which they differ."""
    env, other, rng = ours(observation="grid"), theirs(0), np.random.default_rng(0)
    seeds, found = seeds_by_column(env), 0
    for _ in range(episodes):
        step = other.reset()
        board, _ = env.reset(seed=seeds[int(step.observation[0].argmax())])
        found += not np.array_equal(board[0], step.observation)
        while not step.last():
            action = int(rng.integers(3))
            step = other.step(action)
            board, reward, terminated, _, _ = env.step(action)
            outcome = (reward, terminated) == (step.reward, step.last())
            found += not (outcome and np.array_equal(board[0], step.observation))
    return found


def player(steps: int = 20_000) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return the same random steps as work, for ours and for theirs; an ended episode is begun anew."""
    env, other = ours(), theirs(0)
    env.reset(seed=0)
    other.reset()
    actions = np.random.default_rng(0).integers(3, size=steps).tolist()

    def play() -> None:
        for action in actions:
            if env.step(action)[2]:
                env.reset()

    def play_theirs() -> None:
        for action in actions:
            if other.step(action).last():
                other.reset()

    return play, play_theirs


def rows() -> Iterator[Row]:
    """Whether they are the same game, and how fast each steps."""
    what = "bsuite's Catch, the package itself"
    try:
        found = differences()
    except ImportError as error:
        yield what, "the same game", f"not measured: {error}; run `pip install bsuite`"
        return
    yield f"{what}: steps that differ in {EPISODES} episodes", "0", str(found)
    fast, slow, ratio = paired(*player())
    yield f"{what} / ours: time of a step", "", f"{ratio:.1f} ({slow * 50:.1f} against {fast * 50:.1f} us)"


if __name__ == "__main__":
    show(rows())
