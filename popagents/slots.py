"""Slots: where episodes are played.

A slot holds one episode at a time and is told which seed to begin it with. Three kinds of environment stand behind
one face:

- `VectorSlots`: a Gymnasium vector environment with masked reset (ours, SyncVectorEnv, AsyncVectorEnv);
- `VecEnvSlots`: SB3's bare DummyVecEnv or SubprocVecEnv;
- `SharedSlots`: an SB3 VecEnv behind wrappers whose state the slots share (VecNormalize, VecFrameStack, ...).

In the first two an episode is a function of its seed alone, so that the number of slots never changes a result. In
the third only the first episode of each slot is seeded, and a run can be repeated at the same number of slots only.
"""

import warnings
from abc import ABC, abstractmethod
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

from popagents.vec_env import GymVecEnv, lane_info

Infos = list[dict[str, Any]]


class Slots(ABC):
    """What `play` needs of an environment.

    Attributes:
        n: how many slots.
        observations: (n, *shape), what each slot's player sees now.
    """

    n: int
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
        self._disabled = env.metadata.get("autoreset_mode") is AutoresetMode.DISABLED
        self._begun = False
        self._over = np.zeros(self.n, bool)
        self._infos: Infos = [{} for _ in range(self.n)]

    def begin(self, which: np.ndarray, seeds: np.ndarray) -> None:
        """Reset the lanes of `which`; the very first time the others too, so that they can be stepped."""
        given = [int(seed) if begins else None for seed, begins in zip(seeds, which, strict=True)]
        options = {"reset_mask": which.copy()} if self._begun else None
        self.observations, _ = self.env.reset(seed=given, options=options)  # type: ignore[arg-type]
        self._begun = True
        self._over = self._over & ~which

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, Infos]:
        """Step every lane; lanes left over from ended episodes are reset first, and idle on."""
        if self._disabled and np.count_nonzero(self._over):  # a tenth of any()'s time
            self.env.reset(options={"reset_mask": self._over})
        self.observations, rewards, terminated, truncated, infos = self.env.step(actions)
        self._over = terminated | truncated
        return rewards, self._over, [lane_info(infos, i) for i in range(self.n)] if infos else self._infos


class VecEnvSlots(Slots):
    """Slots in SB3's DummyVecEnv or SubprocVecEnv, each sub-environment reset by itself."""

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
    bare = env.venv if isinstance(env, VecMonitor) else env
    if isinstance(bare, GymVecEnv) and can_reset_lanes(bare.vector_env):
        return VectorSlots(bare.vector_env)
    if type(env) in (DummyVecEnv, SubprocVecEnv):
        return VecEnvSlots(env)
    warnings.warn(
        f"episodes in a {type(env).__name__} cannot be seeded one by one: this run can be repeated only with "
        f"{env.num_envs} slots",
        stacklevel=2,
    )
    return SharedSlots(env)


def can_reset_lanes(env: VectorEnv) -> bool:
    """Tell whether `reset` takes a `reset_mask` and a list of seeds."""
    disabled = env.metadata.get("autoreset_mode") is AutoresetMode.DISABLED
    return disabled or isinstance(env.unwrapped, (SyncVectorEnv, AsyncVectorEnv))
