"""Players without a policy."""

from dataclasses import dataclass

import numpy as np

from popagents.common.actors import Actors
from popagents.population.actions import Actions
from popagents.population.workspace import Workspace


class RandomActors(Actors):
    """Discrete actions are equally likely, those of a Box normal(0, 1) in the units of means, clipped to it."""

    def __init__(self, actions: Actions) -> None:
        self.actions: Actions = actions

    def act(self, who: np.ndarray, observations: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
        """Choose one action per row of `noise`."""
        outputs = np.zeros((len(who), self.actions.n_outputs), np.float32)
        return self.actions.choose(outputs, noise, np.zeros_like(outputs))


@dataclass(frozen=True)
class RandomPlayers:
    """Any number of players without a policy."""

    @property
    def together(self) -> int:
        """Return 1: nobody learns."""
        return 1

    def seated(self, workspace: Workspace) -> RandomActors:
        """Seat them."""
        return RandomActors(workspace.designs[0].actions)

    def part(self, who: np.ndarray) -> tuple["RandomPlayers", np.ndarray]:
        """Return these, under the numbers that they have."""
        return self, who
