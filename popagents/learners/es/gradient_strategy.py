"""Evolution strategies that climb, in a space of parameters and without an environment.

T. Salimans, J. Ho, X. Chen, S. Sidor, I. Sutskever (2017), "Evolution strategies as a scalable alternative to
reinforcement learning", https://arxiv.org/abs/1703.03864; mirrored sampling: D. Brockhoff et al. (2010), "Mirrored
sampling and sequential selection for evolution strategies"; options of the optimiser after the PyTorch-ES suite.

Differs from the source: ties share their rank, and a generation whose members are all equal moves nothing; learning
rate and sigma may fall geometrically; noise is a function of (run seed, generation, member) and is never stored.
"""

from dataclasses import dataclass, replace

import numpy as np

from popagents.common.checks import between, choice
from popagents.common.moments import Moments
from popagents.common.now import Now
from popagents.common.randomness import Purpose
from popagents.common.schedules import geometric
from popagents.learners.es.fitness_shaping import FITNESS_SHAPING
from popagents.learners.state_checks import within
from popagents.learners.updates.adam import adam_step
from popagents.population.noise import Noise, Perturbed

OPTIMIZERS = ("adam", "sgd")


@dataclass(frozen=True)
class GradientState:
    """Where the strategy stands.

    Attributes:
        centre: float32, (numbers,), the parameters around which members are drawn.
        first: float32, (numbers,), Adam's running mean of the gradient.
        second: float32, (numbers,), and of its square.
        updates: how many Adam has made.
    """

    centre: np.ndarray
    first: np.ndarray
    second: np.ndarray
    updates: int = 0

    @classmethod
    def at(cls, centre: np.ndarray) -> "GradientState":
        """Begin at a centre."""
        return cls(centre, np.zeros_like(centre), np.zeros_like(centre))

    def check(self, name: str) -> None:
        """Check numbers that come from a file, where this state has a name.

        Raises:
            ValueError: the count or a mean of squares is below 0.
        """
        within(self.updates, f"{name}/updates")
        within(self.second, f"{name}/second")


@dataclass(frozen=True)
class GradientStrategy:
    """Follow the gradient of fitness smoothed by noise.

    A member is the centre theta plus sigma times noise e_m. With the utilities u of the members' fitness the centre
    climbs along

        g = 1 / (population_size sigma) sum_m u_m e_m.

    In mirrored sampling members 2i and 2i + 1 have the noise +e_i and -e_i.

    Attributes:
        population_size: members; even in mirrored sampling.
        sigma: standard deviation of the noise.
        final_sigma: falls geometrically to this at the end of a run; None keeps it constant.
        learning_rate: the optimiser's step size.
        final_learning_rate: likewise.
        mirrored: mirrored sampling.
        fitness_shaping: "ranks" (from -0.5 to 0.5, ties averaged) or "zscore".
        optimizer: "adam" or "sgd".

    Raises:
        ValueError: a setting is out of range.
    """

    population_size: int = 64
    sigma: float = 0.05
    final_sigma: float | None = None
    learning_rate: float = 0.02
    final_learning_rate: float | None = None
    mirrored: bool = True
    fitness_shaping: str = "ranks"
    optimizer: str = "adam"

    def __post_init__(self) -> None:
        check_members(self.population_size, self.mirrored)
        choice("fitness_shaping", self.fitness_shaping, FITNESS_SHAPING)
        choice("optimizer", self.optimizer, OPTIMIZERS)
        for name in ("sigma", "final_sigma", "learning_rate", "final_learning_rate"):
            if getattr(self, name) is not None:
                between(name, getattr(self, name), 0, 100)

    def members(self, state: GradientState, now: Now, moments: Moments | None = None) -> Perturbed:
        """Return this generation's members; `moments` scale what they see."""
        size, pair = self.population_size, 1 + self.mirrored
        member = np.arange(size)
        keys, signs = now.keys(Purpose.NOISE, member - member % pair), np.where(member % pair, -1, 1).astype(np.int8)
        sigma = geometric(self.sigma, self.final_sigma, now.progress)
        return Perturbed(state.centre[None], np.zeros(size, np.int64), keys, signs, sigma, moments)

    def updated(
        self, state: GradientState, members: Perturbed, fitness: np.ndarray, now: Now, noise: Noise
    ) -> GradientState:
        """Return the state after an update with the members' fitness, float64 (members,); `noise` drew them."""
        utilities = FITNESS_SHAPING[self.fitness_shaping](fitness)
        if not utilities.any():
            return state
        return self._climbed(state, self.gradient(members, utilities, noise), now)

    def gradient(self, members: Perturbed, utilities: np.ndarray, noise: Noise) -> np.ndarray:
        """Return g, float32 (numbers,)."""
        keys, weights = members.keys, utilities
        if self.mirrored:
            keys, weights = keys[::2], utilities[::2] - utilities[1::2]
        sigma = members.sigma
        return noise.total(keys, weights, sigma) / np.float32(self.population_size * sigma**2)

    def _climbed(self, state: GradientState, gradient: np.ndarray, now: Now) -> GradientState:
        rate = geometric(self.learning_rate, self.final_learning_rate, now.progress)
        if self.optimizer == "sgd":
            return replace(state, centre=state.centre + np.float32(rate) * gradient)
        centre, first, second = state.centre.copy(), state.first.copy(), state.second.copy()
        adam_step(centre, -gradient, first, second, rate, state.updates + 1)
        return GradientState(centre, first, second, state.updates + 1)


def check_members(population_size: int, mirrored: bool = True) -> None:
    """Refuse a number of members that cannot be.

    Raises:
        ValueError: it is below 2, or odd in mirrored sampling.
    """
    if population_size < 2 or (mirrored and population_size % 2):
        raise ValueError(
            f"population_size is {population_size}; it must be 2 or more, and mirrored sampling needs an even "
            f"number, for example {max(2, population_size + population_size % 2)}"
        )
