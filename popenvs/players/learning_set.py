"""Players of Harlow's experiment: one keeps to a side, one learns an object in a single trial.

Both read an observation of `popenvs.harlow` that holds the last trial: the left and the right object, the previous
reward, and the previous action one-hot. Both return a side: 0 left, 1 right.
"""

from collections.abc import Callable
from functools import partial

import numpy as np


def last_trial(observation: np.ndarray) -> tuple[float, int | None]:
    """Return the previous reward and the previous action, None before the first trial is over."""
    hands = observation[-2:]
    return float(observation[-3]), int(hands.argmax()) if hands.any() else None


def win_stay_lose_shift(observation: np.ndarray, rng: np.random.Generator, middle: float = 0.0) -> int:
    """Take the same side again after a reward, the other after a punishment."""
    reward, action = last_trial(observation)
    if action is None:
        return int(rng.integers(2))
    return action if reward > middle else 1 - action


class OneShot:
    """Toss a coin in the first trial, learn from it which object is rewarded, and take that ever after.

    Args:
        middle: a number between punishment and reward.
    """

    def __init__(self, middle: float = 0.0) -> None:
        self.middle = middle
        self.shown: np.ndarray | None = None  # the pair in the trial before, (2, cells)
        self.good: np.ndarray | None = None  # the rewarded object, (cells,)

    def __call__(self, observation: np.ndarray, rng: np.random.Generator) -> int:
        """Choose by what the first trial taught."""
        reward, action = last_trial(observation)
        if action is None:
            self.good = None
        elif self.good is None and self.shown is not None:
            self.good = self.shown[action if reward > self.middle else 1 - action]
        self.shown = observation[:-3].reshape(2, -1).copy()
        if self.good is None:
            return int(rng.integers(2))
        return int((self.shown[1] == self.good).all())


def learners(middle: float) -> dict[str, Callable[[np.ndarray, np.random.Generator], int]]:
    """Return both players by name.

    Args:
        middle: a number between punishment and reward.
    """
    return {"win-stay by hand": partial(win_stay_lose_shift, middle=middle), "one-shot": OneShot(middle)}
