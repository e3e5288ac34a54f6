"""Lifetimes: some episodes of learning, then one that counts; many lives side by side.

A *life* is one member on one problem. It begins with the weights that the member was born with; each of `n_updates`
episodes is followed by a step of learning; the last episode is scored, and nothing is learned from it. Where the
environment names problems (`reset` returns `info["problem"]`, and `reset(options={"problem": that})` plays it again)
a life can keep the problem that it met first (`Jobs.pins`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecEnv
from threadpoolctl import threadpool_limits

from popagents.common.parameters import Parameters
from popagents.common.randomness import Purpose, episode_seeds, keys
from popagents.learners.updates.a2c import Hyperparameters, Learners
from popagents.learners.updates.compiled_a2c import make_learners
from popagents.population.design import Design
from popagents.population.workspace import Workspace
from popagents.rollout.jobs import Jobs, Options, Request
from popagents.rollout.make_slots import slots_of
from popagents.rollout.step import Observer
from popagents.rollout.worker import Worker


@dataclass(frozen=True)
class Lives:
    """Lives of members, which learn while they play, as players.

    Attributes:
        parameters: that members are born with, (members, *shape) by name.
        hyperparameters: float64, (members, 4), in the order of `Hyperparameters`.
        member: int64, (lives,), whose life each is.
        lives_each: so many lives, one after the other, share a learner.
    """

    parameters: Parameters
    hyperparameters: np.ndarray
    member: np.ndarray
    lives_each: int = 1

    @property
    def together(self) -> int:
        """Return how many lives share a learner."""
        return self.lives_each

    def seated(self, workspace: Workspace) -> Learners:
        """Return learners as they are born."""
        (design,) = workspace.designs
        rows = self.member[:: self.lives_each]
        hyperparameters = Hyperparameters(*self.hyperparameters[rows].T)
        return make_learners(design, self.parameters, rows, hyperparameters, self.lives_each)

    def part(self, who: np.ndarray) -> tuple["Lives", np.ndarray]:
        """Return some lives, numbered from 0, with what their members are born with."""
        members, member = np.unique(self.member[who], return_inverse=True)
        parameters = {name: values[members] for name, values in self.parameters.items()}
        lives = Lives(parameters, self.hyperparameters[members], member, self.lives_each)
        return lives, np.arange(len(who))


def live_again(
    policies: Sequence[BasePolicy],
    env: VecEnv,
    hyperparameters: Hyperparameters,
    *,
    n_tasks: int,
    seed: int,
    n_updates: int = 25,
    pins: bool | None = None,
    evaluation_options: Options | None = None,
    observers: Sequence[Observer] = (),
) -> np.ndarray:
    """Let policies of one design live lifetimes, outside of any population.

    Args:
        policies: who is born, with which weights; they stay as they are.
        env: where.
        hyperparameters: one number each, the same for all.
        n_tasks: problems in each policy's lifetime; each starts from the policy's weights.
        seed: draws problems and actions.
        n_updates: episodes that are learned from on each problem.
        pins: as in `Jobs`.
        evaluation_options: for the reset of the episode that counts, for example {"n_trials": 20}.
        observers: see every step.

    Returns:
        float64, (policies, n_tasks), the return of each life's last episode.
    """
    design = Design(policies[0], critic=True)
    each = [design.parameters_of(policy) for policy in policies]
    parameters = {name: np.stack([own[name] for own in each]) for name in design.shapes}
    member = np.repeat(np.arange(len(policies)), n_tasks)
    lives, episodes = np.arange(len(member)), np.arange(n_updates + 1)
    seeds = episode_seeds(keys(seed, Purpose.EPISODE, 0, lives[:, None], episodes))
    draws = keys(seed, Purpose.ACTION, 0, lives[:, None], episodes)
    jobs = Jobs(
        member, lives, seeds, draws, np.ones(len(lives), bool), pins=pins, last_options=evaluation_options or {}
    )
    players = Lives(parameters, np.tile(np.array(hyperparameters, np.float64), (len(policies), 1)), member)
    with threadpool_limits(1):
        lived = Worker(Workspace([design])).play(Request(players, jobs), slots_of(env), observers)
    return lived.returns.reshape(len(policies), n_tasks)
