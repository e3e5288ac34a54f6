"""An elitist evolution strategy on an environment, which goes on where fitness is too rugged to have a slope.

The (mu + lambda) strategy of `elitist_strategy.py`, whose candidates play again before any is chosen, as in F. P. Such
et al. (2017), "Deep neuroevolution", https://arxiv.org/abs/1712.06567. Differs from the source:
- candidates are dropped by sequential halving (`sequential_halving.py`);
- one who played as a fitter one did, point for point and step for step, becomes a parent only where there is nobody
  else;
- mutations may be sparse.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Unpack

import numpy as np
from stable_baselines3.common.policies import BasePolicy

from popagents.common.checks import between
from popagents.common.lineage import Transmission
from popagents.common.moments import Moments
from popagents.common.now import Now
from popagents.common.parameters import Parameters, form_of
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
from popagents.learners.es.elitist_strategy import ElitistState, ElitistStrategy
from popagents.learners.es.sequential_halving import Election, Judged, sequential_halving
from popagents.learners.settings import Shared, refuse_learning_rate
from popagents.learners.state_checks import within
from popagents.population.design import Design
from popagents.population.noise import GaussianNoise, Perturbed, SparseNoise
from popagents.population.normalization import normalizing
from popagents.population.random_players import RandomPlayers
from popagents.population.workspace import Workspace
from popagents.rollout.jobs import Conversation, Jobs, Request


@dataclass(frozen=True)
class ElitistESState:
    """What an elitist evolution strategy hands on.

    Attributes:
        strategy: the parents, and what they have played.
        moments: sums over the observations of random play before the first generation; of no input where observations
            are not scaled.
    """

    strategy: ElitistState
    moments: Moments


class ElitistES(PopulationAlgorithm[ElitistESState]):
    """The (mu + lambda) evolution strategy with sequential halving.

    The first members stand at the `n_parents` parents, the others have noise around one parent or another. Every
    generation each member plays `episodes` episodes, always taking its likeliest action. The better half of the others,
    and the parents, play as many episodes again as they have, on common seeds; then the better half of these; once
    there are no more of them than parents, the fittest of both are the next parents. The fittest parent is the policy
    that `predict` uses.

    Args:
        policy: a policy's name or class.
        env: a Gymnasium id, Gymnasium environment or vector environment, a PettingZoo parallel environment, or an SB3
            VecEnv.
        population_size: members, even.
        n_parents: with one, the parent is judged anew in every generation; of several, each by all that it has played
            since it was born.
        reduction_factor: instead of the better half, one in so many plays again; 2 or more.
        sigma: standard deviation of the noise.
        final_sigma: falls geometrically to this at the end of `learn`; None keeps it constant.
        density: None changes every parameter; a share above 0 and at most 1 changes from one to that share of them,
            drawn by lot (see `SparseNoise`).
        normalize_observations: scale them by their mean and deviation, clipped at 5; the policy's features extractor
            must be SB3's FlattenExtractor, the default. Other scales would change who won, so they are those of
            `episodes` episodes of random play a member before anybody is judged, as in Y. Burda et al. (2018),
            "Exploration by random network distillation"; the steps count.
        initial_std: the parents begin with weights from normal(0, initial_std) and biases 0; None leaves them as the
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
        *,
        population_size: int = 64,
        n_parents: int = 1,
        reduction_factor: int = 2,
        sigma: float = 0.05,
        final_sigma: float | None = None,
        density: float | None = None,
        normalize_observations: bool = False,
        initial_std: float | None = None,
        **shared: Unpack[Shared],
    ) -> None:
        refuse_learning_rate(shared, "an elitist strategy has none: set sigma, how far a member is from its parent")
        self.n_parents, self.reduction_factor = n_parents, reduction_factor
        self.sigma, self.final_sigma, self.density = sigma, final_sigma, density
        self.normalize_observations, self.initial_std = bool(normalize_observations), initial_std
        if not isinstance(reduction_factor, int) or reduction_factor < 2:
            raise ValueError(f"reduction_factor is {reduction_factor}; it must be a whole number of 2 or more")
        if density is not None:
            between("density", density, 0, 1)
        check_initial_std(initial_std)
        self.strategy = ElitistStrategy(population_size, n_parents, sigma, final_sigma)
        super().__init__(policy, env, learning_rate=1.0, population_size=population_size, **shared)

    @property
    def centre(self) -> np.ndarray:
        """Return the fittest parent: float32, (numbers,), in the order of the policy's parameters."""
        return self.loop.run.state.strategy.parents[0]

    @property
    def design(self) -> Design:
        """Return the design of the parents and members."""
        return self.workspace.designs[0]

    def make_workspace(self) -> Workspace:
        """Make the design and its noise."""
        design = Design(self.new_policy(0))
        numbers = size_of(design)
        noise = GaussianNoise(numbers) if self.density is None else SparseNoise(numbers, self.density)
        return Workspace([design], noise)

    def new_policy(self, design: int) -> BasePolicy:
        """Make a policy, which scales its observations where it shall."""
        policy = super().new_policy(design)
        return normalizing(policy) if self.normalize_observations else policy

    def initial_state(self) -> ElitistESState:
        """Begin with parents that are all alike."""
        centre = first_centre(self.design, self.initial_std, self.run_seed)
        return ElitistESState(ElitistState.at(centre, self.n_parents), nothing_seen(self.design))

    def state_form(self) -> ElitistESState:
        """Return a state that takes no memory a parameter."""
        (parents,) = form_of({"": (size_of(self.design),)}, self.n_parents).values()
        n = self.n_parents
        return ElitistESState(ElitistState(parents, np.zeros(n, np.int64), np.zeros(n)), nothing_seen(self.design))

    def check_state(self, state: ElitistESState) -> None:
        """Check the counts."""
        super().check_state(state)
        within(state.strategy.episodes, "state/strategy/episodes")
        check_moments(state.moments)

    def next_generation(self, state: ElitistESState, now: Now) -> Generation[ElitistESState]:
        """Let members play until the next parents are left."""
        moments = yield from self.moments_of_random_play(state.moments, now)
        members = self.strategy.members(state.strategy, now, moments if self.normalize_observations else None)
        election = yield from self.select_parents(members, state.strategy, now)
        best = election.best
        assert self.workspace.noise is not None
        parents = self.workspace.noise.vectors(members, best)
        strategy = self.strategy.updated(parents, election.episodes[best], election.points[best])
        elders = best[members.parent]  # whom the next generation's members stand at or around
        state = ElitistESState(strategy, moments)
        return Succession(state, election.fitness, 0, members, elders, transmission=Transmission.BIRTH)

    @property
    def lineage_tells(self) -> bool:
        """Tell whether parents are all that is handed on; scales of observations are not in a lineage."""
        return not self.normalize_observations

    def retold(self, state: ElitistESState, now: Now, rows: np.ndarray) -> ElitistESState | None:
        """Take those as parents around whom the lineage says that the next members stand."""
        if self.normalize_observations and not state.moments.counts.any():
            return None
        assert self.workspace.noise is not None
        best, nothing = rows["parent"][: self.n_parents], np.zeros(self.n_parents)
        parents = self.workspace.noise.vectors(self.strategy.members(state.strategy, now), best)
        return replace(state, strategy=self.strategy.updated(parents, nothing.astype(np.int64), nothing))

    def parameters_in(self, state: ElitistESState, now: Now, member: int) -> tuple[int, Parameters]:
        """Draw a member around its parent.

        Raises:
            ValueError: it is one of the first generation, and scales are not known before that is played.
        """
        if self.normalize_observations and not state.moments.counts.any():
            raise ValueError(
                "the scales of generation 0 come of random play in it; ask for generation 1, whose first "
                f"{self.n_parents} members are the best of generation 0"
            )
        assert self.workspace.noise is not None
        members = self.strategy.members(state.strategy, now)
        (vector,) = self.workspace.noise.vectors(members, np.array([member]))
        return 0, policy_parameters(self.design, vector, state.moments)

    def moments_of_random_play(self, moments: Moments, now: Now) -> Conversation[Moments]:
        """Let random players see what observations are scaled by, unless that is known or nothing is scaled."""
        if not self.normalize_observations or moments.counts.any():
            return moments
        played = yield Request(RandomPlayers(), self.jobs(now, samples=True), moments=True)
        assert played.moments is not None
        return moments.merged(played.moments)

    def select_parents(self, members: Perturbed, parents: ElitistState, now: Now) -> Conversation[Election]:
        """Let all members play, then ever fewer, until no more than the parents are left."""

        def again(finalists: np.ndarray, numbers: np.ndarray) -> Request:
            return Request(members, self.matchmaker(now).evaluation_jobs(finalists, numbers))

        judged = Judged.of((yield Request(members, self.jobs(now, samples=self.samples))))
        past = parents.episodes, parents.points
        keys = now.rank_keys(self.population_size)
        return (yield from sequential_halving(judged, again, keys, *past, self.reduction_factor))

    def jobs(self, now: Now, samples: bool) -> Jobs:
        """Return what all members play, two neighbours the same; with samples, actions are drawn."""
        everyone = np.arange(self.population_size)
        return self.matchmaker(now).jobs(everyone, self.episodes, samples=samples, streams=everyone - everyone % 2)

    def policy_of(self, state: ElitistESState, member: int) -> tuple[int, Parameters]:
        """Return the fittest parent, whoever was fittest in this generation."""
        return 0, policy_parameters(self.design, state.strategy.parents[0], state.moments)

    def started_from(self, state: ElitistESState, parameters: Parameters) -> ElitistESState:
        """Return a state whose parents all have these parameters."""
        return replace(state, strategy=ElitistState.at(centre_of(parameters), self.n_parents))

    def with_champion(self, state: ElitistESState, member: int, parameters: Parameters) -> ElitistESState:
        """Return a state whose fittest parent has these parameters, with which nobody has played."""
        return replace(state, strategy=state.strategy.with_first(centre_of(parameters)))
