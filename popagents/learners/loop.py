"""The loop: it has a learner's conversations answered, and keeps what the run has become."""

import warnings
from dataclasses import dataclass, replace
from typing import Generic

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy

from popagents.common.lineage import Lineage
from popagents.common.lineage_file import LineageFile
from popagents.common.now import Now
from popagents.learners.conversation import State, Succession, converse
from popagents.learners.learner import Learner
from popagents.learners.logging import info_means
from popagents.learners.run import Run, lineage_rows
from popagents.population.actions import at_a_bound, disagreement
from popagents.rollout.executor import Executor, Listener
from popagents.rollout.jobs import Episodes, Players, Request
from popagents.rollout.step import Stopped
from popagents.rollout.worker import Worker


@dataclass(frozen=True)
class Lived:
    """What is told of a generation.

    Attributes:
        answers: all its episodes, one entry a request.
        logs: numbers by name.
    """

    answers: list[Episodes]
    logs: dict[str, float]


class Loop(Generic[State]):
    """Drives a learner.

    Args:
        learner: whose conversations are answered.
        worker: seats players of this process.
        action_space: of the environment.
        run: where to begin.
        lineage: the rows so far.

    Attributes:
        run: what the run has become; replaced by one assignment once a generation is done, so that an interrupt, a
            failure or a callback that stops leaves everything as it was.
        table: holds the lineage's rows, and some more where an interrupt came between a generation and its end.
    """

    def __init__(
        self,
        learner: Learner[State],
        worker: Worker,
        action_space: spaces.Space,
        run: Run[State],
        lineage: np.ndarray | None = None,
    ) -> None:
        self.learner, self.worker, self.action_space, self.run = learner, worker, action_space, run
        self.table: Lineage = Lineage(lineage)

    @property
    def lineage(self) -> np.ndarray:
        """Return the rows of all generations that are done."""
        return self.table.rows(self.run.rows)

    def keep_lineage(self, table: LineageFile) -> None:
        """Let a file that holds the run's rows so far take the next ones."""
        self.table, self.run = table, replace(self.run, rows=table.filed)

    def start_from(self, policy: BasePolicy) -> None:
        """Let every member begin with the weights of an SB3 policy.

        Raises:
            ValueError: a design has other parameters.
        """
        for design in self.worker.workspace.designs:
            parameters = design.parameters_of(policy)
        self.run = replace(self.run, state=self.learner.started_from(self.run.state, parameters), champion=0)

    def set_champion(self, policy: BasePolicy) -> None:
        """Give the champion the weights of a policy of its design."""
        run = self.run
        design, _ = self.learner.policy_of(run.state, run.champion)
        parameters = self.worker.workspace.designs[design].parameters_of(policy)
        self.run = replace(run, state=self.learner.with_champion(run.state, run.champion, parameters))

    def live(self, now: Now, executor: Executor, listener: Listener | None, logs: bool) -> Lived | None:
        """Live one generation; None if the listener stopped it.

        Args:
            now: the generation.
            executor: plays it.
            listener: sees every step, or every answer where workers play; None if nobody does.
            logs: whether to compare how members act, for the log.

        Raises:
            RuntimeError: the environment failed, or a return is not finite.
        """
        answers = list[Episodes]()
        looks = logs or self.run.generation == 0  # in the first generation, for a warning

        def answer(request: Request) -> Episodes:
            answers.append(executor.play(replace(request, situations=looks and not answers), listener))
            return answers[-1]

        try:
            succession = converse(self.learner.next_generation(self.run.state, now), answer)
        except Stopped:
            return None
        situations = answers[0].situations if answers else None
        diversity = 0.0 if situations is None else self._diversity(succession.players, situations)
        told = succession.logs | info_means(answers) | {"population/diversity": diversity} if logs else {}
        self._commit(succession, sum(int(episodes.lengths.sum()) for episodes in answers))
        return Lived(answers, told)

    def _commit(self, succession: Succession[State], steps: int) -> None:
        """Let a generation become the past."""
        run = self.run
        rows = lineage_rows(succession, run.generation, run.steps_lived + steps)
        self.table.write(run.rows, rows)
        self.run = replace(
            run,
            state=succession.state,
            fitness=succession.fitness,
            generation=run.generation + 1,
            timesteps=run.timesteps + steps,
            steps_lived=run.steps_lived + steps,
            rows=run.rows + len(rows),
            champion=succession.champion,
        )

    def _diversity(self, players: Players, situations: np.ndarray) -> float:
        """Measure how differently members act in situations (k, *shape) of the generation; see `disagreement`."""
        size, k = self.learner.population_size, len(situations)
        who = np.tile(np.arange(size), k)
        actions = self.worker.seat(players).act(who, np.repeat(situations, size, axis=0), None)
        actions = actions.reshape(k, size, -1)
        if at_a_bound(actions, self.action_space):
            warnings.warn(
                f"all {size} members act alike in each of {k} situations, at a bound of {self.action_space}: nothing "
                "can be learned where nobody differs; take a policy of this package, whose outputs of -1 and 1 are "
                "the bounds, or rescale the actions (gymnasium.wrappers.RescaleAction)",
                stacklevel=2,
            )
        return disagreement(actions, self.action_space)

    def choose_champion(self, executor: Executor) -> None:
        """Choose the champion, unless that is done for this generation."""
        run, answers = self.run, list[Episodes]()
        if run.evaluated == run.generation:
            return

        def answer(request: Request) -> Episodes:
            answers.append(executor.play(request))
            return answers[-1]

        conversation = self.learner.choose_champion(run)
        champion = run.champion if conversation is None else converse(conversation, answer)
        steps = run.evaluation_timesteps + sum(int(episodes.lengths.sum()) for episodes in answers)
        self.run = replace(run, champion=champion, evaluated=run.generation, evaluation_timesteps=steps)
