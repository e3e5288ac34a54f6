"""Copies of a PettingZoo parallel environment as one Gymnasium vector environment, where members of a population meet.

A copy is a lane, and each of its N agents a seat: slot l * N + p is the p-th of `possible_agents` in lane l, as in a
native game of N players.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from pettingzoo import AECEnv, ParallelEnv

from popagents.common.records import rows_for, unpacked
from popagents.rollout.slots import checked, one_each


class ParallelVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """Parallel environments side by side, in autoreset mode DISABLED.

    The agents of a lane begin together, from one seed. An agent's episode ends when it is terminated or truncated or is
    no longer among `agents`. Until those of the others have ended it waits: what it does means nothing, it sees what it
    saw last and gets 0, and its `terminated` or `truncated` is told with theirs, in the lane's last step. A lane that
    has ended, or has not begun, waits for a reset.

    Args:
        env_fns: functions that make the environments, one a lane.

    Attributes:
        envs: the environments.
        seats: how many slots, one after the other, play with each other.
        playing: bool, (slots,), whose episode goes on.
        stepping: the first slot of the lane that was stepped or reset last.

    Raises:
        ValueError: an environment's agents take turns, or have different spaces.
    """

    lanes_may_wait = True

    def __init__(self, env_fns: Sequence[Callable[[], ParallelEnv[Any, Any, Any]]]) -> None:
        self.envs = [make() for make in env_fns]
        env = self.envs[0]
        self.agents = agents_of(env)
        self.seats = len(self.agents)
        self.num_envs = n = self.seats * len(self.envs)
        self.metadata = {**getattr(env, "metadata", {}), "autoreset_mode": AutoresetMode.DISABLED}
        self.render_mode = getattr(env, "render_mode", None)
        self.single_observation_space = joint_space(env, "observation_space", "pad_observations_v0")
        self.single_action_space = joint_space(env, "action_space", "pad_action_space_v0")
        self.observation_space = batch_space(self.single_observation_space, n)
        self.action_space = batch_space(self.single_action_space, n)
        self.stepping = 0
        self.playing, self._terminated, self._truncated = (np.zeros(n, bool) for _ in range(3))
        self._seen = rows_for(self.single_observation_space, n)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode in every lane, or in those of `options["reset_mask"]`.

        Args:
            seed: an int s gives lane l the seed s + l * N; of a sequence, one a slot, each lane's first counts.
            options: `reset_mask`, bool (slots,), which holds whole lanes; the others are the environments' own. Where
                arrays hold one row a slot that begins, each lane's first counts.

        Raises:
            ValueError: the mask holds a part of a lane, or an agent is missing in the first observations.
            SlotError: an observation has another shape than the space.
        """
        own = dict(options or {})
        which = self._which(own.pop("reset_mask", None))
        seeds = seed if isinstance(seed, Sequence) else [None if seed is None else seed + i for i in range(len(which))]
        firsts, infos = np.flatnonzero(which)[:: self.seats].tolist(), dict[str, Any]()
        for first, given in zip(firsts, one_each(own, int(which.sum()))[:: self.seats], strict=True):
            infos = self._begin(first, seeds[first], given, infos)
        return unpacked(self._seen.copy()), infos

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Play one step in every lane that does not wait.

        Returns:
            observations (slots, ...) or a dict of such, rewards float64, terminated and truncated bool (slots,), infos.

        Raises:
            SlotError: an observation has another shape than the space.
        """
        rewards, infos, before = np.zeros(self.num_envs), dict[str, Any](), self._lanes_playing()
        for lane in np.flatnonzero(before).tolist():
            infos = self._play(lane * self.seats, actions, rewards, infos)
        ended = np.repeat(before & ~self._lanes_playing(), self.seats)
        return unpacked(self._seen.copy()), rewards, self._terminated & ended, self._truncated & ended, infos

    def wait(self) -> None:
        """Let all lanes wait for a reset."""
        self.playing[:] = False

    def render(self) -> tuple[Any, ...] | None:
        """Return one picture a slot, that of its lane."""
        if self.render_mode is None:
            return None
        return tuple(picture for env in self.envs for picture in [env.render()] * self.seats)

    def close_extras(self, **kwargs: Any) -> None:
        """Close the environments."""
        for env in self.envs:
            env.close()

    def _lanes_playing(self) -> np.ndarray:
        return np.asarray(self.playing.reshape(-1, self.seats).any(axis=1))

    def _which(self, mask: np.ndarray | None) -> np.ndarray:
        """Return which slots are to begin.

        Raises:
            ValueError: a part of a lane.
        """
        which = np.ones(self.num_envs, bool) if mask is None else np.asarray(mask, bool)
        lanes = which.reshape(-1, self.seats)
        if (lanes != lanes[:, :1]).any():
            raise ValueError(
                f"options['reset_mask'] is {which!r}; the {self.seats} agents of a lane begin together: it must hold "
                "all of them or none"
            )
        return which

    def _begin(self, first: int, seed: int | None, options: dict[str, Any], infos: dict[str, Any]) -> dict[str, Any]:
        """Begin an episode in the lane whose first slot is given; return all infos."""
        self.stepping = first
        env = self.envs[first // self.seats]
        seen, told = env.reset(seed=seed, options=options) if options else env.reset(seed=seed)
        missing = [agent for agent in self.agents if agent not in seen]
        if missing:
            raise ValueError(f"{missing} saw nothing at the reset; all of {self.agents} must play from the first step")
        for slot, agent in enumerate(self.agents, first):
            self._see(slot, seen[agent])
            infos = self._add_info(infos, told.get(agent, {}), slot)
        lane = slice(first, first + self.seats)
        self.playing[lane], self._terminated[lane], self._truncated[lane] = True, False, False
        return infos

    def _play(self, first: int, actions: np.ndarray, rewards: np.ndarray, infos: dict[str, Any]) -> dict[str, Any]:
        """Play a step in the lane whose first slot is given; write its rewards and return all infos."""
        self.stepping = first
        env, slots = self.envs[first // self.seats], {agent: slot for slot, agent in enumerate(self.agents, first)}
        seen, paid, terminated, truncated, told = env.step({agent: actions[slots[agent]] for agent in env.agents})
        for agent, slot in slots.items():
            if self.playing[slot]:
                if agent in seen:
                    self._see(slot, seen[agent])
                rewards[slot] = paid.get(agent, 0)
                self._truncated[slot] = truncated.get(agent, False)
                gone = agent not in env.agents and not self._truncated[slot]
                self._terminated[slot] = gone or terminated.get(agent, False)
                self.playing[slot] = not (self._terminated[slot] or self._truncated[slot])
                infos = self._add_info(infos, told.get(agent, {}), slot)
        return infos

    def _see(self, slot: int, seen: Any) -> None:
        self._seen[slot] = checked(slot, seen, self._seen)


def side_by_side(env: ParallelEnv[Any, Any, Any], slots: int) -> ParallelVectorEnv:
    """Put as many copies of an environment side by side as `slots` have room for, the first being itself.

    Raises:
        ValueError: it cannot be copied, or see `ParallelVectorEnv`.
    """
    lanes = max(1, slots // len(agents_of(env)))
    try:
        copies = [copy.deepcopy(env) for _ in range(lanes - 1)]
    except Exception as error:
        raise ValueError(
            f"{env} cannot be copied ({type(error).__name__}: {error}); hand over a vector environment, "
            "popagents.ParallelVectorEnv([make] * lanes), where make() makes one"
        ) from error
    return ParallelVectorEnv([lambda made=made: made for made in (env, *copies)])  # type: ignore[misc]


def agents_of(env: Any) -> list[Any]:
    """Return the agents of a parallel environment, in the order of their seats.

    Raises:
        ValueError: agents take turns in it, or it does not say who they are.
    """
    if isinstance(env, AECEnv):
        raise ValueError(
            f"{env} is an AECEnv, in which agents take turns; members act at once: hand over "
            "pettingzoo.utils.aec_to_parallel(env), or the module's parallel_env()"
        )
    if not getattr(env, "possible_agents", None):
        raise ValueError(f"{env} has no possible_agents; they must name all agents, who take the seats in that order")
    return list(env.possible_agents)


def joint_space(env: ParallelEnv[Any, Any, Any], kind: str, padding: str) -> spaces.Space[Any]:
    """Return the space, "observation_space" or "action_space", that all agents have; `padding` is SuperSuit's remedy.

    Raises:
        ValueError: two agents have different ones.
    """
    first, *others = [(agent, getattr(env, kind)(agent)) for agent in env.possible_agents]
    for agent, space in others:
        if space != first[1]:
            raise ValueError(
                f"the {kind} of {first[0]!r} is {first[1]} and that of {agent!r} is {space}; members take any seat, so "
                f"all agents need equal ones: supersuit.{padding}(env) makes them equal"
            )
    return first[1]
