"""Stop when a goal is held: the rule by which evolution strategies are often said to have solved a task."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecEnv

from popagents.common.checks import positive
from popagents.rollout.make_env import second_vec_env, vec_env_of


class StopOnGoal(BaseCallback):
    """Stop any SB3 algorithm once its policy reaches a goal in several tests on end.

    A test plays the likeliest actions before a rollout, the first one before the first rollout. A population learner's
    rollout is a generation.

    Args:
        reward_goal: the mean return to reach.
        consecutive_goal_stopping: tests on end that must reach it.
        eval_env: where to test: an id, an environment or a VecEnv; None makes one like the model's own, if that was
            made from an id.
        n_eval_episodes: episodes a test.
        every: steps of training between two tests, at least; 0 tests before every rollout.
        verbose: 1 prints every test.

    Attributes:
        tests: float, what each test gave.
        timesteps: int, when each was taken (steps of training).

    Raises:
        ValueError: one of goal and window is missing or out of range; or there is no environment to test in.
    """

    def __init__(
        self,
        reward_goal: float | None = None,
        consecutive_goal_stopping: int | None = None,
        *,
        eval_env: Any = None,
        n_eval_episodes: int = 1,
        every: int = 0,
        verbose: int = 0,
    ) -> None:
        super().__init__(verbose)
        self.reward_goal, self.consecutive_goal_stopping = checked_goal(reward_goal, consecutive_goal_stopping)
        positive("n_eval_episodes", n_eval_episodes)
        self.n_eval_episodes, self.every = n_eval_episodes, every
        self.eval_env: VecEnv | None = None if eval_env is None else vec_env_of(eval_env, 1)
        self.tests: list[float] = []
        self.timesteps: list[int] = []

    @property
    def reached(self) -> bool:
        """Tell whether the last tests all reached the goal."""
        return is_held(self.tests, self.reward_goal, self.consecutive_goal_stopping)

    def _on_training_start(self) -> None:
        if self.eval_env is None:
            self.eval_env = second_vec_env(self.training_env)
        if self.eval_env is None:
            raise ValueError(
                "StopOnGoal found no second environment to test in; give it one, for example "
                "StopOnGoal(..., eval_env='CartPole-v1')"
            )

    def _on_rollout_start(self) -> None:
        if self.timesteps and self.num_timesteps - self.timesteps[-1] < self.every:
            return
        mean, _ = evaluate_policy(self.model, self.eval_env, self.n_eval_episodes, warn=False)  # type: ignore[arg-type]
        self.tests.append(float(mean))  # type: ignore[arg-type]
        self.timesteps.append(self.num_timesteps)
        self.logger.record("eval/goal_test", mean)
        if self.verbose:
            print(f"{self.num_timesteps} steps: {mean:.1f} (goal {self.reward_goal:g})")

    def _on_step(self) -> bool:
        return not self.reached


def checked_goal(reward_goal: float | None, consecutive_goal_stopping: int | None) -> tuple[float, int]:
    """Return a goal, and how many tests on end must reach it.

    Raises:
        ValueError: one of them is missing or out of range.
    """
    if reward_goal is None or consecutive_goal_stopping is None:
        raise ValueError(
            f"reward_goal is {reward_goal} and consecutive_goal_stopping is {consecutive_goal_stopping}; a goal "
            "needs both: the mean return to reach, and in how many tests on end"
        )
    if not np.isfinite(reward_goal):
        raise ValueError(f"reward_goal is {reward_goal}; it must be a finite number")
    positive("consecutive_goal_stopping", consecutive_goal_stopping)
    return float(reward_goal), consecutive_goal_stopping


def is_held(tests: Sequence[float] | np.ndarray, reward_goal: float, consecutive_goal_stopping: int) -> bool:
    """Tell whether the last tests, that many on end, all reached the goal.

    >>> is_held([9, 3, 9, 8], 8, 2), is_held([9], 8, 2)
    (True, False)
    """
    last = tests[-consecutive_goal_stopping:]
    return len(last) == consecutive_goal_stopping and bool(min(last) >= reward_goal)
