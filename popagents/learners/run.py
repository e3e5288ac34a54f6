"""What a run has become: one frozen value, replaced whole by one assignment."""

from dataclasses import dataclass
from typing import Generic

import numpy as np

from popagents.common.lineage import ROW, Transmission
from popagents.learners.conversation import State, Succession


@dataclass(frozen=True)
class Run(Generic[State]):
    """All that a run knows between two generations.

    Attributes:
        state: the learner's.
        fitness: float64, (members,), in the last generation; NaN before the first.
        generation: how many are done.
        timesteps: `num_timesteps` when the next generation began.
        steps_lived: steps of all generations that are done.
        rows: of the lineage.
        champion: the member that `predict` uses.
        evaluated: the generation after which the champion was chosen by evaluation; 0 if none was.
        evaluation_timesteps: steps taken for that.
    """

    state: State
    fitness: np.ndarray
    generation: int = 0
    timesteps: int = 0
    steps_lived: int = 0
    rows: int = 0
    champion: int = 0
    evaluated: int = 0
    evaluation_timesteps: int = 0

    def progress(self, until: int) -> float:
        """Return the share of `until` steps that were taken: 0 to 1."""
        return min(1.0, self.timesteps / max(1, until))


def lineage_rows(succession: Succession[State], generation: int, timesteps: int) -> np.ndarray:
    """Return a generation's rows of the lineage, one a member.

    Args:
        succession: what the generation left.
        generation: its number.
        timesteps: steps of the run up to its end.
    """
    size = len(succession.fitness)
    rows, nobody = np.empty(size, ROW), np.full(size, -1)
    parents = nobody if succession.parents is None else succession.parents
    rows["generation"], rows["member"], rows["timesteps"] = generation, np.arange(size), timesteps
    rows["fitness"], rows["parent"] = succession.fitness, parents
    rows["second_parent"] = nobody if succession.second_parents is None else succession.second_parents
    rows["transmission"] = np.where(parents >= 0, succession.transmission, Transmission.NONE)
    return rows
