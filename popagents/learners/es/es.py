"""Evolution strategies: follow the gradient of fitness smoothed by Gaussian noise in the space of parameters.

T. Salimans, J. Ho, X. Chen, S. Sidor, I. Sutskever (2017), "Evolution strategies as a scalable alternative to
reinforcement learning", https://arxiv.org/abs/1703.03864; mirrored sampling: D. Brockhoff et al. (2010), "Mirrored
sampling and sequential selection for evolution strategies".

Differs from the source:
- ties share their rank, and a generation whose members are all equal moves nothing;
- the two members of a mirrored pair play the same episodes (common random numbers);
- weight decay is decoupled from the gradient, and learning rate and sigma may fall geometrically;
- the noise is a function of (run seed, generation, member), drawn twice and never stored; it may be of low rank, so
  that the members of a large network share most of their arithmetic (see `low_rank.py`);
- episodes may be cut off after steps that grow geometrically, or follow their mean length as the source's do;
- instead of climbing, the centre may move to the best member: the (mu + lambda) strategy of I. Rechenberg (1973),
  "Evolutionsstrategie", and H.-P. Schwefel (1981), "Numerical optimization of computer models", whose candidates play
  again before any is chosen, as in F. P. Such et al. (2017), "Deep neuroevolution",
  https://arxiv.org/abs/1712.06567. It goes on where fitness is too rugged to have a slope.
"""

from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import BasePolicy

from popagents.common.checks import between, choice, positive
from popagents.common.lineage import Transmission
from popagents.common.randomness import Purpose, generator, keys
from popagents.common.schedules import constant, geometric
from popagents.learners.base import PopulationAlgorithm
from popagents.learners.es.election import check_election, elect, played
from popagents.learners.es.fitness_shaping import FITNESS_SHAPING
from popagents.learners.updates.adam import adam_step
from popagents.population.low_rank import LowRankNoise, LowRankStack
from popagents.population.noise import GaussianNoise, SparseNoise
from popagents.population.normalization import Moments, NormalizedFlatten, normalizing
from popagents.population.population import Stack
from popagents.rollout.play import Lives, RandomPlayers

OPTIMIZERS = ("adam", "sgd", "elitist")
NOISES = ("gaussian", "low_rank", "sparse")


