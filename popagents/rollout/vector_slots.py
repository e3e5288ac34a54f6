"""Slots in a Gymnasium vector environment."""

from typing import Any

import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from popagents.common.records import packed
from popagents.rollout.parallel_env import ParallelVectorEnv
from popagents.rollout.slots import Infos, Rows, Slots, one_each, problems_of, refuse_options
from popagents.rollout.vec_env import lane_info, mode_of


class VectorSlots(Slots):
    """Slots in a vector environment with masked reset: ours, AsyncVectorEnv, a wrapped SyncVectorEnv."""

    def __init__(self, env: VectorEnv) -> None:
        self.env = env
        self.n = env.num_envs
        self._space = env.single_observation_space
        self._resets = mode_of(env) is AutoresetMode.DISABLED and not getattr(env.unwrapped, "lanes_may_wait", False)
        self._one_by_one = isinstance(env.unwrapped, (SyncVectorEnv, AsyncVectorEnv))  # these share options
        self._begun = False
        self._over = np.zeros(self.n, bool)
        self._infos: Infos = [{} for _ in range(self.n)]

    def begin(self, which: np.ndarray, seeds: np.ndarray, options: Rows) -> Rows:
        """Reset the lanes of `which`; the very first time the others too, so that they can be stepped."""
        own: Any = given(seeds, which)
        if not self._begun:
            infos = self._reset(own, None)
            self._begun = True
            if not options:
                return rows_of(infos, which)
        self._over = self._over & ~which
        if options and self._one_by_one:
            return self._reset_one_by_one(which, own, options)
        return rows_of(self._reset(own, {**options, "reset_mask": which.copy()}), which)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, Infos]:
        """Step every lane; lanes left over from ended episodes are reset first, unless they may wait, and idle on."""
        if self._resets and np.count_nonzero(self._over):  # a tenth of any()'s time
            self.env.reset(options={"reset_mask": self._over})
        seen, rewards, terminated, truncated, infos = self.env.step(actions)
        self.observations = packed(seen, self._space)
        self._over = np.asarray(terminated | truncated, bool)
        return rewards, self._over, [lane_info(infos, i) for i in range(self.n)] if infos else self._infos

    def _reset_one_by_one(self, which: np.ndarray, seeds: Any, options: Rows) -> Rows:
        lanes, infos = np.flatnonzero(which), []
        for lane, own in zip(lanes, one_each(options, len(lanes)), strict=True):
            mask = np.arange(self.n) == lane
            infos.append(lane_info(self._reset(seeds, {**own, "reset_mask": mask}), int(lane)))
        return problems_of(infos)

    def _reset(self, seeds: Any, options: Rows | None) -> Rows:
        seen, infos = self.env.reset(seed=seeds, options=options)
        self.observations = packed(seen, self._space)
        return infos


class ParallelSlots(VectorSlots):
    """Slots in copies of a PettingZoo environment, wrapped or not: who leaves before the others is done at once."""

    def __init__(self, env: VectorEnv, lanes: ParallelVectorEnv) -> None:
        super().__init__(env)
        self.lanes = lanes
        self._begun = True  # lanes that have not begun wait

    def clear(self) -> None:
        """Step no environment any more."""
        self.lanes.wait()

    def begin(self, which: np.ndarray, seeds: np.ndarray, options: Rows) -> Rows:
        """Reset the lanes of `which`, which holds whole ones."""
        try:
            return super().begin(which, seeds, options)
        finally:
            self.stepping = self.lanes.stepping

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, Infos]:
        """Step every lane that plays."""
        before = self.lanes.playing.copy()
        try:
            rewards, _, infos = super().step(actions)
        finally:
            self.stepping = self.lanes.stepping
        return rewards, before & ~self.lanes.playing, infos


class AtariSlots(Slots):
    """Slots in ale-py's AtariVectorEnv, which resets ended lanes by itself, without a seed.

    A seeded reset loads the ROM anew, as long as 300 decisions; `AtariLanes` does without. Make the
    environment with `reward_clipping=False`, or the score is hidden.
    """

    takes_options = False

    def __init__(self, env: VectorEnv) -> None:
        self.env = env
        self.n = env.num_envs
        self._begun = False
        self._infos: Infos = [{} for _ in range(self.n)]

    def begin(self, which: np.ndarray, seeds: np.ndarray, options: Rows) -> Rows:
        """Reset the lanes of `which`, the very first time the others too: one seed for each lane that is reset."""
        refuse_options(self, options)
        given: Any = seeds[which] if self._begun else seeds.copy()
        mask = {"reset_mask": which.copy()} if self._begun else None
        self.observations, _ = self.env.reset(seed=given, options=mask)
        self._begun = True
        return {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, Infos]:
        """Step every lane; infos would hold lives and frame numbers, a dict a lane and step, and are left out."""
        self.observations, rewards, terminated, truncated, _ = self.env.step(actions)
        return rewards.astype(np.float64), terminated | truncated, self._infos


def given(seeds: np.ndarray, which: np.ndarray) -> list[int | None]:
    """Return the seeds of the lanes `which`, and None for the others."""
    if which.all():
        return seeds.tolist()
    return [int(seed) if begins else None for seed, begins in zip(seeds, which, strict=True)]


def rows_of(infos: Rows, which: np.ndarray) -> Rows:
    """Return the rows of `which` of what all of them were told."""
    told = {name: rows for name, rows in infos.items() if not name.startswith("_") and isinstance(rows, np.ndarray)}
    return {name: rows[which] for name, rows in told.items() if infos.get("_" + name, which)[which].all()}
