"""Slots: where episodes are played.

A slot holds one episode at a time and is told which seed to begin it with. Several kinds of environment stand behind
one face:

- `VectorSlots`: a Gymnasium vector environment with masked reset (ours, AsyncVectorEnv, a wrapped SyncVectorEnv);
- `SyncSlots`: Gymnasium's SyncVectorEnv or SB3's DummyVecEnv, whose environments are stepped one by one, and only while
  an episode lasts;
- `AtariSlots`: ale-py's AtariVectorEnv;
- `VecEnvSlots`: SB3's SubprocVecEnv;
- `SharedSlots`: an SB3 VecEnv behind wrappers whose state the slots share (VecNormalize, VecFrameStack, ...).

In all but the last an episode is a function of its seed alone, so that the number of slots never changes a result, as
long as the environment's reset forgets what was before (Gymnasium's BipedalWalker keeps its physics world). In the last
only the first episode of each slot is seeded, and a run can be repeated at the same number of slots only.
"""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from stable_baselines3.common.vec_env import (
    DummyVecEnv,
    SubprocVecEnv,
    VecEnv,
    VecMonitor,
    unwrap_vec_normalize,
)

from popagents.rollout.vec_env import GymVecEnv, is_atari, lane_info, mode_of

Infos = list[dict[str, Any]]
LONGEST = 100_000  # steps after which an episode counts as endless, where its environment names no limit above


class Slots(ABC):
    """What `play` needs of an environment.

    Attributes:
        n: how many slots.
        observations: (n, *shape), what each slot's player sees now.
        longest: steps after which `play` takes an episode for endless.
        interruptible: whether `begin` may end an episode that is not over.
    """

    n: int
    interruptible: bool = True
    longest: int = LONGEST
    observations: np.ndarray

    @abstractmethod
    def begin(self, which: np.ndarray, seeds: np.ndarray) -> None:
        """Begin an episode in the slots where `which` (bool, (n,)), with their `seeds` (int64, (n,))."""

    @abstractmethod
    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, Infos]:
        """Play one step in every slot; a slot whose episode ended must not be looked at until it begins again.

        Returns:
            rewards float (n,), dones bool (n,), infos: one dict a slot.
        """


class VectorSlots(Slots):
    """Slots in a Gymnasium vector environment."""

    def __init__(self, env: VectorEnv) -> None:
        self.env = env
        self.n = env.num_envs
        self._resets = mode_of(env) is AutoresetMode.DISABLED and not env.metadata.get("lanes_may_wait", False)
        self._begun = False
        self._over = np.zeros(self.n, bool)
        self._infos: Infos = [{} for _ in range(self.n)]

    def begin(self, which: np.ndarray, seeds: np.ndarray) -> None:
        """Reset the lanes of `which`; the very first time the others too, so that they can be stepped."""
        options = {"reset_mask": which.copy()} if self._begun else None
        self.observations, _ = self.env.reset(seed=given(seeds, which), options=options)  # type: ignore[arg-type]
        self._begun = True
        self._over = self._over & ~which

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, Infos]:
        """Step every lane; lanes left over from ended episodes are reset first, unless they may wait, and idle on."""
        if self._resets and np.count_nonzero(self._over):  # a tenth of any()'s time
            self.env.reset(options={"reset_mask": self._over})
        self.observations, rewards, terminated, truncated, infos = self.env.step(actions)
        self._over = terminated | truncated
        return rewards, self._over, [lane_info(infos, i) for i in range(self.n)] if infos else self._infos


def given(seeds: np.ndarray, which: np.ndarray) -> list[int | None]:
    """Return the seeds of the lanes `which`, and None for the others."""
    if which.all():
        return seeds.tolist()
    return [int(seed) if begins else None for seed, begins in zip(seeds, which, strict=True)]


class SyncSlots(Slots):
    """Slots in a SyncVectorEnv or DummyVecEnv, whose bookkeeping takes longer than a step of a small environment."""

    def __init__(self, env: SyncVectorEnv | DummyVecEnv) -> None:
        self.envs = env.envs
        self.n = env.num_envs
        space = self.envs[0].observation_space
        self._buffer = np.empty((self.n, *space.shape), space.dtype)  # type: ignore[misc]
        self._going = np.zeros(self.n, bool)
        self._nothing: Infos = [{} for _ in range(self.n)]

    def begin(self, which: np.ndarray, seeds: np.ndarray) -> None:
        """Reset the environments of `which`."""
        for slot in np.flatnonzero(which).tolist():
            self._buffer[slot], _ = self.envs[slot].reset(seed=int(seeds[slot]))
        self._going |= which
        self.observations = self._buffer.copy()

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, Infos]:
        """Step the environments whose episode lasts."""
        rewards, dones, infos = np.zeros(self.n), np.zeros(self.n, bool), self._nothing
        for slot in np.flatnonzero(self._going).tolist():
            seen, rewards[slot], terminated, truncated, info = self.envs[slot].step(actions[slot])
            self._buffer[slot] = seen
            dones[slot] = terminated or truncated
            if info:
                infos = list(infos)
                infos[slot] = info
        self._going &= ~dones
        self.observations = self._buffer.copy()
        return rewards, dones, infos


