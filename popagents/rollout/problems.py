"""Slots that keep a problem: episodes that begin with options of their own.

The protocol, by which any environment lets a learner live many episodes on one problem: `reset` returns
`info["problem"]`, and `reset(options={"problem": that})` plays it again. A native vector environment takes one row of
each option for every lane that is reset; in other environments each slot is reset by itself.
"""

from typing import Any

import numpy as np
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv, VectorEnv
from stable_baselines3.common.vec_env import VecEnv

from popagents.rollout.slots import Slots, SyncSlots, VecEnvSlots, VectorSlots, given

Options = dict[str, Any]  # by name; arrays hold one row a job, other values are for all


class Deck:
    """The options of a round's jobs, dealt in the order in which `play` hands out jobs.

    Attributes:
        problems: what the environment called each job's problem, so far.
    """

    def __init__(self) -> None:
        self.shuffle({})

    def shuffle(self, options: Options) -> None:
        """Begin a round."""
        self._options, self._dealt = options, 0
        self.problems: list[Any] = []

    def deal(self, jobs: int) -> list[Options]:
        """Return the options of the next jobs, one dict each."""
        numbers = range(self._dealt, self._dealt + jobs)
        self._dealt += jobs
        return [
            {name: value[job] if isinstance(value, np.ndarray) else value for name, value in self._options.items()}
            for job in numbers
        ]

    def deal_rows(self, jobs: int) -> Options:
        """Return the options of the next jobs, one row each."""
        first, self._dealt = self._dealt, self._dealt + jobs
        return {
            name: value[first : self._dealt] if isinstance(value, np.ndarray) else value
            for name, value in self._options.items()
        }

    def note(self, info: dict[str, Any]) -> None:
        """Take what a reset said of a job's problem."""
        if "problem" in info:
            self.problems.append(info["problem"])


class VectorProblemSlots(VectorSlots):
    """Slots in a Gymnasium vector environment."""

    def __init__(self, env: VectorEnv) -> None:
        super().__init__(env)
        self.deck = Deck()
        self._one_by_one = isinstance(env.unwrapped, (SyncVectorEnv, AsyncVectorEnv))  # they share options

    def begin(self, which: np.ndarray, seeds: np.ndarray) -> None:
        """Reset the lanes of `which`, each with its job's options."""
        if not self._begun:
            super().begin(which, seeds)  # the others too, so that they can be stepped
        lanes = np.flatnonzero(which)
        own = given(seeds, which)
        if self._one_by_one:
            for lane, options in zip(lanes, self.deck.deal(len(lanes)), strict=True):
                self._reset(np.arange(self.n) == lane, own, options)
        else:
            self._reset(which.copy(), own, self.deck.deal_rows(len(lanes)))
        self._over = self._over & ~which

    def _reset(self, mask: np.ndarray, seeds: list[int | None], options: Options) -> None:
        self.observations, infos = self.env.reset(seed=seeds, options={**options, "reset_mask": mask})  # type: ignore[arg-type]
        if "problem" in infos:
            self.deck.problems += list(infos["problem"][mask])


class SyncProblemSlots(SyncSlots):
    """Slots in a SyncVectorEnv or DummyVecEnv."""

    def __init__(self, slots: SyncSlots) -> None:
        self.__dict__.update(slots.__dict__)
        self.deck = Deck()

    def begin(self, which: np.ndarray, seeds: np.ndarray) -> None:
        """Reset the environments of `which`, each with its job's options."""
        for slot, options in zip(np.flatnonzero(which).tolist(), self.deck.deal(int(which.sum())), strict=True):
            self._buffer[slot], info = self.envs[slot].reset(seed=int(seeds[slot]), options=options)
            self.deck.note(info)
        self._going |= which
        self.observations = self._buffer.copy()


class VecEnvProblemSlots(VecEnvSlots):
    """Slots in SB3's SubprocVecEnv."""

    def __init__(self, env: VecEnv) -> None:
        super().__init__(env)
        self.deck = Deck()

    def begin(self, which: np.ndarray, seeds: np.ndarray) -> None:
        """Reset the sub-environments of `which`, each with its job's options."""
        if not self._begun:
            super().begin(which, seeds)
        for slot, options in zip(np.flatnonzero(which), self.deck.deal(int(which.sum())), strict=True):
            ((observation, info),) = self.env.env_method(
                "reset", seed=int(seeds[slot]), options=options, indices=[int(slot)]
            )
            self.observations[slot] = observation
            self.deck.note(info)


ProblemSlots = VectorProblemSlots | SyncProblemSlots | VecEnvProblemSlots


def pinning(slots: Slots) -> ProblemSlots:
    """Return slots in the same environment that keep problems.

    Raises:
        ValueError: the slots cannot be reset one by one with options.
    """
    if isinstance(slots, ProblemSlots):
        return slots
    pinned: ProblemSlots
    if isinstance(slots, VectorSlots):
        pinned = VectorProblemSlots(slots.env)
    elif isinstance(slots, SyncSlots):
        pinned = SyncProblemSlots(slots)
    elif isinstance(slots, VecEnvSlots):
        pinned = VecEnvProblemSlots(slots.env)
    else:
        raise ValueError(
            f"{type(slots).__name__} cannot be reset one by one with options, which lifetimes need; give the "
            "environment without its wrappers"
        )
    pinned.longest = slots.longest
    return pinned
