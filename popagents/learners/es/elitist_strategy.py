"""Evolution strategies that keep the best, in a space of parameters and without an environment.

The (mu + lambda) strategy of I. Rechenberg (1973), "Evolutionsstrategie", and H.-P. Schwefel (1981), "Numerical
optimization of computer models". Differs from the source: members of a generation come in mirrored pairs, and a parent
of several is judged by all that it has played since it was born, so that who only was lucky falls behind.
"""

from dataclasses import dataclass

import numpy as np

from popagents.common.checks import array_size, between
from popagents.common.moments import Moments
from popagents.common.now import Now
from popagents.common.randomness import Purpose
from popagents.common.schedules import geometric
from popagents.learners.es.gradient_strategy import check_members
from popagents.population.noise import Perturbed


@dataclass(frozen=True)
class ElitistState:
    """Where the strategy stands.

    Attributes:
        parents: float32, (parents, numbers), the fittest first.
        episodes: int64, (parents,), that each played in earlier generations; 0 with one parent.
        points: float64, (parents,), the sum of its returns in them.
    """

    parents: np.ndarray
    episodes: np.ndarray
    points: np.ndarray

    @classmethod
    def at(cls, centre: np.ndarray, n_parents: int) -> "ElitistState":
        """Begin with parents that are all alike."""
        return cls(np.repeat(centre[None], n_parents, axis=0), np.zeros(n_parents, np.int64), np.zeros(n_parents))

    def with_first(self, centre: np.ndarray) -> "ElitistState":
        """Return a state whose first parent stands at another centre and has played nothing."""
        parents, episodes, points = self.parents.copy(), self.episodes.copy(), self.points.copy()
        parents[0], episodes[0], points[0] = centre, 0, 0
        return ElitistState(parents, episodes, points)


@dataclass(frozen=True)
class ElitistStrategy:
    """Keep the best members as parents.

    The first members stand at the parents themselves; the others have noise around one parent or another.

    Attributes:
        population_size: members, even.
        n_parents: parents; with one, a (1 + lambda) strategy, it is judged anew in every generation.
        sigma: standard deviation of the noise.
        final_sigma: falls geometrically to this at the end of a run; None keeps it constant.

    Raises:
        ValueError: a setting is out of range.
    """

    population_size: int
    n_parents: int
    sigma: float
    final_sigma: float | None

    def __post_init__(self) -> None:
        check_members(self.population_size)
        array_size("n_parents", self.n_parents)
        if 2 * self.n_parents > self.population_size:
            raise ValueError(
                f"n_parents is {self.n_parents} and population_size {self.population_size}; at least as many members "
                f"as there are parents must challenge them: give {2 * self.n_parents} members, or fewer parents"
            )
        for name in ("sigma", "final_sigma"):
            if getattr(self, name) is not None:
                between(name, getattr(self, name), 0, 100)

    def members(self, state: ElitistState, now: Now, moments: Moments | None = None) -> Perturbed:
        """Return this generation's members; `moments` scale what they see."""
        member, n = np.arange(self.population_size), self.n_parents
        keys, signs = now.keys(Purpose.NOISE, member - member % 2), np.where(member % 2, -1, 1).astype(np.int8)
        parent = member // 2 % n
        signs[:n], parent[:n] = 0, np.arange(n)
        return Perturbed(
            state.parents, parent, keys, signs, geometric(self.sigma, self.final_sigma, now.progress), moments
        )

    def updated(self, parents: np.ndarray, episodes: np.ndarray, points: np.ndarray) -> ElitistState:
        """Return the state after an election.

        Args:
            parents: float32, (parents, numbers), the next parents, the fittest first.
            episodes: int64, (parents,), that each has played, those of earlier generations included.
            points: float64, (parents,), the sums of returns in them.
        """
        if self.n_parents == 1:
            return ElitistState.at(parents[0], 1)
        return ElitistState(parents, episodes, points)