class AtariSlots(Slots):
    """Slots in ale-py's AtariVectorEnv, which resets ended lanes by itself, without a seed.

    A seeded reset loads the ROM anew, as long as 300 decisions; `AtariLanes` does without. Make the
    environment with `reward_clipping=False`, or the score is hidden.
    """

    def __init__(self, env: VectorEnv) -> None:
        self.env = env
        self.n = env.num_envs
        self._begun = False
        self._infos: Infos = [{} for _ in range(self.n)]

    def begin(self, which: np.ndarray, seeds: np.ndarray) -> None:
        """Reset the lanes of `which`, the very first time the others too: one seed for each lane that is reset."""
        given: Any = seeds[which] if self._begun else seeds.copy()
        options = {"reset_mask": which.copy()} if self._begun else None
        self.observations, _ = self.env.reset(seed=given, options=options)
        self._begun = True

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, Infos]:
        """Step every lane; infos would hold lives and frame numbers, a dict a lane and step, and are left out."""
        self.observations, rewards, terminated, truncated, _ = self.env.step(actions)
        return rewards.astype(np.float64), terminated | truncated, self._infos


class VecEnvSlots(Slots):
    """Slots in SB3's SubprocVecEnv, each sub-environment reset by itself."""

    def __init__(self, env: VecEnv) -> None:
        self.env = env
        self.n = env.num_envs
        self._begun = False

    def begin(self, which: np.ndarray, seeds: np.ndarray) -> None:
        """Reset the sub-environments of `which`."""
        if not self._begun:
            self.observations = np.array(self.env.reset())
            self._begun = True
        for slot in np.flatnonzero(which):
            ((observation, _),) = self.env.env_method("reset", seed=int(seeds[slot]), indices=[int(slot)])
            self.observations[slot] = observation

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, Infos]:
        """Step every sub-environment."""
        observations, rewards, dones, infos = self.env.step(actions)
        self.observations = np.array(observations)
        return rewards, dones, infos


class SharedSlots(Slots):
    """Slots in a wrapped SB3 VecEnv, which goes on by itself after each episode."""

    interruptible = False

    def __init__(self, env: VecEnv) -> None:
        self.env = env
        self.n = env.num_envs
        self._normalizer = unwrap_vec_normalize(env)

    def begin(self, which: np.ndarray, seeds: np.ndarray) -> None:
        """Seed and reset everything when all slots begin together; otherwise the next episode has begun already."""
        if which.all() or not hasattr(self, "observations"):
            self.env.seed(int(seeds[0]))
            self.observations = np.array(self.env.reset())

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, Infos]:
        """Step every sub-environment; rewards are the environment's own, not VecNormalize's."""
        observations, rewards, dones, infos = self.env.step(actions)
        self.observations = np.array(observations)
        if self._normalizer is not None:
            rewards = self._normalizer.get_original_reward()
        return rewards, dones, infos


def slots_of(env: VecEnv) -> Slots:
    """Choose the slots for an environment as SB3 sees it.

    A VecMonitor around one of our vector environments is looked through: the base writes its file.
    """
    slots = _slots_of(env)
    spec = env.get_attr("spec")[0]
    slots.longest = max(LONGEST, getattr(spec, "max_episode_steps", None) or 0)
    return slots


def _slots_of(env: VecEnv) -> Slots:
    bare = env.venv if isinstance(env, VecMonitor) else env
    if isinstance(bare, GymVecEnv) and (kind := kind_of(bare.vector_env)):
        return kind(bare.vector_env)
    if type(env) is DummyVecEnv and env.observation_space.shape is not None:
        return SyncSlots(env)
    if type(env) is SubprocVecEnv:
        return VecEnvSlots(env)
    warnings.warn(
        f"episodes in a {type(env).__name__} cannot be seeded one by one: this run can be repeated only with "
        f"{env.num_envs} slots",
        stacklevel=2,
    )
    return SharedSlots(env)


def kind_of(env: VectorEnv) -> Callable[[Any], Slots] | None:
    """Return the slots for a Gymnasium vector environment; None if its lanes cannot be seeded one by one."""
    if is_atari(env):
        return AtariSlots
    if type(env) is SyncVectorEnv and env.single_observation_space.shape is not None:
        return SyncSlots
    disabled = mode_of(env) is AutoresetMode.DISABLED
    return VectorSlots if disabled or isinstance(env.unwrapped, (SyncVectorEnv, AsyncVectorEnv)) else None
