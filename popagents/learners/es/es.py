"""Evolution strategies on an environment: climb the gradient of fitness that noisy copies of one policy feel.

T. Salimans, J. Ho, X. Chen, S. Sidor, I. Sutskever (2017), "Evolution strategies as a scalable alternative to
reinforcement learning", https://arxiv.org/abs/1703.03864. The update is that of `gradient_strategy.py`.
Differs from the source:
- the two members of a mirrored pair play the same episodes (common random numbers);
- noise may be of low rank, so that the members of a large network share most of their arithmetic;
- episodes may be cut off after steps that grow geometrically.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Unpack

import numpy as np
from stable_baselines3.common.policies import BasePolicy

from popagents.common.checks import array_size, positive
from popagents.common.moments import Moments
from popagents.common.now import Now
from popagents.common.parameters import Parameters
from popagents.common.schedules import constant, geometric
from popagents.learners.algorithm import PopulationAlgorithm
from popagents.learners.conversation import Generation, Succession
from popagents.learners.es.centre import (
    centre_of,
    check_initial_std,
    check_moments,
    first_centre,
    nothing_seen,
    policy_parameters,
    size_of,
)
from popagents.learners.es.gradient_strategy import GradientState, GradientStrategy
from popagents.learners.settings import Shared
from popagents.population.design import Design
from popagents.population.low_rank import LowRankNoise
from popagents.population.noise import GaussianNoise
from popagents.population.normalization import normalizing
from popagents.population.workspace import Workspace
from popagents.rollout.jobs import Jobs, Request


@dataclass(frozen=True)
class ESState:
    """What evolution strategies hand on.

    Attributes:
        strategy: the centre and the optimiser's memory.
        moments: sums over all observations so far; of no input where these are not scaled.
    """

    strategy: GradientState
    moments: Moments


class ES(PopulationAlgorithm[ESState]):
    """Evolution strategies.

    A member is the *centre* plus sigma times noise. Every generation each member plays `episodes` episodes, always
    taking its likeliest action, and the centre climbs along the gradient that follows from their mean returns (see
    `GradientStrategy`). The centre is the policy that `predict` uses.

    Args:
        policy: a policy's name or class.
        env: a Gymnasium id, Gymnasium environment or vector environment, a PettingZoo parallel environment, or an SB3
            VecEnv.
        learning_rate: the optimiser's step size.
        population_size: members; even in mirrored sampling.
        final_learning_rate: falls geometrically to this at the end of `learn`; None keeps it constant.
        sigma: standard deviation of the noise.
        final_sigma: likewise.
        rank: None draws independent numbers, one a parameter. A number draws noise of this rank for each matrix:
            members share the product with the centre's matrix, and large networks act many times as fast; higher ranks
            cost more and come closer to independent numbers.
        mirrored: mirrored sampling: members 2i and 2i + 1 have the noise +e_i and -e_i.
        fitness_shaping: "ranks" (from -0.5 to 0.5, ties averaged) or "zscore".
        optimizer: "adam" or "sgd".
        episode_cutoff: steps after which an episode is cut off; None lets all of them end. What is met later adds to a
            return more of chance than of the member.
        final_episode_cutoff: rises (or falls) geometrically to this at the end of `learn`; None keeps it constant.
        normalize_observations: scale them by the mean and deviation of all that was seen in earlier generations,
            clipped at 5; the policy's features extractor must be SB3's FlattenExtractor, the default.
        initial_std: the centre begins with weights from normal(0, initial_std) and biases 0; None leaves it as the
            policy initialises itself.
        shared: episodes, policy_kwargs, tensorboard_log, verbose, seed, device; see `settings.Shared`.

    Raises:
        ValueError: a setting is out of its range.
    """

    samples: ClassVar[bool] = False

    def __init__(
        self,
        policy: Any,
        env: Any,
        learning_rate: Any = 0.02,
        *,
        population_size: int = 64,
        final_learning_rate: float | None = None,
        sigma: float = 0.05,
        final_sigma: float | None = None,
        rank: int | None = None,
        mirrored: bool = True,
        fitness_shaping: str = "ranks",
        optimizer: str = "adam",
        episode_cutoff: int | None = None,
        final_episode_cutoff: int | None = None,
        normalize_observations: bool = False,
        initial_std: float | None = None,
        **shared: Unpack[Shared],
    ) -> None:
        self.rank, self.mirrored = rank, bool(mirrored)
        self.sigma, self.final_sigma, self.final_learning_rate = sigma, final_sigma, final_learning_rate
        self.fitness_shaping, self.optimizer = fitness_shaping, optimizer
        self.episode_cutoff, self.final_episode_cutoff = episode_cutoff, final_episode_cutoff
        self.normalize_observations, self.initial_std = bool(normalize_observations), initial_std
        check_cutoffs(episode_cutoff, final_episode_cutoff)
        if rank is not None:
            array_size("rank", rank)
        check_initial_std(initial_std)
        self.strategy = GradientStrategy(
            population_size=population_size,
            sigma=sigma,
            final_sigma=final_sigma,
            learning_rate=constant(learning_rate),
            final_learning_rate=final_learning_rate,
            mirrored=self.mirrored,
            fitness_shaping=fitness_shaping,
            optimizer=optimizer,
        )
        super().__init__(
            policy, env, learning_rate=self.strategy.learning_rate, population_size=population_size, **shared
        )

    @property
    def centre(self) -> np.ndarray:
        """Return the centre: float32, (numbers,), in the order of the policy's parameters."""
        return self.loop.run.state.strategy.centre

    @property
    def design(self) -> Design:
        """Return the design of the centre and its members."""
        return self.workspace.designs[0]

    def make_workspace(self) -> Workspace:
        """Make the design and its noise."""
        design = Design(self.new_policy(0))
        noise = GaussianNoise(size_of(design)) if self.rank is None else LowRankNoise(design.shapes, self.rank)
        return Workspace([design], noise)

    def new_policy(self, design: int) -> BasePolicy:
        """Make a policy, which scales its observations where it shall."""
        policy = super().new_policy(design)
        return normalizing(policy) if self.normalize_observations else policy

    def initial_state(self) -> ESState:
        """Begin at the first centre."""
        centre = first_centre(self.design, self.initial_std, self.run_seed)
        return ESState(GradientState.at(centre), nothing_seen(self.design))

    def check_state(self, state: ESState) -> None:
        """Check the counts, and what the optimiser remembers."""
        super().check_state(state)
        state.strategy.check("state/strategy")
        check_moments(state.moments)

    def next_generation(self, state: ESState, now: Now) -> Generation[ESState]:
        """Let members play, and move the centre."""
        members = self.strategy.members(state.strategy, now, state.moments if self.normalize_observations else None)
        episodes = yield Request(members, self.jobs(now), moments=self.normalize_observations)
        fitness = episodes.fitness(self.population_size)
        moments = state.moments if episodes.moments is None else state.moments.merged(episodes.moments)
        assert self.workspace.noise is not None
        strategy = self.strategy.updated(state.strategy, members, fitness, now, self.workspace.noise)
        return Succession(ESState(strategy, moments), fitness, 0, members)

    @property
    def lineage_tells(self) -> bool:
        """Tell whether fitness is all that the centre follows; scales of observations are not in a lineage."""
        return not self.normalize_observations

    def retold(self, state: ESState, now: Now, rows: np.ndarray) -> ESState | None:
        """Move the centre by the fitness that is told."""
        if self.normalize_observations:
            return None
        members, noise = self.strategy.members(state.strategy, now), self.workspace.noise
        assert noise is not None
        strategy = self.strategy.updated(state.strategy, members, rows["fitness"].copy(), now, noise)
        return replace(state, strategy=strategy)

    def parameters_in(self, state: ESState, now: Now, member: int) -> tuple[int, Parameters]:
        """Draw a member around the centre."""
        assert self.workspace.noise is not None
        members = self.strategy.members(state.strategy, now)
        (vector,) = self.workspace.noise.vectors(members, np.array([member]))
        return 0, policy_parameters(self.design, vector, state.moments)

    def jobs(self, now: Now) -> Jobs:
        """Return what the members play, those of a mirrored pair the same."""
        everyone = np.arange(self.population_size)
        pairs = everyone - everyone % (1 + self.mirrored)
        return self.matchmaker(now).jobs(
            everyone, self.episodes, samples=self.samples, streams=pairs, cutoff=self.cutoff(now)
        )

    def cutoff(self, now: Now) -> int | None:
        """Return after how many steps a generation's episodes are cut off."""
        if self.episode_cutoff is None:
            return None
        return round(geometric(self.episode_cutoff, self.final_episode_cutoff, now.progress))

    def policy_of(self, state: ESState, member: int) -> tuple[int, Parameters]:
        """Return the centre, whoever was fittest."""
        return 0, policy_parameters(self.design, state.strategy.centre, state.moments)

    def started_from(self, state: ESState, parameters: Parameters) -> ESState:
        """Return a state whose centre has these parameters."""
        return replace(state, strategy=GradientState.at(centre_of(parameters)))


def check_cutoffs(first: int | None, last: int | None) -> None:
    """Check that the settings of the cut-off go together.

    Raises:
        ValueError: one is no whole number above 0, or it ends without a beginning.
    """
    for name, value in {"episode_cutoff": first, "final_episode_cutoff": last}.items():
        if value is not None:
            positive(name, value)
    if last is not None and first is None:
        raise ValueError(f"final_episode_cutoff is {last}, but episode_cutoff is None; say where it begins")
