"""Actors: players in their seats, as the play of episodes sees them."""

from typing import Protocol

import numpy as np

from popagents.common.compiling import njit
from popagents.common.parameters import Parameters


class ActionSpace(Protocol):
    """What play needs to know of an action space; `popagents.population.actions.Actions` is one."""

    def idle(self, k: int) -> np.ndarray:
        """Return k valid actions for slots in which nobody plays."""

    def noise(self, key: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Draw what sampling needs in each step of episodes with such keys."""


@njit(cache=True)
def all_below(numbers: np.ndarray, n: int) -> bool:
    """Tell whether all numbers lie from 0 to n - 1; NumPy takes ten times as long, in every step."""
    outside = 0
    for number in numbers:
        outside += int(number < 0) + int(number >= n)
    return outside == 0


def check_members(who: np.ndarray, size: int) -> None:
    """Refuse members that compiled loops would look for outside of their arrays.

    Raises:
        ValueError: a number is below 0, or `size` or above.
    """
    if not all_below(who, size):
        stranger = who[(who < 0) | (who >= size)][0]
        raise ValueError(f"who names member {stranger}; the population has members 0 to {size - 1}")


class Actors:
    """Players in their seats: they choose actions. Those who learn while they live fill in the other methods."""

    actions: ActionSpace

    def act(self, who: np.ndarray, observations: np.ndarray, noise: np.ndarray | None) -> np.ndarray:
        """Choose an action for each of the players `who` (int64, (k,)), who see `observations` (k, *shape).

        Args:
            who: players; any subset, any order, repeats allowed unless they learn.
            observations: one a row.
            noise: float32, (k, n_outputs), to sample; None for the likeliest actions.
        """
        raise NotImplementedError

    def begin(self) -> None:
        """Begin an episode of all jobs."""

    def rewarded(self, rewards: np.ndarray) -> None:
        """Take the rewards (k,) of what `act` chose last."""

    def learn(self) -> None:
        """Learn from the episode that all jobs have just played."""

    def learned(self) -> Parameters | None:
        """Return what players have learned, one row a learner; None if nobody learns."""
        return None
