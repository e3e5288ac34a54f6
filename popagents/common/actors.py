"""Actors: players in their seats, as the play of episodes sees them."""

from typing import Protocol

import numpy as np

from popagents.common.parameters import Parameters


class ActionSpace(Protocol):
    """What play needs to know of an action space; `popagents.population.actions.Actions` is one."""

    def idle(self, k: int) -> np.ndarray:
        """Return k valid actions for slots in which nobody plays."""

    def noise(self, key: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Draw what sampling needs in each step of episodes with such keys."""


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
