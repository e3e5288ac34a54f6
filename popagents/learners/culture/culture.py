"""A culture: members learn, by imitation, from peers that scored better.

Seed system 1 of this zoo (a published study of cultural evolution in grid pac-man). Differs from the source:
- `teacher_share` below 1 lets only the best of all teach; `final_learning_rate` lets the learning rate fall;
- members of several designs may live together: only observations and actions must agree;
- any Gymnasium task, any policy, continuous actions (imitated by their likelihood).
With the defaults it is as published.
"""

import math
from typing import Any

import numpy as np

from popagents.common.checks import between, positive
from popagents.common.lineage import Transmission
from popagents.common.randomness import Purpose, generator, keys
from popagents.common.schedules import constant, geometric
from popagents.learners.base import PopulationAlgorithm
from popagents.learners.updates.adam import Adam
from popagents.learners.updates.imitation import imitate
from popagents.rollout.play import Lives


class Culture(PopulationAlgorithm):
    """Imitation of successful peers.

    Every generation each member plays `episodes` episodes, sampling its own policy. Members are ranked by mean
    return, equals in the order in which they stood the generation before; every member but the best draws a teacher
    uniformly among its betters (the best `teacher_share` of all, at most) and maximises the likelihood of the teacher's
    actions in the situations that the teacher met, for `n_epochs` epochs of shuffled minibatches, by Adam, whose state
    stays with the member.

    Args:
        policy: a policy's name or class; a list of them for several designs in one population.
        env: a Gymnasium id, Gymnasium environment or vector environment, or an SB3 VecEnv.
        population_size: members, at least 2.
        learning_rate: Adam's step size.
        final_learning_rate: falls geometrically to this at the end of `learn`; None keeps it constant.
        n_epochs: passes over the teacher's episodes.
        batch_size: pairs per minibatch.
        episodes: episodes per member and generation.
        teacher_share: above 0 and at most 1.
        initial_std: standard deviation of the initial weights; biases begin at 0.
        champion_episodes, policy_kwargs, tensorboard_log, verbose, seed, device: see `PopulationAlgorithm`.

    Attributes:
        order: int64, (members,), members from best to worst in the last generation; by number before the first.

    Raises:
        ValueError: a setting is out of range, or no policy can serve the environment's action space.
    """

    order: np.ndarray
    records = True

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
        episodes: int = 1,
        teacher_share: float = 1.0,
        initial_std: float = 0.05,
        champion_episodes: int = 20,
        policy_kwargs: Any = None,
        tensorboard_log: str | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: Any = "auto",
        _init_setup_model: bool = True,
    ) -> None:
        positive("n_epochs", n_epochs)
        positive("batch_size", batch_size)
        positive("population_size", population_size)
        if population_size < 2:
            raise ValueError("population_size is 1; a culture needs 2 members or more, one to learn and one to teach")
        self.n_epochs = int(n_epochs)
        self.batch_size = int(batch_size)
        self.teacher_share = between("teacher_share", teacher_share, 0, 1)
        self.initial_std = between("initial_std", initial_std, 0, math.inf)
        first = constant(learning_rate)
        self.final_learning_rate = final_learning_rate
        if final_learning_rate is not None:
            between("final_learning_rate", final_learning_rate, 0, 10)
        super().__init__(
            policy,
            env,
            first,
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
        rng = generator(self.run_seed, Purpose.WEIGHTS)
        for stack in self.population.stacks:
            stack.randomize(rng, self.initial_std)
        self.order = np.arange(self.population_size)
        self._adams = [Adam.blank(stack) for stack in self.population.stacks]
        self._crown(0)

    def tell(self, candidates: np.ndarray, lives: Lives) -> tuple[np.ndarray, np.ndarray, Transmission]:
        """Let every member but the best learn from a better one."""
        order = self.order[np.argsort(-lives.fitness(self.population_size)[self.order], kind="stable")]
        rng = generator(self.run_seed, Purpose.TEACHER, self.generation)
        rate = geometric(self.learning_rate, self.final_learning_rate, self.progress)  # type: ignore[arg-type]
        teachers = draw_teachers(order, self.teacher_share, rng)
        learned = []
        for design, (stack, adam) in enumerate(zip(self.population.stacks, self._adams, strict=True)):
            members = np.arange(design, self.population_size, len(self.designs))
            pupils = members[teachers[members] >= 0]
            lessons = [lives.record.pairs(self._jobs(teachers[pupil])) for pupil in pupils]  # type: ignore[union-attr]
            shuffle_keys = keys(self.run_seed, Purpose.SHUFFLE, self.generation, pupils)
            rows = pupils // len(self.designs)
            learned.append(imitate(stack, adam, rows, lessons, shuffle_keys, rate, self.n_epochs, self.batch_size))
        for stack, adam, (parameters, state) in zip(self.population.stacks, self._adams, learned, strict=True):
            stack.parameters.update(parameters)
            adam.__dict__.update(state.__dict__)
        self.order = order
        return teachers, np.full(self.population_size, -1), Transmission.IMITATION

    def _jobs(self, member: int) -> np.ndarray:
        """Return the jobs that a member played in this generation."""
        return np.arange(member * self.episodes, (member + 1) * self.episodes)

    def learner_arrays(self) -> dict[str, np.ndarray]:
        """Return the members' order and optimiser memories."""
        memories = {f"{design}/{k}": v for design, adam in enumerate(self._adams) for k, v in adam.arrays().items()}
        return {"order": self.order} | memories

    def set_learner_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Take back what `learner_arrays` returned."""
        self.order = arrays["order"]
        for design, adam in enumerate(self._adams):
            prefix = f"{design}/"
            adam.set_arrays({k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)})


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
