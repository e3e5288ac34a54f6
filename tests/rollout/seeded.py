"""Seeds and episodes that tests of environments name one by one."""

from typing import Any

import numpy as np

from popagents.rollout.jobs import Jobs
from popagents.rollout.vec_env import GymVecEnv


class AnySeeds(GymVecEnv):
    """Takes one seed a lane, as SB3's `VecEnv` can hold them."""

    def seed(self, seed: Any = None) -> Any:
        self._seeds = list(seed)
        return self._seeds


def three_episodes(seeds: list[int]) -> Jobs:
    """Let three members play one episode each, by their likeliest actions."""
    return Jobs(np.arange(3), np.arange(3), np.array(seeds)[:, None], None, np.ones(3, bool))
