"""SB3's identity tasks, by each learner with its defaults and a LinearPolicy: steps until the champion has 90 points.

An observation is to be answered with itself; SB3 gives its own algorithms a few thousand steps for that. The champion
plays 20 greedy episodes after every 25 000 steps.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gymnasium as gym
from stable_baselines3.common.envs import IdentityEnv, IdentityEnvBox, IdentityEnvMultiBinary, IdentityEnvMultiDiscrete
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv

from benchmarks.table import Row, show
from registration.learners import LEARNERS, load_learner

GOAL, LIMIT, EVERY, SLOTS = 90, 500_000, 25_000, 16
TASKS: dict[str, Callable[[], gym.Env]] = {
    "4 choices": partial(IdentityEnv, 4),
    "a Box, within 0.5": partial(IdentityEnvBox, eps=0.5),
    "2 times 4 choices": partial(IdentityEnvMultiDiscrete, 4),
    "4 bits": partial(IdentityEnvMultiBinary, 4),
}


class Seeded(gym.Wrapper):
    """Draws what is shown from the seed of a reset, which SB3's tasks do not."""

    def reset(self, *, seed=None, options=None):  # type: ignore[no-untyped-def]  # noqa: D102
        if seed is not None:
            self.env.action_space.seed(seed)
        return self.env.reset(seed=seed)


def race(name: str, task: str, seed: int = 0) -> tuple[int, float]:
    """Return the steps after which a learner's champion was there, or was given up, and its points then."""
    env = DummyVecEnv([lambda: Seeded(TASKS[task]())] * SLOTS)
    model: Any = load_learner(name)("LinearPolicy", env, seed=seed)
    score = 0.0
    for steps in range(EVERY, LIMIT + 1, EVERY):
        model.learn(steps, resume=steps > EVERY)
        fresh = DummyVecEnv([lambda: Seeded(TASKS[task]())])
        fresh.seed(10_000)
        score = float(evaluate_policy(model, fresh, n_eval_episodes=20, warn=False)[0])  # type: ignore[arg-type]
        if score > GOAL:
            break
    return model.num_timesteps, score


def rows(names: list[str]) -> Iterator[Row]:
    """Give one row a learner and task."""
    for name in names:
        for task in TASKS:
            steps, score = race(name, task)
            yield f"{name}, {task}", f"> {GOAL} within {LIMIT}", f"{score:.1f} after {steps} steps"


if __name__ == "__main__":
    show(rows(sys.argv[1:] or list(LEARNERS)))
