"""A genetic algorithm over lifetimes: the Baldwin effect, and its relatives.

Seed system 4 of this zoo (a published study of the Baldwin effect in Harlow's experiment), after J. M. Baldwin (1896),
"A new factor in evolution", and G. Hinton and S. Nowlan (1987), "How learning can guide evolution". Differs from the
source:
- children are copies: mutating one leaves its parents as they were;
- each hyperparameter is clipped to its own range (the source clips the costs from the discount);
- `inheritance`: the source is "baldwin"; `reevaluate`, `elites` and `replacement="worst"` are ours;
- any Gymnasium task; policies without a critic evolve by "darwin".
"""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import BasePolicy

from popagents.common.checks import between, choice, positive
from popagents.common.lineage import Transmission
from popagents.common.randomness import Purpose, episode_seeds, generator, keys
from popagents.learners.base import PopulationAlgorithm
from popagents.learners.genetic.genetic_settings import INHERITANCE, REPLACEMENT, checked_hyperparameters, checked_sizes
from popagents.learners.genetic.operators import (
    Births,
    crossover,
    gaussian_mutation,
    parents_of,
    pool_of,
    replaced,
    self_adapted,
)
from popagents.learners.updates.a2c import Hyperparameters, Minds, add_critic
from popagents.learners.updates.compiled_a2c import minds_of
from popagents.learners.updates.lifetime import Lifetime
from popagents.population.policies import make_policy
from popagents.population.population import Population, Stack
from popagents.population.recurrent import RecurrentPolicy
from popagents.rollout.play import Lives, Step
from popagents.rollout.problems import pinning
from popagents.rollout.slots import Slots


