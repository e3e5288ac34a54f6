"""A genetic algorithm over lifetimes: the Baldwin effect, and its relatives.

Source: Neuromatch Academy W2D4 tutorial 4, "Biological meta reinforcement learning" (H. Solodzhuk, X. Mao, G. Lindsay),
after J. M. Baldwin (1896), "A new factor in evolution", and G. Hinton and S. Nowlan (1987), "How learning can guide
evolution". Differs from the source:
- children are copies: mutating one leaves its parents as they were;
- each hyperparameter is clipped to its own range (the source clips the costs from the discount);
- `inheritance`: the source is "baldwin"; `reevaluate`, `elites` and `replacement="worst"` are ours;
- any Gymnasium task; policies without a critic evolve by "darwin".
"""

from dataclasses import replace
from typing import Any, ClassVar, Unpack

import numpy as np
from stable_baselines3.common.policies import BasePolicy

from popagents.common.checks import array_size, between, choice
from popagents.common.lineage import Transmission
from popagents.common.now import Now
from popagents.common.parameters import Parameters, form_of, repeated, row_of, with_row
from popagents.common.randomness import Purpose
from popagents.common.ranking import ranked
from popagents.learners.algorithm import PopulationAlgorithm
from popagents.learners.conversation import Generation, Succession
from popagents.learners.evaluation import best_of, fittest_quarter
from popagents.learners.genetic.operators import Births, parents_of, replaced
from popagents.learners.genetic.scores import Scores, episode_scores, lifetime_scores, mean_scores, passed_on
from popagents.learners.genetic.settings import (
    INHERITANCE,
    REPLACEMENT,
    check_alone,
    check_lifetimes,
    check_sizes,
    checked_hyperparameters,
    mean_and_range,
)
from popagents.learners.genetic.state import GeneticState, born, check_members, learning_logs
from popagents.learners.run import Run
from popagents.learners.settings import POLICIES, Shared, refuse_learning_rate
from popagents.learners.updates.lifetime import Lives
from popagents.population.design import Design
from popagents.population.members import Members
from popagents.population.policies import make_policy
from popagents.population.recurrent import RecurrentPolicy
from popagents.population.workspace import Workspace
from popagents.rollout.jobs import Conversation, Episodes, Jobs, Request
from popagents.rollout.matchmaking import seats_of


