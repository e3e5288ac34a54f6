"""Whatever a user calls an environment, as an SB3 VecEnv; native lanes where an id has them."""

import copy
import importlib
import inspect
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec, load_env_creator
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from pettingzoo import AECEnv, ParallelEnv
from stable_baselines3.common.vec_env import VecEnv

from popagents.common.optional import missing_extra
from popagents.rollout.parallel_env import side_by_side
from popagents.rollout.vec_env import GymVecEnv

STAND_INS = {"ale_py.vector_env:AtariVectorEnv": "popagents.rollout.atari:AtariLanes"}  # ours for them
MOST_SLOTS = 2**10  # that an id is given: more are not faster
MACHINES = 8  # emulators that an Atari id is given: each takes a seventh of a second to set up


def vec_env_of(env: Any, slots: int) -> Any:
    """Return an environment that SB3 accepts.

    Args:
        env: a Gymnasium id, for which a vector environment with `slots` slots is made, native where there is one; a
            Gymnasium vector environment; a PettingZoo parallel environment, of which copies are put side by side; a
            function that makes any of these, called once a slot if it makes a single environment; or anything that SB3
            accepts by itself, returned as it is.
        slots: episodes at a time; no more than `MOST_SLOTS` are made.

    Raises:
        ValueError: the agents of a PettingZoo environment take turns or have different spaces, or it cannot be copied.
    """
    if isinstance(env, VectorEnv):
        return GymVecEnv(env)
    if isinstance(env, (AECEnv, ParallelEnv)):
        return GymVecEnv(side_by_side(env, min(slots, MOST_SLOTS)))
    if callable(env):
        return made_by(env, slots)
    if not isinstance(env, str):
        return env
    slots = min(slots, MOST_SLOTS)
    if has_native(env):
        return native_vec_env(env, min(slots, MACHINES) if lanes_stand_in(env) else slots)
    return GymVecEnv(SyncVectorEnv([lambda: gym.make(env)] * slots, autoreset_mode=AutoresetMode.DISABLED))


def made_by(make: Callable[[], Any], slots: int) -> Any:
    """Return what a function makes as an environment that SB3 accepts, with a slot for each call if it makes one."""
    first = make()
    if not isinstance(first, gym.Env):
        return vec_env_of(first, slots)
    makers = [lambda: first, *[make] * (min(slots, MOST_SLOTS) - 1)]
    return GymVecEnv(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED))


def second_vec_env(env: VecEnv) -> GymVecEnv | None:
    """Make another environment like this one, if it is a Gymnasium vector environment that was made by `make_vec`."""
    inner = getattr(env, "venv", env)
    spec = inner.vector_env.spec if isinstance(inner, GymVecEnv) else None
    return None if spec is None else GymVecEnv(gym.make_vec(spec))


def registered_id(env_id: str) -> str:
    """Import the module of "module:Id", or ale-py for "ALE/...", and return the id; return any other id as it is.

    Raises:
        ImportError: ale-py is not installed.
    """
    module, _, name = env_id.rpartition(":")
    if module:
        importlib.import_module(module)
    if name.startswith("ALE/"):
        try:
            importlib.import_module("ale_py")
        except ImportError as error:
            raise missing_extra(f"{name} needs ale-py", "atari") from error
    return name


def native_spec(env_id: str) -> EnvSpec:
    """Return the spec of an id ("Id" or "module:Id"), our vector environment in it where we have one to stand in."""
    spec = copy.deepcopy(gym.spec(registered_id(env_id)))
    entry = spec.vector_entry_point
    spec.vector_entry_point = STAND_INS.get(entry, entry) if isinstance(entry, str) else entry
    return spec


def lanes_stand_in(env_id: str) -> bool:
    """Tell whether an id's vector environment is one of ours that differs from what `gym.make` gives."""
    return native_spec(env_id).vector_entry_point in STAND_INS.values()


def has_native(env_id: str) -> bool:
    """Tell whether an id ("Id" or "module:Id") has a vector environment that can stand in for its single one.

    Its constructor takes `autoreset_mode` and, like every single environment, `render_mode`.
    """
    spec = native_spec(env_id)
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
        native_spec(env_id),
        num_envs=n_envs,
        vectorization_mode="vector_entry_point",
        autoreset_mode=AutoresetMode.DISABLED,
        **env_kwargs,
    )
    return GymVecEnv(vector_env)


def sync_vec_env(env_id: str, n_envs: int, **env_kwargs: Any) -> GymVecEnv:
    """Make environments of an id that are stepped one after the other; arguments as in `native_vec_env`."""
    modes = {"vectorization_mode": "sync", "vector_kwargs": {"autoreset_mode": AutoresetMode.DISABLED}}
    return GymVecEnv(gym.make_vec(registered_id(env_id), num_envs=n_envs, **modes, **env_kwargs))  # type: ignore[arg-type]


def single_env(env_id: str, **env_kwargs: Any) -> gym.Env:
    """Make one environment as a learner meets it in an id: `gym.make`'s, or a lane of ours where the two differ.

    Args:
        env_id: "Id" or "module:Id".
        env_kwargs: the environment's own settings, `render_mode` among them.
    """
    if lanes_stand_in(env_id):
        return OneLane(native_vec_env(env_id, 1, **env_kwargs).vector_env)
    return gym.make(registered_id(env_id), **env_kwargs)


class OneLane(gym.Env):
    """A vector environment of one lane seen as a single environment.

    Args:
        vector_env: in DISABLED mode.
    """

    def __init__(self, vector_env: VectorEnv) -> None:
        self.vector_env = vector_env
        self.observation_space = vector_env.single_observation_space
        self.action_space = vector_env.single_action_space
        self.render_mode = vector_env.render_mode
        self.metadata = vector_env.metadata
        self.spec = vector_env.spec

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        observations, _ = self.vector_env.reset(seed=seed, options=options)
        return observations[0], {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Play one step."""
        observations, rewards, terminated, truncated, _ = self.vector_env.step(np.asarray(action)[None])
        return observations[0], float(rewards[0]), bool(terminated[0]), bool(truncated[0]), {}

    def render(self) -> Any:
        """Return the lane's picture."""
        pictures: Any = self.vector_env.render()
        return None if pictures is None else pictures[0]

    def close(self) -> None:
        """Close the vector environment."""
        self.vector_env.close()
