"""How workers make the environment that a learner was given: each makes its own, anew."""

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec
from stable_baselines3.common.vec_env import VecEnv, VecMonitor

from popagents.rollout.make_env import registered_id, vec_env_of
from popagents.rollout.sb3_slots import SharedSlots
from popagents.rollout.slots import Slots
from popagents.rollout.vec_env import GymVecEnv


def maker_of(given: Any, env: VecEnv, slots: int) -> Callable[[], VecEnv]:
    """Return a function, to be pickled, by which a worker makes its environment.

    Args:
        given: what the learner was given: an id and a function are called there; of a Gymnasium vector environment that
            `make_vec` made another one is made; anything else is pickled as it is.
        env: as SB3 sees it.
        slots: how many a worker has where they can be chosen.
    """
    if isinstance(given, str):
        return partial(make_id, gym.spec(registered_id(given)), given, slots)
    bare = env.venv if isinstance(env, VecMonitor) else env
    if isinstance(bare, GymVecEnv) and bare.spec is not None and bare.vector_env.unwrapped is bare.vector_env:
        return partial(make_spec, bare.spec)
    return partial(vec_env_of, given if callable(given) else bare, slots)


def make_id(spec: EnvSpec, env_id: str, slots: int) -> VecEnv:
    """Make the environment of an id, which may have been registered by another process alone."""
    gym.registry.setdefault(spec.id, spec)
    made: VecEnv = vec_env_of(env_id, slots)
    return made


def make_spec(spec: EnvSpec) -> VecEnv:
    """Make a vector environment."""
    return GymVecEnv(gym.make_vec(spec))


def check_dealable(slots: Slots) -> None:
    """Refuse slots whose episodes are no function of their seeds alone.

    Raises:
        ValueError: they are such.
    """
    if isinstance(slots, SharedSlots):
        raise ValueError(
            f"episodes in a {type(slots.env).__name__} depend on those before them and cannot be dealt to workers; "
            "give the environment without its wrappers (ES scales observations with normalize_observations=True), or "
            "workers=1 without ray_address"
        )
