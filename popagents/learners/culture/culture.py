"""A culture: members learn, by imitation, from peers that scored better.

Source: the gist "Reinforcement learning through imitation of successful peers" (grid pac-man on a torus). Differs from
the source:
- `teacher_share` below 1 lets only the best of all teach; `final_learning_rate` lets the learning rate fall;
- members of several designs may live together: only observations and actions must agree;
- any Gymnasium task, any policy, continuous actions (imitated by their likelihood).
With the defaults it is as published.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np

from popagents.common.checks import array_size, between
from popagents.common.lineage import Transmission
from popagents.common.now import Now
from popagents.common.parameters import Parameters, form_of, with_row
from popagents.common.randomness import Purpose, generator
from popagents.common.schedules import constant, geometric
from popagents.learners.algorithm import PopulationAlgorithm
from popagents.learners.conversation import Generation, Succession
from popagents.learners.evaluation import best_of, fittest_quarter
from popagents.learners.run import Run
from popagents.learners.settings import Shared
from popagents.learners.state_checks import distinct
from popagents.learners.updates.adam import Adam
from popagents.learners.updates.imitation import imitate
from popagents.population.members import Members, member_of
from popagents.rollout.jobs import Conversation, Episodes, Request


@dataclass(frozen=True)
class CultureState:
    """What a culture hands on.

    Attributes:
        population: the members' parameters, one entry a design: float32 (members, *shape) by name.
        adams: the members' optimisers, one entry a design.
        order: int64, (members,), members from best to worst in the last generation; by number before the first.
    """

    population: list[Parameters]
    adams: list[Adam]
    order: np.ndarray


class Culture(PopulationAlgorithm[CultureState]):
    """Imitation of successful peers.

    Every generation each member plays `episodes` episodes, sampling its own policy. Members are ranked by mean
    return, equals in the order in which they stood the generation before; every member but the best draws a teacher
    uniformly among its betters (the best `teacher_share` of all, at most) and maximises the likelihood of the teacher's
    actions in the situations that the teacher met, for `n_epochs` epochs of shuffled minibatches, by Adam, whose state
    stays with the member.

    Args:
        policy: a policy's name or class; a list of them for several designs in one population.
        env: a Gymnasium id, Gymnasium environment or vector environment, a PettingZoo parallel environment, or an SB3
            VecEnv.
        population_size: members, at least 2.
        learning_rate: Adam's step size.
        final_learning_rate: falls geometrically to this at the end of `learn`; None keeps it constant.
        n_epochs: passes over the teacher's episodes.
        batch_size: pairs per minibatch.
        teacher_share: above 0 and at most 1.
        initial_std: standard deviation of the initial weights; biases begin at 0.
        champion_episodes: see `PopulationAlgorithm`.
        shared: episodes, policy_kwargs, tensorboard_log, verbose, seed, device; see `settings.Shared`.

    Raises:
        ValueError: a setting is out of range, or no policy can serve the environment's action space.
    """

    several_designs = True

    def __init__(
        self,
        policy: Any,
        env: Any,
        *,
        population_size: int = 17,
        learning_rate: Any = 1e-3,
        final_learning_rate: float | None = None,
        n_epochs: int = 8,
        batch_size: int = 32,
        teacher_share: float = 1.0,
        initial_std: float = 0.05,
        champion_episodes: int = 20,
        **shared: Unpack[Shared],
    ) -> None:
        sizes = {"population_size": population_size, "n_epochs": n_epochs, "batch_size": batch_size}
        for name, value in (sizes | {"champion_episodes": champion_episodes}).items():
            array_size(name, value)
        if population_size < 2:
            raise ValueError("population_size is 1; a culture needs 2 members or more, one to learn and one to teach")
        self.n_epochs, self.batch_size = int(n_epochs), int(batch_size)
        self.teacher_share = between("teacher_share", teacher_share, 0, 1)
        self.initial_std = between("initial_std", initial_std, 0, math.inf)
        self.final_learning_rate = final_learning_rate
        if final_learning_rate is not None:
            between("final_learning_rate", final_learning_rate, 0, 10)
        super().__init__(
            policy,
            env,
            learning_rate=constant(learning_rate),
            population_size=population_size,
            champion_episodes=champion_episodes,
            **shared,
        )

    def initial_state(self) -> CultureState:
        """Draw every member's weights."""
        rng = generator(self.run_seed, Purpose.WEIGHTS)
        designs = zip(self.workspace.designs, self.design_sizes, strict=True)
        population = [design.normal(rng, size, self.initial_std) for design, size in designs]
        return CultureState(population, [Adam.blank(p) for p in population], np.arange(self.population_size))

    @property
    def design_sizes(self) -> list[int]:
        """Return how many members have each design."""
        n = len(self.designs)
        return [len(range(design, self.population_size, n)) for design in range(n)]

    def state_form(self) -> CultureState:
        """Return a state that takes no memory a parameter."""
        designs = zip(self.workspace.designs, self.design_sizes, strict=True)
        population = [form_of(design.shapes, size) for design, size in designs]
        adams = [Adam(p, p, np.zeros(size, np.int64)) for p, size in zip(population, self.design_sizes, strict=True)]
        return CultureState(population, adams, np.arange(self.population_size))

    def check_state(self, state: CultureState) -> None:
        """Check the ranks, and what optimisers remember."""
        super().check_state(state)
        distinct(state.order, "state/order", self.population_size)
        for design, adam in enumerate(state.adams):
            adam.check(f"state/adams/{design}")

    def next_generation(self, state: CultureState, now: Now) -> Generation[CultureState]:
        """Play, rank, draw teachers, imitate."""
        players, everyone = Members(state.population), np.arange(self.population_size)
        episodes = yield Request(players, self.matchmaker(now).jobs(everyone, self.episodes), record=True)
        fitness = episodes.fitness(self.population_size)
        order = state.order[np.argsort(-fitness[state.order], kind="stable")]
        teachers = draw_teachers(order, self.teacher_share, now.rng(Purpose.TEACHER))
        learned = [self.imitated(state, design, teachers, episodes, now) for design in range(len(self.designs))]
        population, adams = zip(*learned, strict=True)
        state = CultureState(list(population), list(adams), order)
        return Succession(state, fitness, int(order[0]), players, teachers, transmission=Transmission.IMITATION)

    def imitated(
        self, state: CultureState, design: int, teachers: np.ndarray, episodes: Episodes, now: Now
    ) -> tuple[Parameters, Adam]:
        """Return the parameters and optimisers of a design's members after their lessons."""
        members = np.arange(design, self.population_size, len(self.designs))
        pupils = members[teachers[members] >= 0]
        record, player = episodes.record, episodes.jobs.player
        assert record is not None
        return imitate(
            self.workspace.designs[design],
            state.population[design],
            state.adams[design],
            rows=pupils // len(self.designs),
            lessons=[record.pairs(np.flatnonzero(player == teacher)) for teacher in teachers[pupils]],
            shuffle_keys=now.keys(Purpose.SHUFFLE, pupils),
            learning_rate=geometric(self.learning_rate, self.final_learning_rate, now.progress),  # type: ignore[arg-type]
            n_epochs=self.n_epochs,
            batch_size=self.batch_size,
        )

    def choose_champion(self, run: Run[CultureState]) -> Conversation[int]:
        """Let the fittest quarter play evaluation episodes."""
        now = Now(self.run_seed, run.generation)
        keys = now.before.rank_keys(self.population_size)
        numbers = np.arange(self.champion_episodes)
        jobs = self.matchmaker(now).evaluation_jobs(fittest_quarter(run.fitness, keys), numbers)
        return best_of(Request(Members(run.state.population), jobs), keys)

    def policy_of(self, state: CultureState, member: int) -> tuple[int, Parameters]:
        """Return a member's design and parameters."""
        return member_of(state.population, member)

    def started_from(self, state: CultureState, parameters: Parameters) -> CultureState:
        """Return a culture whose members all have these parameters."""
        population = [
            {name: np.repeat(parameters[name][None], len(values), axis=0) for name, values in members.items()}
            for members in state.population
        ]
        return replace(state, population=population)

    def with_champion(self, state: CultureState, member: int, parameters: Parameters) -> CultureState:
        """Return a culture in which a member has these parameters; its optimiser keeps its memory."""
        row, design = divmod(member, len(state.population))
        population = [*state.population]
        population[design] = with_row(population[design], row, parameters)
        return replace(state, population=population)


def draw_teachers(ranked: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Draw each member's teacher uniformly among its betters.

    Args:
        ranked: int64, (members,), members from best to worst.
        share: only this share of the members, the best, teach (at least one does).
        rng: draws one number per member but the best, in order of rank.

    Returns:
        int64, (members,), the teacher of each member; -1 for the best, who learns from nobody.
    """
    ranks = np.arange(1, len(ranked))
    most = max(1, math.ceil(share * len(ranked)))
    teachers = np.full(len(ranked), -1)
    teachers[ranked[1:]] = ranked[rng.integers(np.minimum(ranks, most))]
    return teachers
