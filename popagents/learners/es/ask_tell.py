"""Evolution strategies for those who measure fitness themselves: ask for members, tell how fit they were.

The interface is that of R. T. Lange (2022), "evosax: JAX-based evolution strategies", https://arxiv.org/abs/2212.04180.
Differs from the source: the object keeps the state.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from popagents.common.checks import positive, seed_of
from popagents.common.now import Now
from popagents.learners.es.gradient_strategy import GradientState, GradientStrategy
from popagents.population.noise import GaussianNoise


class AskTell:
    """A strategy that climbs, generation by generation.

    Args:
        strategy: with its settings.
        centre: numbers, (numbers,), where it begins.
        seed: of the run; None draws one.
        generations: over which sigma and the learning rate fall; needed where they do.

    Attributes:
        state: the strategy's.
        generation: how many are done.
        run_seed: from which, with the generation, all random numbers follow.

    Raises:
        ValueError: the centre is no vector of finite numbers, the seed is none, or something falls and nobody knows how
            fast.

    >>> search = AskTell(GradientStrategy(population_size=4, sigma=0.1), np.zeros(3), seed=0)
    >>> members = search.ask()
    >>> members.shape
    (4, 3)
    >>> search.tell(-((members - 1) ** 2).sum(axis=1))
    >>> search.generation, bool(search.centre.any())
    (1, True)
    """

    def __init__(
        self, strategy: GradientStrategy, centre: Any, *, seed: int | None = None, generations: int | None = None
    ) -> None:
        start = np.array(centre, np.float32)
        if start.ndim != 1 or not start.size or not np.isfinite(start).all():
            raise ValueError(f"centre is {centre!r}; it must be a vector of finite numbers, at least one")
        check_generations(generations, strategy)
        self.strategy, self.generations = strategy, generations
        self.run_seed, self.state, self.generation = seed_of(seed), GradientState.at(start), 0
        self._noise = GaussianNoise(len(start))

    @property
    def centre(self) -> np.ndarray:
        """Return the centre: float32, (numbers,)."""
        return self.state.centre

    @property
    def now(self) -> Now:
        """Return the generation that is asked for next."""
        progress = min(1.0, self.generation / self.generations) if self.generations else 0.0
        return Now(self.run_seed, self.generation, progress)

    def ask(self) -> np.ndarray:
        """Return this generation's members: float32, (members, numbers); the same until `tell` is called."""
        members = self.strategy.members(self.state, self.now)
        return self._noise.vectors(members, np.arange(self.strategy.population_size))

    def tell(self, fitness: Sequence[float] | np.ndarray) -> None:
        """Move the centre by the members' fitness, one finite number each, and begin the next generation.

        Raises:
            ValueError: there are more or fewer numbers than members, or one is NaN or infinite.
        """
        values, size = np.asarray(fitness, np.float64), self.strategy.population_size
        if values.shape != (size,):
            raise ValueError(f"fitness has shape {values.shape}; it must hold one number for each of {size} members")
        for member in np.flatnonzero(~np.isfinite(values)):
            raise ValueError(f"the fitness of member {member} is {values[member]}; it must be finite")
        members = self.strategy.members(self.state, self.now)
        self.state = self.strategy.updated(self.state, members, values, self.now, self._noise)
        self.generation += 1


def check_generations(generations: int | None, strategy: GradientStrategy) -> None:
    """Check that it is known in how many generations a strategy's settings fall.

    Raises:
        ValueError: they fall, and it is not; or it is no whole number above 0.
    """
    if generations is not None:
        positive("generations", generations)
    elif strategy.final_sigma is not None or strategy.final_learning_rate is not None:
        raise ValueError(
            f"final_sigma is {strategy.final_sigma} and final_learning_rate {strategy.final_learning_rate}, but "
            "generations is None; say in how many generations they are reached"
        )
