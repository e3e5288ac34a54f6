"""A run's folder, of whose members any can be rebuilt."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.policies import BasePolicy

from popagents.common.lineage_file import LineageFile, sealed_lineage
from popagents.learners.replaying import of_generation, policy_then
from popagents.rollout.make_slots import slots_of
from popagents.zoo.checkpoint_callback import LINEAGE, found_lineage
from popagents.zoo.milestones import MODEL, UNTIL, milestone_before
from popagents.zoo.run_folder import RunFolder
from popagents.zoo.training_env import training_env
from registration.learners import LEARNERS, load_learner


@dataclass(frozen=True)
class Replay:
    """A run of which members are rebuilt.

    Args:
        run: its folder.

    Raises:
        ValueError: it is a run of another algorithm, or would run code and is not trusted.
    """

    run: RunFolder

    def __post_init__(self) -> None:
        algo = self.run.arguments()["algo"]
        if algo not in LEARNERS:
            raise ValueError(f"{self.run.path} is a run of {algo}; only {', '.join(LEARNERS)} can be replayed")
        if not self.run.trust and (reason := self.run.reason_for_trust()):
            raise ValueError(f"{reason}; if you know who made {self.run.path}, add --trust, or trust=True")

    @classmethod
    def of(cls, run: Any, trust: bool) -> "Replay":
        """Open the folder of a run; see `RunFolder`."""
        return cls(RunFolder(Path(run), trust))

    @cached_property
    def lineage(self) -> np.ndarray:
        """Return the lineage: all of it if the run has ended, or up to its last checkpoint.

        Raises:
            ValueError: it is torn or altered, or there is none.
        """
        path = self.run.path
        try:
            table = sealed_lineage(path / LINEAGE) if self.run.has_ended else self.so_far()
        except ValueError as error:
            raise ValueError(f"{error}; bring it back from a copy, or train anew") from error
        return table.rows(table.filed)

    def so_far(self) -> LineageFile:
        """Return the lineage of a run that has not ended."""
        checkpoint, _ = self.run.newest_checkpoint()
        table = None if checkpoint is None else found_lineage(self.run.path, checkpoint)
        if table is None:
            raise ValueError(f"{self.run.path} holds no checkpoint with a lineage")
        return table

    def rows(self, generation: int, member: int) -> np.ndarray:
        """Return a generation's rows of the lineage.

        Raises:
            ValueError: there is no such generation or member.
        """
        lived = self.lineage["generation"]
        if not len(lived):
            raise ValueError(f"{self.run.path} has lived no generation yet; let it go on")
        rows = of_generation(self.lineage, generation)
        if not len(rows):
            raise ValueError(f"generation is {generation}; the run has {lived[0]} to {lived[-1]}: choose one of these")
        if not 0 <= member < len(rows):
            raise ValueError(f"member is {member}; the run has 0 to {len(rows) - 1}: choose one of these")
        return rows

    def policy(self, generation: int, member: int) -> tuple[Any, BasePolicy]:
        """Return the run's model, and the policy of a member as it began a generation.

        Raises:
            ValueError: see `replay`.
        """
        self.rows(generation, member)
        milestone = milestone_before(self.run.path, generation)
        learner, until = load_learner(self.run.arguments()["algo"]), json.loads((milestone / UNTIL).read_text())
        given = self.run.settings() if self.run.trust else {}
        custom = {name: given[name] for name in ("policy", "policy_kwargs") if name in given}
        model: Any = learner.load(milestone / MODEL, device="cpu", custom_objects=custom)

        def slots() -> Any:
            if model.env is None:
                model.set_env(training_env(self.run))
            return slots_of(model.env)

        return model, policy_then(model, self.lineage, until, generation, member, slots)

    def return_of(self, model: Any, policy: BasePolicy) -> tuple[float, int]:
        """Play one episode, as members act, seeded with the run's seed; return its return and its steps."""
        env = training_env(self.run)
        env.seed(model.run_seed % 2**32)
        returns, lengths = evaluate_policy(policy, env, 1, not model.samples, return_episode_rewards=True, warn=False)
        env.close()
        return float(returns[0]), int(lengths[0])  # type: ignore[index]
