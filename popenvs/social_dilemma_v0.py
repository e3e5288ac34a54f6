"""Social dilemmas in PettingZoo's module convention: `env`, `raw_env` and `parallel_env`.

>>> from popenvs import social_dilemma_v0
>>> env = social_dilemma_v0.parallel_env(game="stag_hunt", max_cycles=10)
>>> observations, infos = env.reset(seed=1)
>>> rewards = env.step({"player_0": 0, "player_1": 0})[1]
>>> rewards
{'player_0': 1.0, 'player_1': 1.0}
"""

from typing import Any

from pettingzoo import AECEnv
from pettingzoo.utils import wrappers
from pettingzoo.utils.conversions import parallel_to_aec

from popenvs.dilemmas.parallel_env import SocialDilemmaParallelEnv
from popenvs.dilemmas.vector_env import SocialDilemmaVectorEnv

__all__ = ["env", "parallel_env", "raw_env", "vector_env"]

parallel_env = SocialDilemmaParallelEnv
vector_env = SocialDilemmaVectorEnv


def raw_env(**settings: Any) -> AECEnv[str, Any, Any]:
    """Make the environment in which the agents act one after the other; settings as of `parallel_env`."""
    return parallel_to_aec(parallel_env(**settings))


def env(**settings: Any) -> AECEnv[str, Any, Any]:
    """Make the same with PettingZoo's checks of actions and of the order of calls."""
    return wrappers.OrderEnforcingWrapper(wrappers.AssertOutOfBoundsWrapper(raw_env(**settings)))
