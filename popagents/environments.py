"""Whatever a user calls an environment, as an SB3 VecEnv."""

from typing import Any

import gymnasium as gym
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from stable_baselines3.common.vec_env import VecEnv

from popagents.vec_env import GymVecEnv, has_native, native_vec_env


def vec_env_of(env: Any, slots: int) -> Any:
    """Return an environment that SB3 accepts.

    Args:
        env: a Gymnasium id, for which a vector environment with `slots` slots is made, native where there is one; a
            Gymnasium vector environment; or anything that SB3 accepts by itself, returned as it is.
        slots: episodes at a time.
    """
    if isinstance(env, VectorEnv):
        return GymVecEnv(env)
    if not isinstance(env, str):
        return env
    if has_native(env):
        return native_vec_env(env, slots)
    return GymVecEnv(SyncVectorEnv([lambda: gym.make(env)] * slots, autoreset_mode=AutoresetMode.DISABLED))


def second_vec_env(env: VecEnv) -> GymVecEnv | None:
    """Make another environment like this one, if it is a Gymnasium vector environment that was made by `make_vec`."""
    inner = getattr(env, "venv", env)
    spec = inner.vector_env.spec if isinstance(inner, GymVecEnv) else None
    return None if spec is None else GymVecEnv(gym.make_vec(spec))
