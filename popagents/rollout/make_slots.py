"""Choose the slots for an environment.

- `VectorSlots`: a Gymnasium vector environment with masked reset (ours, AsyncVectorEnv, a wrapped SyncVectorEnv);
- `SyncSlots`: Gymnasium's SyncVectorEnv or SB3's DummyVecEnv, whose environments are stepped one by one, and only while
  an episode lasts;
- `ParallelSlots`: copies of a PettingZoo parallel environment;
- `AtariSlots`: ale-py's AtariVectorEnv;
- `SubprocSlots`: SB3's SubprocVecEnv;
- `SharedSlots`: an SB3 VecEnv behind wrappers whose state the slots share (VecNormalize, VecFrameStack, ...).

In all but the last an episode is a function of its seed alone, so that the number of slots never changes a result, as
long as the environment's reset forgets what was before (Gymnasium's BipedalWalker keeps its physics world). In the last
only the first episode of each slot is seeded, and a run can be repeated at the same number of slots only.
"""

import warnings
from collections.abc import Callable
from typing import Any

from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, VecMonitor

from popagents.rollout.parallel_env import ParallelVectorEnv
from popagents.rollout.sb3_slots import SharedSlots, SubprocSlots, SyncSlots
from popagents.rollout.slots import LONGEST, Slots
from popagents.rollout.vec_env import GymVecEnv, is_atari, mode_of
from popagents.rollout.vector_slots import AtariSlots, ParallelSlots, VectorSlots


def slots_of(env: VecEnv) -> Slots:
    """Choose the slots for an environment as SB3 sees it.

    A VecMonitor is looked through, where what it holds needs no wrapper; `popagents.learners.monitor_file` writes its
    rows.
    """
    slots = _slots_of(env)
    slots.shape = env.observation_space.shape
    slots.longest = max(LONGEST, limit_of(env) or 0)
    return slots


def limit_of(env: VecEnv) -> int | None:
    """Return the steps after which the environment's spec says that an episode is cut off; None where none is said."""
    try:
        spec = env.get_attr("spec")[0]
    except AttributeError:  # SuperSuit's environments have no attributes to ask for
        return None
    return getattr(spec, "max_episode_steps", None)


def _slots_of(env: VecEnv) -> Slots:
    bare = env.venv if isinstance(env, VecMonitor) else env
    if isinstance(bare, GymVecEnv) and (kind := kind_of(bare.vector_env)):
        return kind(bare.vector_env)
    if type(bare) is DummyVecEnv:
        return SyncSlots(bare)
    if type(bare) is SubprocVecEnv:
        return SubprocSlots(bare)
    warn_of_shared_slots(env)
    return SharedSlots(env)


def warn_of_shared_slots(env: VecEnv) -> None:
    """Warn that the number of slots changes results."""
    warnings.warn(
        f"episodes in a {type(env).__name__} cannot be seeded one by one: this run can be repeated only with "
        f"{env.num_envs} slots",
        stacklevel=3,
    )


def kind_of(env: VectorEnv) -> Callable[[Any], Slots] | None:
    """Return the slots for a Gymnasium vector environment; None if its lanes cannot be seeded one by one."""
    if is_atari(env):
        return AtariSlots
    inner = env.unwrapped
    if isinstance(inner, ParallelVectorEnv):
        return lambda env: ParallelSlots(env, inner)
    if type(env) is SyncVectorEnv:
        return SyncSlots
    disabled = mode_of(env) is AutoresetMode.DISABLED
    return VectorSlots if disabled or isinstance(inner, (SyncVectorEnv, AsyncVectorEnv)) else None
