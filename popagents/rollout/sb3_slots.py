"""Slots in an SB3 VecEnv, or in Gymnasium's SyncVectorEnv, which is stepped in the same way."""

import warnings
from typing import Any

import numpy as np
from gymnasium.vector import SyncVectorEnv
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, unwrap_vec_normalize

from popagents.common.records import packed, rows_for
from popagents.rollout.slots import Infos, Rows, Slots, check_info, checked, one_each, problems_of, refuse_options


class SyncSlots(Slots):
    """Slots in a SyncVectorEnv or DummyVecEnv, whose bookkeeping takes longer than a step of a small environment."""

    def __init__(self, env: SyncVectorEnv | DummyVecEnv) -> None:
        self.envs = env.envs
        self.n = env.num_envs
        self._buffer = rows_for(self.envs[0].observation_space, self.n)
        self._shape = self._buffer.shape[1:] if self._buffer.dtype.names is None else None
        self._going: list[int] = []
        self._nothing: Infos = [{} for _ in range(self.n)]

    def clear(self) -> None:
        """Step no environment any more."""
        self._going = []

    def begin(self, which: np.ndarray, seeds: np.ndarray, options: Rows) -> Rows:
        """Reset the environments of `which`."""
        slots, infos = np.flatnonzero(which).tolist(), []
        for slot, own in zip(slots, one_each(options, len(slots)), strict=True):
            keywords, self.stepping = {"options": own} if own else {}, slot
            seen, info = self.envs[slot].reset(seed=int(seeds[slot]), **keywords)
            self._buffer[slot] = checked(slot, seen, self._buffer)
            infos.append(info)
        self._going = sorted({*self._going, *slots})
        self.observations = self._buffer.copy()
        return problems_of(infos)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, Infos]:
        """Step the environments whose episode lasts."""
        rewards, dones, infos = np.zeros(self.n), np.zeros(self.n, bool), self._nothing
        envs, buffer, shape, over = self.envs, self._buffer, self._shape, False
        for slot in self._going:
            self.stepping = slot
            seen, rewards[slot], terminated, truncated, info = envs[slot].step(actions[slot])
            if shape is None or getattr(seen, "shape", None) != shape:  # a tenth of the call's time
                seen = checked(slot, seen, buffer)
            buffer[slot] = seen
            if terminated or truncated:
                dones[slot] = over = True
            if info:
                check_info(slot, info)
                infos = list(infos)
                infos[slot] = info
        if over:
            self._going = [slot for slot in self._going if not dones[slot]]
        self.observations = buffer.copy()
        return rewards, dones, infos


class SubprocSlots(Slots):
    """Slots in SB3's SubprocVecEnv, each sub-environment reset by itself."""

    def __init__(self, env: SubprocVecEnv) -> None:
        self.env = env
        self.n = env.num_envs
        self._begun = False
        self._going = np.zeros(self.n, bool)

    def clear(self) -> None:
        """Step no environment any more."""
        self._going[:] = False

    def begin(self, which: np.ndarray, seeds: np.ndarray, options: Rows) -> Rows:
        """Reset the sub-environments of `which`."""
        if not self._begun:
            self.observations = np.array(packed(self.env.reset(), self.env.observation_space))
            self._begun = True
        slots, infos = np.flatnonzero(which).tolist(), []
        self.observations = self.observations.copy()
        for slot, own in zip(slots, one_each(options, len(slots)), strict=True):
            keywords, self.stepping = {"options": own} if own else {}, slot
            ((observation, info),) = self.env.env_method("reset", seed=int(seeds[slot]), indices=[slot], **keywords)
            self.observations[slot] = checked(slot, observation, self.observations)
            infos.append(info)
        self._going |= which
        return problems_of(infos)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, Infos]:
        """Step the sub-environments whose episode lasts, so that no monitor counts what nobody plays."""
        rewards, dones = np.zeros(self.n), np.zeros(self.n, bool)
        infos: Infos = [{} for _ in range(self.n)]
        seen = self.observations.copy()
        for slot, (observation, rewards[slot], dones[slot], infos[slot], _) in self._answers(actions):
            seen[slot] = checked(slot, observation, seen)
        self.observations = seen
        self._going &= ~dones
        return rewards, dones, infos

    def _answers(self, actions: np.ndarray) -> list[tuple[int, Any]]:
        """Send out the actions of episodes that last; return all answers, so that none is left in a pipe."""
        remotes, going, answers = self.env.remotes, np.flatnonzero(self._going).tolist(), []
        for slot in going:
            self.stepping = slot
            remotes[slot].send(("step", actions[slot]))
        for slot in going:
            self.stepping = slot
            answers.append((slot, remotes[slot].recv()))
        return answers


def seed_all(env: VecEnv, seed: int) -> None:
    """Seed an environment, or warn that it takes no seed."""
    try:
        env.seed(seed)
    except AttributeError as error:  # SuperSuit's environments have no method for it
        warnings.warn(f"the environment takes no seed, so that this run cannot be repeated: {error}", stacklevel=2)


class SharedSlots(Slots):
    """Slots in a wrapped SB3 VecEnv, which goes on by itself after each episode."""

    interruptible = False
    takes_options = False

    def __init__(self, env: VecEnv) -> None:
        self.env = env
        self.n = env.num_envs
        self._normalizer = unwrap_vec_normalize(env)
        self._begun = False

    def clear(self) -> None:
        """Let the next players begin anew: idle slots, and those of a table that was stopped, are amid an episode."""
        self._begun = False

    def begin(self, which: np.ndarray, seeds: np.ndarray, options: Rows) -> Rows:
        """Seed and reset everything when nobody plays yet, or all begin; else the next episode has begun already."""
        refuse_options(self, options)
        if which.all() or not self._begun:
            seed_all(self.env, int(seeds[0]))
            self.observations = np.array(packed(self.env.reset(), self.env.observation_space))
            self._begun = True
        return {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, Infos]:
        """Step every sub-environment; rewards are the environment's own, not VecNormalize's."""
        observations, rewards, dones, infos = self.env.step(actions)
        self.observations = np.array(packed(observations, self.env.observation_space))
        if self._normalizer is not None:
            rewards = self._normalizer.get_original_reward()
        return rewards, dones, infos
