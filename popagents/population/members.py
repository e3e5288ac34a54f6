"""Members with parameters of their own, as players."""

from collections.abc import Sequence
from dataclasses import dataclass

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

    def seated(self, workspace: Workspace) -> Population:
        """Return the population."""
        return Population(workspace.designs, self.parameters)


def member_of(parameters: Sequence[Parameters], member: int) -> tuple[int, Parameters]:
    """Return the design of a member of several designs, and a copy of its parameters."""
    design, row = member % len(parameters), member // len(parameters)
    return design, row_of(parameters[design], row)