class Genetic(PopulationAlgorithm[GeneticState]):
    """A genetic algorithm whose members may learn during their lives.

    Every generation `n_offspring` children are born: each has two parents, drawn from `n_parents` that are drawn from
    the best `tournament_size` members; each of its layers is one parent's, by a coin, plus normal(0, `mutation_std`);
    so are its hyperparameters, within their ranges. Children take the places of other members and live. What a life is,
    and what of it children inherit, is

        darwin    episodes; children inherit the weights that a parent was born with
        baldwin   a lifetime of learning; children inherit the weights that a parent was born with
        lamarck   a lifetime of learning; children inherit what a parent had learned at its end

    In a lifetime (see `lifetime.py`) a member meets `n_tasks` problems side by side. On each it starts from its birth
    weights, makes `n_updates` steps of A2C (see `a2c.py`), one an episode, and plays one more episode; its fitness is
    the sum of these last returns. What it has learned is the mean over its problems.

    Args:
        policy: a policy's name or class; "RecurrentPolicy" or an SB3 `ActorCriticPolicy` where members learn.
        env: a Gymnasium id, Gymnasium environment or vector environment, a PettingZoo parallel environment, or an SB3
            VecEnv.
        inheritance: "darwin", "baldwin" or "lamarck".
        population_size: members.
        tournament_size: how many of the best may become parents.
        n_parents: drawn from these in each generation.
        n_offspring: children in each generation; in the first everybody lives.
        mutation_std: of the noise on every parameter of a child.
        replacement: children take the places of "random" members or of the "worst".
        elites: how many of the best keep their places.
        reevaluate: whether the tournament lives again in each generation; scores are then means over lives.
        n_tasks: problems in a lifetime. (A recurrent policy lives lifetimes under "darwin", too, without learning.)
        n_updates: episodes that are learned from on each problem.
        tasks_together: whether all problems of a lifetime share one learner, each step of learning being the mean over
            them; otherwise each problem starts from the birth weights.
        pin_problems: True: every life keeps one problem; None: where the environment names problems, elsewhere each
            life has only its seeds; False: every episode may bring another.
        evaluation_options: for the reset of the episode that counts; {"n_trials": 20} in Harlow's experiment.
        hyperparameters: by name ("learning_rate", "discount", "value_cost", "entropy_cost"): first value, standard
            deviation of the noise on a child's, smallest and largest value. What is not named stays as in the source.
        champion_episodes: see `PopulationAlgorithm`.
        shared: episodes (lifetimes), policy_kwargs, tensorboard_log, verbose, seed, device; see
            `popagents.learners.settings.Shared`.

    Raises:
        ValueError: a setting is out of its range, or the policy cannot learn.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {**POLICIES, "RecurrentPolicy": RecurrentPolicy}

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
        n_tasks: int = 10,
        n_updates: int = 25,
        tasks_together: bool = False,
        pin_problems: bool | None = None,
        evaluation_options: dict[str, Any] | None = None,
        hyperparameters: dict[str, Any] | None = None,
        champion_episodes: int = 20,
        **shared: Unpack[Shared],
    ) -> None:
        refuse_learning_rate(shared, "members' learning rates evolve: give hyperparameters={'learning_rate': ...}")
        check_sizes(population_size, tournament_size, n_offspring, elites)
        sizes = {"n_parents": n_parents, "n_tasks": n_tasks, "n_updates": n_updates}
        for name, value in (sizes | {"champion_episodes": champion_episodes}).items():
            array_size(name, value)
        self.inheritance = choice("inheritance", inheritance, INHERITANCE)
        self.replacement = choice("replacement", replacement, REPLACEMENT)
        self.mutation_std = between("mutation_std", mutation_std, 0, 100, open_low=False)
        self.tournament_size, self.n_parents, self.n_offspring = int(tournament_size), int(n_parents), int(n_offspring)
        self.n_tasks, self.n_updates, self.elites = int(n_tasks), int(n_updates), int(elites)
        self.reevaluate, self.tasks_together = bool(reevaluate), bool(tasks_together)
        self.pin_problems, self.evaluation_options = pin_problems, dict(evaluation_options or {})
        self.hyperparameters = checked_hyperparameters(hyperparameters or {})
        self.learning_episodes = 0 if inheritance == "darwin" else self.n_updates
        super().__init__(
            policy,
            env,
            learning_rate=self.hyperparameters["learning_rate"][0],
            population_size=population_size,
            champion_episodes=champion_episodes,
            **shared,
        )

    @property
    def hyperparameters_of(self) -> np.ndarray:
        """Return each member's hyperparameters: float64, (members, 4), in the order of `hyperparameters`."""
        return self.loop.run.state.hyperparameters

    @property
    def drift(self) -> np.ndarray:
        """Return how the hyperparameters moved: float64, (generations, 4, 3), mean, smallest and largest value."""
        return self.loop.run.state.drift

    @property
    def diverged(self) -> int:
        """Return how many learners' parameters became infinite or NaN; their members got the worst fitness."""
        return self.loop.run.state.diverged

    @property
    def default_slots(self) -> int:
        """Return how many slots are made for an environment given by its id: also one a child and problem to learn."""
        return max(self.population_size, self.n_offspring * self.n_tasks if self.learning_episodes else 0)

    @property
    def lifetimes(self) -> bool:
        """Tell whether members live lifetimes, rather than play episodes."""
        return self.learning_episodes > 0 or issubclass(self.designs[0][0], RecurrentPolicy)

    @property
    def lives_each(self) -> int:
        """Return how many lives of a lifetime share a learner."""
        return self.n_tasks if self.tasks_together else 1

    def make_workspace(self) -> Workspace:
        """Make the design, with a critic where members live lifetimes."""
        check_lifetimes(self.lifetimes, self.pin_problems, self.evaluation_options)
        if self.tasks_together and self.env is not None:
            check_alone(seats_of(self.env))
        return Workspace([Design(self.new_policy(0), critic=self.lifetimes)])

    def initial_state(self) -> GeneticState:
        """Give every member weights of its own, as its policy draws them."""
        (design,), size = self.workspace.designs, self.population_size
        policy_class, kwargs = self.designs[0]
        parameters = design.copies(size)
        for member, key in enumerate(Now(self.run_seed, 0).keys(Purpose.WEIGHTS, np.arange(size))):
            spaces = (self.observation_space, self.action_space)
            policy = make_policy(policy_class, *spaces, self.lr_schedule, kwargs, int(key % np.uint64(2**63)))
            for name, values in design.parameters_of(policy).items():
                parameters[name][member] = values
        return GeneticState.at(parameters, np.tile([first for first, *_ in self.hyperparameters.values()], (size, 1)))

    def state_form(self) -> GeneticState:
        """Return a state that takes no memory a parameter."""
        (design,), size = self.workspace.designs, self.population_size
        return GeneticState.at(form_of(design.shapes, size), np.zeros((size, len(self.hyperparameters))))

    def check_state(self, state: GeneticState) -> None:
        """Check who is born, and from whom."""
        super().check_state(state)
        check_members(state, self.population_size)

    def next_generation(self, state: GeneticState, now: Now) -> Generation[GeneticState]:
        """Let children be born, let those who are to be judged live, and draw who is born next."""
        candidates, state = self.candidates(state), self.with_children(state, now)
        scores = self.scores(state, (yield self.lives(state, candidates, now)))
        fitness, judged = mean_scores(state.fitness, state.judged, scores)
        parameters, diverged = passed_on(state.parameters, scores), state.diverged + scores.diverged
        state = self.ranked(replace(state, parameters=parameters, judged=judged, diverged=diverged), fitness, now)
        players, both = Members([parameters]), state.births.parents_of(self.population_size)
        logs = learning_logs(state, self.hyperparameters) if self.lifetimes else {}
        return Succession(state, fitness, int(state.tournament[0]), players, both[0], both[1], Transmission.BIRTH, logs)

    def with_children(self, state: GeneticState, now: Now) -> GeneticState:
        """Return the population in which a generation's children have been born."""
        ranges = np.array(list(self.hyperparameters.values())).T[1:]
        return born(state, self.mutation_std, ranges, now.rng(Purpose.MUTATION))

    def ranked(self, state: GeneticState, fitness: np.ndarray, now: Now) -> GeneticState:
        """Return the population with everybody's fitness, and draw who is born next."""
        ranks = ranked(fitness, now.rank_keys(self.population_size))
        births, best = self.births(ranks, now), ranks[: self.tournament_size]
        drift = np.concatenate([state.drift, mean_and_range(state.hyperparameters)])
        return replace(state, fitness=fitness, births=births, tournament=best, drift=drift)

    @property
    def lineage_tells(self) -> bool:
        """Tell whether children inherit nothing that members learn."""
        return self.inheritance != "lamarck"

    def retold(self, state: GeneticState, now: Now, rows: np.ndarray) -> GeneticState | None:
        """Let children be born, and rank everybody by the fitness that is told."""
        if not self.lineage_tells:
            return None
        return self.ranked(self.with_children(state, now), rows["fitness"].copy(), now)

    def parameters_in(self, state: GeneticState, now: Now, member: int) -> tuple[int, Parameters]:
        """Return what a member is born with, or has passed on to itself."""
        return self.policy_of(self.with_children(state, now), member)

    def candidates(self, state: GeneticState) -> np.ndarray:
        """Return who lives: the newborn, and the tournament if it is re-evaluated: int64, (k,)."""
        if not len(state.births.places):
            return np.arange(self.population_size)
        return np.union1d(state.births.places, state.tournament) if self.reevaluate else state.births.places

    def births(self, ranks: np.ndarray, now: Now) -> Births:
        """Draw who is born in the next generation, and where, from members ranked from best to worst."""
        rng = Now(self.run_seed, now.generation + 1).rng(Purpose.BIRTH)
        first, second = parents_of(ranks[: self.tournament_size], self.n_parents, self.n_offspring, rng)
        return Births(replaced(ranks, self.n_offspring, self.replacement, self.elites, rng), first, second)

    def lives(self, state: GeneticState, candidates: np.ndarray, now: Now) -> Request:
        """Ask for the candidates' lifetimes, or for their episodes where nobody lives lifetimes."""
        if not self.lifetimes:
            return Request(Members([state.parameters]), self.matchmaker(now).jobs(candidates, self.episodes))
        jobs = self.matchmaker(now).jobs(candidates, self.episodes * self.n_tasks, **self.lifetime)
        return self.lived(state, jobs, self.lives_each)

    def lived(self, state: GeneticState, jobs: Jobs, lives_each: int) -> Request:
        """Ask for lives, one a job; `lives_each` consecutive ones share a learner."""
        lives = Lives(state.parameters, state.hyperparameters, jobs.member, lives_each)
        return Request(lives, replace(jobs, player=np.arange(len(jobs))), learned=self.inheritance == "lamarck")

    @property
    def lifetime(self) -> dict[str, Any]:
        """Return what every table of lives has in common."""
        options, episodes = self.evaluation_options, self.learning_episodes + 1
        return {"episodes": episodes, "pins": self.pin_problems, "last_options": options}

    def scores(self, state: GeneticState, episodes: Episodes) -> Scores:
        """Return what those who lived are worth."""
        if not self.lifetimes:
            return episode_scores(episodes)
        return lifetime_scores(episodes, self.episodes, self.n_tasks, self.lives_each, state.fitness)

    def choose_champion(self, run: Run[GeneticState]) -> Conversation[int]:
        """Let the fittest quarter play evaluation episodes, or live on evaluation problems."""
        now, numbers = Now(self.run_seed, run.generation), np.arange(self.champion_episodes)
        keys = now.before.rank_keys(self.population_size)
        finalists, matchmaker = fittest_quarter(run.fitness, keys), self.matchmaker(now)
        if not self.lifetimes:
            jobs = matchmaker.evaluation_jobs(finalists, numbers)
            return best_of(Request(Members([run.state.parameters]), jobs), keys)
        samples = self.learning_episodes > 0  # learners explore
        jobs = matchmaker.evaluation_jobs(finalists, numbers, samples=samples, **self.lifetime)
        return best_of(self.lived(run.state, jobs, len(numbers) if self.tasks_together else 1), keys)

    def policy_of(self, state: GeneticState, member: int) -> tuple[int, Parameters]:
        """Return a member's parameters."""
        return 0, row_of(state.parameters, member)

    def started_from(self, state: GeneticState, parameters: Parameters) -> GeneticState:
        """Return a population whose members all have these parameters."""
        return replace(state, parameters=repeated(parameters, self.population_size))

    def with_champion(self, state: GeneticState, member: int, parameters: Parameters) -> GeneticState:
        """Return a population in which a member has these parameters; its fitness stays until it is judged again."""
        return replace(state, parameters=with_row(state.parameters, member, parameters))
