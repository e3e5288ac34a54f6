"""A population: the stacked parameters of many members of one or several designs, and how they act."""

from collections.abc import Sequence

import numpy as np
import torch
from stable_baselines3.common.policies import BasePolicy

from popagents.common.actors import Actors, check_members
from popagents.common.parameters import Parameters
from popagents.population.actions import Actions
from popagents.population.design import Design, tensors_of


class Population(Actors):
    """Members of one or several designs; member m belongs to design m modulo the number of designs.

    Args:
        designs: among which the members are dealt like cards.
        parameters: of each design's members, (members of the design, *shape) by name.

    Attributes:
        designs: as given.
        parameters: as given.
        size: how many members in all.
        actions: the action space.
    """

    def __init__(self, designs: Sequence[Design], parameters: Sequence[Parameters]) -> None:
        self.designs, self.parameters = list(designs), list(parameters)
        self.size = sum(len(next(iter(values.values()))) for values in parameters)
        self.actions: Actions = self.designs[0].actions

    def act(self, who: np.ndarray, observations: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
        """Choose one action per row.

        Args:
            who: int64, (k,), the member that acts in each row; any subset, any order, repeats allowed.
            observations: (k, *shape), or records (k,) of a Dict.
            noise: float32, (k, n_outputs), to sample; None for the likeliest action.

        Returns:
            Actions, (k, ...).

        Raises:
            ValueError: there is no such member.
        """
        check_members(who, self.size)
        if len(self.designs) == 1:
            return self._choose(0, who, observations, noise)
        actions = np.empty((len(who), *self.actions.space.shape), self.actions.space.dtype)  # type: ignore[misc]
        for design in range(len(self.designs)):
            here = who % len(self.designs) == design
            if here.any():
                rows = who[here] // len(self.designs)
                own = None if noise is None else noise[here]
                actions[here] = self._choose(design, rows, observations[here], own)
        return actions

    def _choose(self, design: int, rows: np.ndarray, observations: np.ndarray, noise: np.ndarray | None) -> np.ndarray:
        parameters = self.parameters[design]
        log_std = parameters["log_std"][rows] if "log_std" in parameters else None
        return self.actions.choose(self.designs[design].outputs(parameters, rows, observations), noise, log_std)


def write_into(policy: BasePolicy, parameters: Parameters) -> BasePolicy:
    """Write a member's parameters and buffers into an SB3 policy of its design, and return the policy."""
    own = tensors_of(policy)
    for name, values in parameters.items():
        own[name].copy_(torch.from_numpy(values))
    return policy