class ES(PopulationAlgorithm):
    """Evolution strategies.

    A member is the *centre* theta plus sigma times standard normal noise e_m. Every generation each member plays
    `episodes_per_member` episodes, always taking its likeliest action; with the utilities u of their mean returns the
    centre climbs along

        g = 1 / (population_size sigma) sum_m u_m e_m

    by `optimizer`, after shrinking by `learning_rate * weight_decay`. In mirrored sampling members 2i and 2i + 1 have
    the noise +e_i and -e_i. The centre is the policy that `predict` uses.

    With the `elitist` optimizer there is no slope: the first members stand at the `parents` themselves, of which the
    centre is the best, and the others have noise around one parent or another. The better half of these others, and the
    parents, play as many episodes again as they have, on common seeds; then the better half of these; once there are no
    more of them than `parents`, the fittest of both are the next parents. One who played as a fitter one did, point for
    point and step for step, only becomes a parent where there is nobody else.

    Args:
        policy: a policy's name or class.
        env: a Gymnasium id, Gymnasium environment or vector environment, or an SB3 VecEnv.
        population_size: members; even in mirrored sampling.
        sigma: standard deviation of the noise.
        final_sigma: falls geometrically to this at the end of `learn`; None keeps it constant.
        learning_rate: the optimiser's step size.
        final_learning_rate: likewise.
        noise: "gaussian", independent numbers, one a parameter; or "low_rank", where each matrix gets the product of
            two thin ones: members share the product with the centre's matrix, and large networks act many times as
            fast (see `popagents.population.low_rank`).
            "sparse" changes a few parameters only, for the elitist optimizer (see `popagents.population.noise`).
        rank: of the low-rank noise; higher ones cost more and come closer to the Gaussian.
        density: of sparse noise; the largest share of the parameters that a member changes.
        mirrored: mirrored sampling.
        fitness_shaping: "ranks" (from -0.5 to 0.5, ties averaged) or "zscore".
        optimizer: "adam", "sgd" or "elitist".
        parents: of the elitist optimizer. With one, a (1 + lambda) strategy, the parent is judged anew in every
            generation; of several, each by all that it has played since it was born, so that who only was lucky falls
            behind. Low-rank noise knows one parent.
        reduction_factor: of the elitist optimizer: instead of the better half, one in so many plays again.
        weight_decay: share of the centre that an update with learning rate 1 would take away.
        episodes_per_member: episodes per member and generation.
        steps_per_generation: episodes are played again, `episodes_per_member` each, until a generation has taken so
            many steps: short episodes, early in a run, become many. None plays them once.
        episode_cutoff: steps after which an episode is cut off; None lets all of them end. What is met later adds to a
            return more of chance than of the member.
        final_episode_cutoff: rises (or falls) geometrically to this at the end of `learn`; None keeps it constant.
        adaptive_cutoff: from the second generation on the cut-off is twice the mean length of the episodes before.
        normalize_observations: scale them by the mean and deviation of all that was seen in earlier generations,
            clipped at 5; the policy's features extractor must be SB3's FlattenExtractor, the default. The elitist
            optimizer keeps the scales it finds, since others would change who won; it begins with those of
            `episodes_per_member` episodes of random play a member, whose steps count.
        initial_std: the centre begins with weights from normal(0, initial_std) and biases 0; None leaves it as the
            policy initialises itself.
        policy_kwargs: keywords for the policy.
        tensorboard_log, verbose, seed, device: as in SB3.

    Attributes:
        centre: float32, (parameters,), in the order of the policy's parameters.
        breeders: float32, (parents, parameters), from whom the next generation comes, the centre first.

    Raises:
        ValueError: a setting is out of its range.
    """

    centre: np.ndarray
    breeders: np.ndarray
    _past: np.ndarray  # episodes and points of the parents in earlier generations, float64, (2, parents)
    several_designs = False
    samples = False
    stores_members = False

    def __init__(
        self,
        policy: Any,
        env: Any,
        learning_rate: Any = 0.02,
        *,
        population_size: int = 64,
        sigma: float = 0.05,
        final_sigma: float | None = None,
        final_learning_rate: float | None = None,
        noise: str = "gaussian",
        rank: int = 1,
        density: float = 0.05,
        mirrored: bool = True,
        fitness_shaping: str = "ranks",
        optimizer: str = "adam",
        parents: int = 1,
        reduction_factor: int = 2,
        weight_decay: float = 0.0,
        episodes_per_member: int = 1,
        steps_per_generation: int | None = None,
        episode_cutoff: int | None = None,
        final_episode_cutoff: int | None = None,
        adaptive_cutoff: bool = False,
        normalize_observations: bool = False,
        initial_std: float | None = None,
        policy_kwargs: Any = None,
        tensorboard_log: str | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: Any = "auto",
        _init_setup_model: bool = True,
    ) -> None:
        if population_size < 2 or (mirrored and population_size % 2):
            raise ValueError(
                f"population_size is {population_size}; it must be 2 or more, and mirrored sampling needs an even "
                f"number, for example {max(2, population_size + population_size % 2)}"
            )
        positive("episodes_per_member", episodes_per_member)
        self.sigma = between("sigma", sigma, 0, 100)
        self.final_sigma = final_sigma
        self.weight_decay = between("weight_decay", weight_decay, 0, 1, open_low=False)
        self.initial_std = initial_std
        if initial_std is not None:
            between("initial_std", initial_std, 0, 100, open_low=False)
        self.noise = choice("noise", noise, NOISES)
        self.rank = rank
        positive("rank", rank)
        self.density = between("density", density, 0, 1)
        self.mirrored = bool(mirrored)
        self.fitness_shaping = choice("fitness_shaping", fitness_shaping, FITNESS_SHAPING)
        self.optimizer = choice("optimizer", optimizer, OPTIMIZERS)
        if noise == "sparse" and optimizer != "elitist":
            raise ValueError(
                f"noise is 'sparse' and optimizer {optimizer!r}; sparse mutations have no gradient to follow: give "
                "optimizer='elitist', or another noise"
            )
        self.parents, self.reduction_factor = parents, reduction_factor
        check_election(parents, reduction_factor, population_size, noise, optimizer)
        self.normalize_observations = bool(normalize_observations)
        self.episodes_per_member = episodes_per_member
        self.steps_per_generation = steps_per_generation
        self.episode_cutoff, self.final_episode_cutoff = episode_cutoff, final_episode_cutoff
        for name in ("steps_per_generation", "episode_cutoff", "final_episode_cutoff"):
            if getattr(self, name) is not None:
                positive(name, getattr(self, name))
        self.adaptive_cutoff = bool(adaptive_cutoff)
        check_cutoffs(episode_cutoff, final_episode_cutoff, self.adaptive_cutoff)
        first = constant(learning_rate)
        self.final_learning_rate = final_learning_rate
        for name in ("final_learning_rate", "final_sigma"):
            if getattr(self, name) is not None:
                between(name, getattr(self, name), 0, 100)
        super().__init__(
            policy,
            env,
            first,
            population_size,
            episodes_per_member,
            1,  # no exam chooses a champion: the centre is it
            policy_kwargs,
            tensorboard_log,
            verbose,
            seed,
            device,
            _init_setup_model,
        )

    def _setup_model(self) -> None:
        super()._setup_model()
        (self._stack,) = self.population.stacks
        if self.initial_std is not None:
            self._stack.randomize(generator(self.run_seed, Purpose.WEIGHTS), self.initial_std)
        self._around: GaussianNoise | LowRankNoise
        if self.noise == "low_rank":
            self._around = LowRankNoise(self._stack)  # type: ignore[arg-type]
        elif self.noise == "sparse":
            self._around = SparseNoise(self._stack, self.density)
        else:
            self._around = GaussianNoise(self._stack)
        self._centre_on(self._stack.vector(0))
        self._first, self._second, self._updates = np.zeros_like(self.centre), np.zeros_like(self.centre), 0
        self._elected = np.arange(self.parents)
        self._mean_length = 0.0  # of the last generation's episodes (steps)
        self._seen = Moments(1, self._scaler.features_dim if self.normalize_observations else 0)

    def start_from(self, policy: BasePolicy) -> None:
        """Let the centre begin with the weights of a trained SB3 policy, for example `PPO(...).policy`."""
        super().start_from(policy)
        self._centre_on(self._stack.vector(0))

    # ---------------------------------------------------------------- a generation

    def live(self, candidates: np.ndarray, hook: BaseCallback) -> Lives | None:
        """Let the members play around the centre; outside of a generation all of them stand at it."""
        for i, (owner, key) in enumerate(zip(*self._owners(), strict=True)):
            parent = {"parent": self.breeders[i % self.parents]} if self.parents > 1 else {}
            self._around.scatter(np.arange(owner, owner + 1 + self.mirrored), key, self._sigma_now(), **parent)
        if self.optimizer == "elitist":
            self._around.recall(0)
            for member in range(1, self.parents):
                self._stack.set_vector(member, self.breeders[member])
        lives = None
        try:
            if not self.normalize_observations or self._scales_ready(hook):
                lives = self._rounds(candidates, hook)
            if lives is not None and self.optimizer == "elitist":
                lives = self._elect(lives, hook)
        finally:
            if lives is None:  # stopped or failed
                self._around.gather(self.centre)
        return lives

    def _scales_ready(self, hook: BaseCallback) -> bool:
        """Count what is seen, for the scales, or play at random to have them; False if a callback stopped it.

        The elitist optimizer compares the centre with its members for as long as it lives, so that its scales may not
        move: they are those of random play, and stand before the first member is judged, as in Y. Burda et al. (2018),
        "Exploration by random network distillation". Unscaled bytes, say, would elect another policy.
        """
        elitist = self.optimizer == "elitist"
        if elitist and self._seen.counts.any():
            return True
        self._moments = Moments(self.population_size * self.episodes, self._scaler.features_dim)
        self.watch = self._moments.add
        if not elitist:
            return True
        everyone = np.arange(self.population_size)
        lives = self.episodes_of(RandomPlayers(self.population.actions), everyone, hook, samples=True)
        self.watch = None
        if lives is not None:
            self._scaler.describe(self._moments)
        return lives is not None

    def _rounds(self, candidates: np.ndarray, hook: BaseCallback) -> Lives | None:
        """Let the candidates play until the generation's steps are taken; None if a callback stopped it."""
        lives = self.episodes_of(self.population, candidates, hook)
        rounds = 1
        while lives is not None and lives.lengths.sum() < (self.steps_per_generation or 0):
            more = self.episodes_of(self.population, candidates, hook, rounds * self.episodes)
            lives = None if more is None else lives.joined(more)
            rounds += 1
        return lives

    def tell(self, candidates: np.ndarray, lives: Lives) -> tuple[np.ndarray, np.ndarray, Transmission]:
        """Move the centre along the estimated gradient, or to the elected member."""
        elitist = self.optimizer == "elitist"
        if elitist:
            breeders = [self._stack.vector(int(member)) for member in self._elected]
        else:
            utilities = FITNESS_SHAPING[self.fitness_shaping](lives.fitness(self.population_size))
            if utilities.any():
                self._climb(self._gradient(utilities))
            breeders = [self.centre]
        if self.normalize_observations and not (elitist and self._seen.counts.any()):
            self._seen = self._seen.merged(self._moments)
            self._scaler.describe(self._seen)
        self._mean_length = float(lives.lengths.mean())
        past = played(lives, self.population_size, self._past)[:, self._elected] if self.parents > 1 else self._past
        self._centre_on(*breeders)
        self._past = past
        nobody = np.full(self.population_size, -1)
        return nobody, nobody, Transmission.NONE

    def stream(self, members: np.ndarray) -> np.ndarray:
        """Return whose random numbers each member's episodes use: a mirrored pair shares them."""
        return members - members % 2 if self.mirrored else members

    @property
    def cutoff(self) -> int | None:
        """Return after how many steps this generation's episodes are cut off."""
        if self.episode_cutoff is None:
            return None
        if self.adaptive_cutoff and self._mean_length:
            return round(2 * self._mean_length)
        return round(geometric(self.episode_cutoff, self.final_episode_cutoff, self.progress))

    def _owners(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the members that have noise of their own, and the keys that it is drawn from."""
        owners = np.arange(0, self.population_size, 1 + self.mirrored)
        return owners, keys(self.run_seed, Purpose.NOISE, self.generation, owners)

    def _gradient(self, utilities: np.ndarray) -> np.ndarray:
        """Return g, float32 (parameters,)."""
        owners, drawn_from = self._owners()
        weights = utilities[owners] - utilities[owners + 1] if self.mirrored else utilities
        sigma = self._sigma_now()
        return self._around.total(drawn_from, weights, sigma) / np.float32(self.population_size * sigma**2)

    def _climb(self, gradient: np.ndarray) -> None:
        rate = geometric(float(self.learning_rate), self.final_learning_rate, self.progress)  # type: ignore[arg-type]
        centre = self.centre * np.float32(1 - rate * self.weight_decay)
        if self.optimizer == "sgd":
            self.centre = centre + np.float32(rate) * gradient
            return
        first, second = self._first.copy(), self._second.copy()
        adam_step(centre, -gradient, first, second, rate, self._updates + 1)
        self.centre, self._first, self._second, self._updates = centre, first, second, self._updates + 1

    def _elect(self, lives: Lives, hook: BaseCallback) -> Lives | None:
        """Elect the next parents; return all that was lived, None if a callback stopped it."""

        def sit(finalists: np.ndarray, papers: np.ndarray) -> Lives | None:
            return self.sit(finalists, papers, self._training_slots(), lambda step: self._after(step, hook))

        done = elect(lives, sit, self.population_size, self._past, self.reduction_factor)
        if done is None:
            return None
        lives, self._elected = done
        return lives

    def _sigma_now(self) -> float:
        return geometric(self.sigma, self.final_sigma, self.progress)

    # ---------------------------------------------------------------- the centre is the policy

    def _centre_on(self, *breeders: np.ndarray) -> None:
        """Let the next generation come from these, the centre first; they repeat if there are too few."""
        self.breeders = np.resize(np.stack(breeders), (self.parents, len(breeders[0])))
        self.centre = self.breeders[0]
        self._past = np.zeros((2, self.parents))
        self._around.gather(self.centre)
        self._crown(0)

    def _crown(self, member: int) -> None:
        """Make the centre the policy, whoever was fittest."""
        super()._crown(0)
        if self.normalize_observations:
            self.policy.features_extractor.load_state_dict(self._scaler.state_dict())

    def _examine(self) -> None:
        """Leave out the exam: there is but one candidate."""

    def _new_stack(self, template: BasePolicy, size: int) -> Stack:
        return LowRankStack(template, size, self.rank) if self.noise == "low_rank" else Stack(template, size)

    def _new_policy(self, design: int) -> BasePolicy:
        policy = super()._new_policy(design)
        return normalizing(policy) if self.normalize_observations else policy

    @property
    def _scaler(self) -> NormalizedFlatten:
        return self.population.stacks[0].template.features_extractor  # type: ignore[return-value]

    # ---------------------------------------------------------------- files

    def learner_arrays(self) -> dict[str, np.ndarray]:
        """Return the parents, the centre first, the optimiser's memory, how long episodes were and what was seen."""
        adam = {"first": self._first, "second": self._second, "updates": np.array([self._updates])}
        return (
            {"breeders": self.breeders, "past": self._past, "mean_length": np.array([self._mean_length])}
            | adam
            | self._seen.arrays()
        )

    def set_learner_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Take back what `learner_arrays` returned."""
        self._first, self._second, self._updates = arrays["first"], arrays["second"], int(arrays["updates"][0])
        self._mean_length = float(arrays["mean_length"][0])
        if self.normalize_observations:
            self._seen = Moments.of(arrays)
            self._scaler.describe(self._seen)
        self._centre_on(*arrays["breeders"])
        if len(arrays["breeders"]) == self.parents:
            self._past = arrays["past"]


def check_cutoffs(first: int | None, last: int | None, adaptive: bool) -> None:
    """Check that the settings of the cut-off go together.

    Raises:
        ValueError: it ends or adapts without a beginning, or adapts toward an end.
    """
    if last is not None and first is None:
        raise ValueError(f"final_episode_cutoff is {last}, but episode_cutoff is None; say where it begins")
    if adaptive and (first is None or last is not None):
        raise ValueError(
            f"adaptive_cutoff is True, episode_cutoff {first} and final_episode_cutoff {last}; give episode_cutoff, "
            "with which it begins, and leave final_episode_cutoff out"
        )