class Genetic(PopulationAlgorithm):
    """A genetic algorithm whose members may learn during their lives.

    Every generation `n_offspring` children are born: each has two parents, drawn from `n_parents` that are drawn from
    the best `tournament_size` members; each of its layers is one parent's, by a coin, plus normal(0, `mutation_std`);
    so are its hyperparameters, within their ranges. Children take the places of other members and live. What a life is,
    and what of it children inherit, is

        darwin    episodes; children inherit the weights that a parent was born with
        baldwin   a lifetime of learning; children inherit the weights that a parent was born with
        lamarck   a lifetime of learning; children inherit what a parent had learned at its end

    In a lifetime (see `lifetime.py`) a member meets `n_tasks` problems side by side. On each it starts from its
    birth weights, makes `n_updates` steps of A2C (see `a2c.py`), one an episode, and plays one more episode;
    its fitness is the sum of these last returns. What it has learned is the mean over its problems.

    Args:
        policy: a policy's name or class; "RecurrentPolicy" or an SB3 `ActorCriticPolicy` where members learn.
        env: a Gymnasium id, Gymnasium environment or vector environment, or an SB3 VecEnv.
        inheritance: "darwin", "baldwin" or "lamarck".
        population_size: members.
        tournament_size: how many of the best may become parents.
        n_parents: drawn from these in each generation.
        n_offspring: children in each generation; in the first everybody lives.
        mutation_std: of the noise on every parameter of a child.
        replacement: children take the places of "random" members or of the "worst".
        elites: how many of the best keep their places.
        reevaluate: whether the tournament lives again in each generation; scores are then means over lives.
        episodes: episodes in a generation, or lifetimes; fitness is their mean.
        n_tasks: problems in a lifetime. (A recurrent policy lives lifetimes under "darwin", too, without learning.)
        n_updates: episodes that are learned from on each problem.
        tasks_together: whether all problems of a lifetime share one mind, each step of learning being the mean over
            them; otherwise each problem starts from the birth weights.
        pin_problems: True: every life keeps one problem (see `problems.py`); None: where the environment names
            problems, elsewhere each life has only its seeds; False: every episode may bring another.
        evaluation_options: for the reset of the episode that counts; {"n_trials": 20} in Harlow's experiment.
        hyperparameters: by name ("learning_rate", "discount", "value_cost", "entropy_cost"): first value, standard
            deviation of the noise on a child's, smallest and largest value. What is not named stays as in the source.
        champion_episodes, policy_kwargs, tensorboard_log, verbose, seed, device: see `PopulationAlgorithm`.

    Attributes:
        hyperparameters_of: float64, (members, 4), in the order above.
        drift: float64, (generations, 4, 3): each hyperparameter's mean, smallest and largest value.
        diverged: lives whose weights became infinite or NaN; their members got the worst fitness of their generation.

    Raises:
        ValueError: a setting is out of its range, or the policy cannot learn.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        **PopulationAlgorithm.policy_aliases,
        "RecurrentPolicy": RecurrentPolicy,
    }
    several_designs = False

    def __init__(
        self,
        policy: Any,
        env: Any,
        *,
        inheritance: str = "darwin",
        population_size: int = 50,
        tournament_size: int = 20,
        n_parents: int = 4,
        n_offspring: int = 5,
        mutation_std: float = 0.02,
        replacement: str = "random",
        elites: int = 0,
        reevaluate: bool = False,
        episodes: int = 1,
        n_tasks: int = 10,
        n_updates: int = 25,
        tasks_together: bool = False,
        pin_problems: bool | None = None,
        evaluation_options: dict[str, Any] | None = None,
        hyperparameters: dict[str, Any] | None = None,
        champion_episodes: int = 20,
        policy_kwargs: Any = None,
        tensorboard_log: str | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: Any = "auto",
        _init_setup_model: bool = True,
    ) -> None:
        self.inheritance = choice("inheritance", inheritance, INHERITANCE)
        self.replacement = choice("replacement", replacement, REPLACEMENT)
        for name, value in {"n_parents": n_parents, "n_tasks": n_tasks, "n_updates": n_updates}.items():
            positive(name, value)
        self.n_parents, self.n_tasks, self.n_updates = int(n_parents), int(n_tasks), int(n_updates)
        self.tournament_size, self.n_offspring, self.elites = checked_sizes(
            population_size, tournament_size, n_offspring, elites
        )
        self.mutation_std = between("mutation_std", mutation_std, 0, 100, open_low=False)
        self.reevaluate = bool(reevaluate)
        self.tasks_together = bool(tasks_together)
        self.pin_problems = pin_problems
        self.evaluation_options = dict(evaluation_options or {})
        self.hyperparameters = checked_hyperparameters(hyperparameters or {})
        super().__init__(
            policy,
            env,
            self.hyperparameters["learning_rate"][0],
            population_size,
            episodes,
            champion_episodes,
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
        learns = self.inheritance != "darwin"
        self._lives_lifetimes = learns or isinstance(self._stack.template, RecurrentPolicy)
        self._lifetime = Lifetime(self.n_updates if learns else 0, self.pin_problems, self.evaluation_options)
        self._living = Population([self._stack.template], self.population_size)  # with this generation's children
        if self._lives_lifetimes:
            for stack in (self._stack, self._living.stacks[0]):
                add_critic(stack)
        elif self.pin_problems or self.evaluation_options:
            raise ValueError(
                f"pin_problems is {self.pin_problems} and evaluation_options are {self.evaluation_options}, but nobody "
                "lives a lifetime; leave them out, take RecurrentPolicy, or let members learn: inheritance='baldwin'"
            )
        self._be_newcomers()
        self._settings = np.array(list(self.hyperparameters.values())).T  # first values, deviations, lows, highs
        self.hyperparameters_of = np.tile(self._settings[0], (self.population_size, 1))
        self._judged = np.zeros(self.population_size, np.int64)  # times that each member's score counts
        self._drift: list[np.ndarray] = []
        self.diverged = self._diverging = 0
        self._crown(0)

    def _be_newcomers(self) -> None:
        """Give every member weights of its own, as its policy draws them."""
        policy_class, kwargs = self.designs[0]
        for member, key in enumerate(keys(self.run_seed, Purpose.WEIGHTS, 0, np.arange(self.population_size))):
            spaces, seed = (self.observation_space, self.action_space), int(key % np.uint64(2**63))
            policy = make_policy(policy_class, *spaces, self.lr_schedule, kwargs, seed)
            weights = dict(policy.named_parameters())
            for name, values in self._stack.parameters.items():
                values[member] = weights[name].detach().numpy()

    @property
    def drift(self) -> np.ndarray:
        """Return how the hyperparameters moved: float64, (generations, 4, 3)."""
        return np.array(self._drift).reshape(-1, len(self.hyperparameters), 3)

    @property
    def lives_at_once(self) -> int:
        """Return how many slots are made for an environment given by its id: also one a child and problem to learn."""
        return max(self.population_size, 0 if self.inheritance == "darwin" else self.n_offspring * self.n_tasks)

    # ---------------------------------------------------------------- a generation

    def ask(self) -> np.ndarray:
        """Return the places of this generation's children, and the tournament if it is re-evaluated."""
        if self.generation == 0:
            return super().ask()
        places = self._births(self.fitness, self.generation).places
        return np.union1d(places, pool_of(self.fitness, self.tournament_size)) if self.reevaluate else places

    def _births(self, fitness: np.ndarray, generation: int) -> Births:
        """Say who is born to whom, and where; a function of the generation before alone."""
        rng = generator(self.run_seed, Purpose.BIRTH, generation)
        pool = pool_of(fitness, self.tournament_size)
        first, second = parents_of(pool, self.n_parents, self.n_offspring, rng)
        return Births(replaced(fitness, self.n_offspring, self.replacement, self.elites, rng), first, second)

    def live(self, candidates: np.ndarray, hook: BaseCallback) -> Lives | None:
        """Let children be born, and the candidates live."""
        self._bear()
        if not self._lives_lifetimes:
            return self.episodes_of(self._living, candidates, hook)
        lives = self._lifetimes(candidates, hook)
        if lives is not None:
            self.logger.record("population/diverged", self.diverged + self._diverging)
            for name, values in zip(self.hyperparameters, self._table.T, strict=True):
                self.logger.record(f"population/{name}", values.mean())
        return lives

    def _bear(self) -> None:
        """Fill `_living` with the population, and children in the places of those who made room."""
        (living,) = self._living.stacks
        for name, values in self._stack.parameters.items():
            living.parameters[name][:] = values
        self._table = self.hyperparameters_of.copy()
        self._newborn = np.ones(self.population_size, bool)
        if self.generation > 0:
            births = self._births(self.fitness, self.generation)
            rng = generator(self.run_seed, Purpose.MUTATION, self.generation)
            children = gaussian_mutation(crossover(self._stack.parameters, births, rng), self.mutation_std, rng)
            for name, values in children.items():
                living.parameters[name][births.places] = values
            self._table[births.places] = self_adapted(self._table, births, self._settings[1:], rng)
            self._newborn = np.isin(np.arange(self.population_size), births.places)

    def _lifetimes(self, candidates: np.ndarray, hook: BaseCallback) -> Lives | None:
        """Live lifetimes, remember what was learned, and sum up."""
        (living,) = self._living.stacks
        members = np.repeat(candidates, self.episodes * self.n_tasks)
        minds = self._minds(living, members, self.n_tasks, self._table)
        numbers = np.tile(np.arange(self.episodes * self.n_tasks), len(candidates))
        seeds = episode_seeds(self._keys(Purpose.EPISODE, members, numbers))
        self._slots = slots = pinning(self._training_slots())
        draws = self._keys(Purpose.ACTION, members, numbers)
        lives = self._lifetime.live(minds, slots, seeds, draws, lambda step: self._after(step, hook))
        if lives is None:
            return None
        learned = minds.learned()
        self._learned = {k: v.reshape(len(candidates), -1, *v.shape[1:]).mean(axis=1) for k, v in learned.items()}
        sane = np.all([np.isfinite(v).reshape(len(v), -1).all(axis=1) for v in learned.values()], axis=0)
        self._diverging = int((~sane).sum())
        return self._summed(candidates, lives, np.repeat(sane, minds.lanes))

    def _summed(self, candidates: np.ndarray, lives: Lives, sane: np.ndarray) -> Lives:
        """Return one job a lifetime: the sum over its problems; the worst score known where a life diverged."""
        returns = np.where(sane, lives.returns, np.nan).reshape(-1, self.n_tasks).sum(axis=1)
        known = np.concatenate([returns, self.fitness])
        worst = np.nanmin(known) if np.isfinite(known).any() else 0.0
        lengths = lives.lengths.reshape(-1, self.n_tasks).sum(axis=1)
        members = np.repeat(candidates, self.episodes)
        return Lives(members, np.where(np.isnan(returns), worst, returns), lengths, lives.probe)

    def _minds(self, stack: Stack, members: np.ndarray, tasks: int, table: np.ndarray) -> Minds:
        """Return the minds of some lives (int64, (lives,))."""
        lanes = tasks if self.tasks_together else 1
        return minds_of(stack, members[::lanes], Hyperparameters(*table[members[::lanes]].T), lanes)

    def _keys(self, purpose: Purpose, members: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Return one key an episode: uint64, (lives, episodes)."""
        n = self._lifetime.episodes
        return keys(self.run_seed, purpose, self.generation, members[:, None], numbers[:, None] * n + np.arange(n))

    def scores(self, lives: Lives) -> np.ndarray:
        """Return the members' fitness: this generation's, averaged with earlier lives; who did not live keeps his."""
        got = lives.fitness(self.population_size)
        times = np.where(self._newborn, 0, self._judged)
        before = np.where(times > 0, self.fitness, 0)
        return np.where(np.isnan(got), self.fitness, (before * times + got) / (times + 1))

    def tell(self, candidates: np.ndarray, lives: Lives) -> tuple[np.ndarray, np.ndarray, Transmission]:
        """Let the children into the population, with what they pass on; say who will be born in the next generation."""
        fitness = self.scores(lives)
        births = self._births(fitness, self.generation + 1)
        (living,) = self._living.stacks
        for name, values in living.parameters.items():
            passed_on = values[candidates]
            if self.inheritance == "lamarck":
                learned = self._learned[name]
                passed_on = np.where(np.isfinite(learned), learned, passed_on)
            self._stack.parameters[name][candidates] = passed_on
        self.hyperparameters_of = self._table
        self._judged = np.where(self._newborn, 0, self._judged)
        self._judged[candidates] += 1
        self._drift.append(
            np.stack([self._table.mean(axis=0), self._table.min(axis=0), self._table.max(axis=0)], axis=1)
        )
        self.diverged += self._diverging
        first, second = np.full((2, self.population_size), -1)
        first[births.places], second[births.places] = births.first, births.second
        return first, second, Transmission.BIRTH

    # ---------------------------------------------------------------- the champion

    def sit(
        self,
        finalists: np.ndarray,
        papers: np.ndarray,
        slots: Slots,
        on_step: Callable[[Step], bool] = lambda step: True,
    ) -> Lives | None:
        """Let finalists sit an exam; where members live lifetimes, a paper is a problem."""
        if not self._lives_lifetimes:
            return super().sit(finalists, papers, slots, on_step)
        members = np.repeat(finalists, len(papers))
        minds = self._minds(self._stack, members, len(papers), self.hyperparameters_of)
        papers = np.tile(papers, len(finalists))
        same = np.zeros_like(members)
        seeds = episode_seeds(self._keys(Purpose.EXAM, same, papers))
        draws = self._keys(Purpose.EXAM, same + 1, papers) if self._lifetime.n_updates else None  # learners explore
        lives = self._lifetime.live(minds, pinning(slots), seeds, draws, on_step)
        if lives is not None:
            lives.members = members
        return lives

    # ---------------------------------------------------------------- files

    def learner_arrays(self) -> dict[str, np.ndarray]:
        """Return what is kept of the members beside their weights, and the hyperparameters' drift."""
        return {
            "hyperparameters_of": self.hyperparameters_of,
            "judged": self._judged,
            "drift": self.drift,
            "diverged": np.array([self.diverged]),
        }

    def set_learner_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Take back what `learner_arrays` returned."""
        self.hyperparameters_of, self._judged = arrays["hyperparameters_of"], arrays["judged"]
        self._drift, self.diverged = list(arrays["drift"]), int(arrays["diverged"][0])
