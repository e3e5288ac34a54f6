"""Members with parameters of their own, as players."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from popagents.common.parameters import Parameters, row_of
from popagents.population.population import Population
from popagents.population.workspace import Workspace


@dataclass(frozen=True)
class Members:
    """Members with parameters of their own, as players.

    Attributes:
        parameters: of each design's members, (members of the design, *shape) by name.
    """

    parameters: list[Parameters]

    @property
    def together(self) -> int:
        """Return 1: nobody shares a learner."""
        return 1

    def seated(self, workspace: Workspace) -> Population:
        """Return the population."""
        return Population(workspace.designs, self.parameters)

    def part(self, who: np.ndarray) -> tuple["Members", np.ndarray]:
        """Return some members, each of the design that it has, and their numbers.

        Where designs have unequal parts in them, copies fill up the smaller ones.
        """
        n, numbers = len(self.parameters), np.empty_like(who)
        design, row = who % n, who // n
        counts = np.bincount(design, minlength=n)
        parts = []
        for d, parameters in enumerate(self.parameters):
            numbers[design == d] = np.arange(counts[d]) * n + d
            rows = np.resize(row[design == d], counts.max())
            parts.append({name: values[rows] for name, values in parameters.items()})
        return Members(parts), numbers


def member_of(parameters: Sequence[Parameters], member: int) -> tuple[int, Parameters]:
    """Return the design of a member of several designs, and a copy of its parameters."""
    design, row = member % len(parameters), member // len(parameters)
    return design, row_of(parameters[design], row)
