"""Whatever a user calls an environment, as an SB3 VecEnv; native lanes where an id has them."""

import importlib
import inspect
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import load_env_creator
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from stable_baselines3.common.vec_env import VecEnv

from popagents.vec_env import GymVecEnv


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


def registered_id(env_id: str) -> str:
    """Import the module of "module:Id" and return the id; return an id without a module as it is."""
    module, _, name = env_id.rpartition(":")
    if module:
        importlib.import_module(module)
    return name


def has_native(env_id: str) -> bool:
    """Tell whether an id ("Id" or "module:Id") has a vector environment that can stand in for its single one.

    Its constructor takes `autoreset_mode` and, like every single environment, `render_mode`. (Atari's takes no
    `render_mode`: it is another game, cropped and clipped, and cannot leave resetting to us.)
    """
    spec = gym.spec(registered_id(env_id))
    entry = spec.vector_entry_point
    if entry is None or spec.additional_wrappers:
        return False
    creator = load_env_creator(entry) if isinstance(entry, str) else entry
    return {"autoreset_mode", "render_mode"} <= set(inspect.signature(creator).parameters)


def native_vec_env(env_id: str, n_envs: int, **env_kwargs: Any) -> GymVecEnv:
    """Make the vector environment of an id for which `has_native`, as an SB3 one.

    Args:
        env_id: "Id" or "module:Id".
        n_envs: how many lanes.
        env_kwargs: the environment's own settings.
    """
    vector_env = gym.make_vec(
        registered_id(env_id),
        num_envs=n_envs,
        vectorization_mode="vector_entry_point",
        autoreset_mode=AutoresetMode.DISABLED,
        **env_kwargs,
    )
    return GymVecEnv(vector_env)
