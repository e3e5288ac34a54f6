"""Playing: the episodes of all candidates at once, with exact step counts.

An episode is a *job*: who plays, the seed of the environment and the key of the action draws. Jobs go to slots in
order; a slot whose episode ends takes the next one. Every job's result depends on the job alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numba import njit

from popagents.population.actions import Actions
from popagents.population.population import Population
from popagents.rollout.slots import Slots

PROBE = 16  # situations in which members are compared


@dataclass
class Step:
    """What one step of the slots gave, as callbacks see it (n slots; only those in `live` were playing a job)."""

    live: np.ndarray
    rewards: np.ndarray
    dones: np.ndarray
    infos: list[dict[str, Any]]


@dataclass
class Record:
    """What was seen and done: every step of every slot, and where each job's steps lie in it.

    Attributes:
        observations: (steps, n, *shape).
        actions: (steps, n, ...).
        spans: int64, (jobs, 3): slot, first step, step after the last.
    """

    observations: np.ndarray
    actions: np.ndarray
    spans: np.ndarray

    def pairs(self, jobs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the observations (pairs, *shape) and actions (pairs, ...) of some jobs, in order."""
        parts = [(slice(first, end), slot) for slot, first, end in self.spans[jobs]]
        if len(parts) == 1:
            return self.observations[parts[0]], self.actions[parts[0]]
        return tuple(np.concatenate([a[part] for part in parts]) for a in (self.observations, self.actions))  # type: ignore


@dataclass
class Lives:
    """What became of the jobs.

    Attributes:
        members: int64, (jobs,), who played.
        returns: float64, (jobs,), sums of rewards.
        lengths: int64, (jobs,), steps.
        probe: (up to 16, *shape), what was seen before the last action of the first jobs: situations to compare
            members in.
        record: what was seen and done, if it was asked for.
        told: floats in the infos of an episode's last step, by name: float64, (jobs,), NaN where nothing was told.
    """

    members: np.ndarray
    returns: np.ndarray
    lengths: np.ndarray
    probe: np.ndarray
    record: Record | None = None
    told: dict[str, np.ndarray] = field(default_factory=dict)

    def fitness(self, size: int) -> np.ndarray:
        """Return each member's mean return, float64, (size,); NaN for members that did not play."""
        played = np.bincount(self.members, minlength=size)
        with np.errstate(invalid="ignore"):
            return np.bincount(self.members, self.returns, minlength=size) / played

    def joined(self, other: "Lives") -> "Lives":
        """Return these lives and then the other's, with the probe and the record of these."""
        told = {}
        for name in sorted(self.told.keys() | other.told.keys()):
            told[name] = np.concatenate(
                [lives.told.get(name, np.full(len(lives.members), np.nan)) for lives in (self, other)]
            )
        return replace(
            self,
            members=np.concatenate([self.members, other.members]),
            returns=np.concatenate([self.returns, other.returns]),
            lengths=np.concatenate([self.lengths, other.lengths]),
            told=told,
        )


@dataclass
class Recorder:
    """Keeps what is seen and done, in buffers that grow by doubling and are used again by the next generation."""

    observations: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    actions: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))

    def write(self, t: int, observations: np.ndarray, actions: np.ndarray) -> None:
        """Keep step t."""
        self.observations = fitted(self.observations, t, observations)
        self.actions = fitted(self.actions, t, actions)
        self.observations[t] = observations
        self.actions[t] = actions


def fitted(buffer: np.ndarray, t: int, row: np.ndarray) -> np.ndarray:
    """Return a buffer of rows like `row` that has a place t, keeping the rows before."""
    if buffer.shape[1:] != row.shape or buffer.dtype != row.dtype:
        return np.empty((128, *row.shape), row.dtype)
    if t < len(buffer):
        return buffer
    return np.concatenate([buffer, np.empty_like(buffer)])


class RandomPlayers:
    """Players without a policy: discrete actions are equally likely, those of a Box normal(0, 1), clipped to it.

    They play where a `Population` does.
    """

    def __init__(self, actions: Actions) -> None:
        self.actions = actions

    def act(self, members: np.ndarray, observations: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
        """Choose one action per row of `noise`, as `Population.act` does."""
        outputs = np.zeros((len(members), self.actions.n_outputs), np.float32)
        return self.actions.choose(outputs, noise, np.zeros_like(outputs))


class Seats:
    """Which job each slot is playing.

    Attributes:
        live: int64, (k,), the slots that are playing a job.
        jobs: int64, (k,), what they play.
        who: int64, (k,), the members that play there.
        spans: int64, (jobs, 3), as in `Record`.
    """

    def __init__(
        self, slots: Slots, members: np.ndarray, seeds: np.ndarray, actions: Actions, order: np.ndarray
    ) -> None:
        self.slots, self.members, self.seeds, self.order = slots, members, seeds, order
        self.spans = np.zeros((len(members), 3), np.int64)
        self._job = np.full(slots.n, -1)
        self._done = np.ones(slots.n, bool)
        self._handed_out = 0
        self._actions = actions.idle(slots.n)

    def fill(self, t: int) -> bool:
        """Give the free slots the next jobs, at step t of the slots; tell whether anybody is playing."""
        if np.count_nonzero(self._done):  # a tenth of any()'s time
            takers = np.flatnonzero(self._done | (self._job < 0))
            self._job[takers] = -1
            takers = takers[: len(self.members) - self._handed_out]
            jobs = self.order[self._handed_out : self._handed_out + len(takers)]
            self._job[takers] = jobs
            self._handed_out += len(takers)
            if len(takers):
                self._begin(takers, self.seeds[jobs])
                self.spans[jobs, 0], self.spans[jobs, 1] = takers, t
            self.live = np.flatnonzero(self._job >= 0)
            self.jobs = self._job[self.live]
            self.who = self.members[self.jobs]
        return len(self.live) > 0

    def of_live(self, rows: np.ndarray) -> np.ndarray:
        """Return the rows (one a slot) of the slots that are playing."""
        return rows if len(self.live) == len(rows) else rows[self.live]

    def spread(self, chosen: np.ndarray) -> np.ndarray:
        """Return one action a slot: what was chosen, and anything valid in idle slots."""
        if len(self.live) < len(self._actions):
            self._actions[self.live] = chosen
            return self._actions
        return chosen

    def step(self, actions: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Play step t in every slot; say what failed and where if the environment raises."""
        try:
            rewards, dones, infos = self.slots.step(actions)
        except Exception as error:
            raise RuntimeError(
                f"the environment raised {type(error).__name__}: {error} at step {t} while members {self.who.tolist()} "
                f"were playing episodes seeded {self.seeds[self.jobs].tolist()}; nothing was learned from this "
                "generation: repair the environment and go on with learn(..., resume=True)"
            ) from error
        self._done = dones
        return rewards, dones, infos

    def cut_off(self, tired: np.ndarray) -> np.ndarray:
        """End the jobs of `tired` (bool, (k,), one a live slot) with this step; return which slots are over."""
        self._done = self._done.copy()
        self._done[self.live] |= tired
        return self._done

    def ended(self, t: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the slots whose job has ended with step t, and the jobs."""
        slots = self.live[self._done[self.live]]
        self.spans[self._job[slots], 2] = t + 1
        return slots, self._job[slots]

    def _begin(self, takers: np.ndarray, seeds: np.ndarray) -> None:
        which, slot_seeds = np.zeros(self.slots.n, bool), np.zeros(self.slots.n, np.int64)
        which[takers], slot_seeds[takers] = True, seeds
        try:
            self.slots.begin(which, slot_seeds)
        except Exception as error:
            raise RuntimeError(
                f"the environment raised {type(error).__name__}: {error} when episodes seeded {seeds.tolist()} were to "
                "begin"
            ) from error


def play(
    population: Population | RandomPlayers,
    slots: Slots,
    members: np.ndarray,
    seeds: np.ndarray,
    keys: np.ndarray | None,
    recorder: Recorder | None = None,
    on_step: Callable[[Step], bool] | None = None,
    watch: Callable[[np.ndarray, np.ndarray], None] | None = None,
    order: np.ndarray | None = None,
    cutoff: int | None = None,
) -> Lives | None:
    """Play one episode per job.

    Args:
        population: whose members play.
        slots: where.
        members: int64, (jobs,), who plays each job.
        seeds: int64, (jobs,), the environment's seed in each.
        keys: uint64, (jobs,), keys of the action draws; None plays the likeliest actions.
        recorder: keeps observations and actions.
        on_step: called after each step; False stops at once.
        watch: called before each step with the jobs (k,) that are played and what they see (k, *shape).
        order: int64, (jobs,), the jobs in the order in which they take slots; None: as they are numbered.
        cutoff: steps after which an episode is cut off; None lets all of them end.

    Returns:
        What became of the jobs; None when `on_step` stopped it.

    Raises:
        RuntimeError: the environment failed, or a return is not finite; it names the member and the seed.
        ValueError: episodes are to be cut off where they cannot be.
    """
    if cutoff is not None and not slots.interruptible:
        raise ValueError(
            f"episodes are to be cut off after {cutoff} steps; those in {type(slots).__name__} go on by themselves: "
            "give the environment without its wrappers, or with max_episode_steps"
        )
    returns, lengths = np.zeros(len(members)), np.zeros(len(members), np.int64)
    seats = Seats(slots, members, seeds, population.actions, np.arange(len(members)) if order is None else order)
    probe: dict[int, np.ndarray] = {}
    told: dict[str, np.ndarray] = {}
    t = 0
    while seats.fill(t):
        seen = seats.of_live(slots.observations)
        noise = None if keys is None else population.actions.noise(keys[seats.jobs], lengths[seats.jobs])
        actions = seats.spread(population.act(seats.who, seen, noise))
        if watch is not None:
            watch(seats.jobs, seen)
        if recorder is not None:
            recorder.write(t, slots.observations, actions)
        rewards, dones, infos = seats.step(actions, t)
        tally(returns, lengths, seats.jobs, seats.of_live(rewards))
        if cutoff is not None:
            dones = seats.cut_off(lengths[seats.jobs] >= cutoff)
        if np.count_nonzero(dones):
            over, jobs = seats.ended(t)
            check_finite(returns[jobs], members[jobs], seeds[jobs])
            note(told, infos, over, jobs, len(members))
            infos = with_episodes(infos, over, returns[jobs], lengths[jobs])
            first = jobs < PROBE
            probe.update(zip(jobs[first].tolist(), seen[np.searchsorted(seats.live, over[first])], strict=True))
        t += 1
        if t > slots.longest:
            check_ends(lengths[seats.jobs], slots.longest, seats.who, seeds[seats.jobs])
        if on_step is not None and not on_step(Step(seats.live, rewards, dones, infos)):
            return None
    record = None if recorder is None else Record(recorder.observations, recorder.actions, seats.spans)
    return Lives(members, returns, lengths, np.stack([probe[job] for job in sorted(probe)]), record, told)


@njit(cache=True)
def tally(returns: np.ndarray, lengths: np.ndarray, jobs: np.ndarray, rewards: np.ndarray) -> None:
    """Add a step's rewards (k,) to the returns of the jobs (k,) that were played, and 1 to their lengths."""
    for i in range(len(jobs)):
        returns[jobs[i]] += rewards[i]
        lengths[jobs[i]] += 1


def note(told: dict[str, np.ndarray], infos: list[dict[str, Any]], slots: np.ndarray, jobs: np.ndarray, n: int) -> None:
    """Keep the floats that the infos of these slots tell of the jobs that ended in them, of n jobs."""
    for slot, job in zip(slots.tolist(), jobs.tolist(), strict=True):
        for name, value in infos[slot].items():
            if isinstance(value, float):
                told.setdefault(name, np.full(n, np.nan))[job] = value


def check_finite(returns: np.ndarray, members: np.ndarray, seeds: np.ndarray) -> None:
    """Refuse returns that are NaN or infinite.

    Raises:
        RuntimeError: naming the member and the seed.
    """
    for i in np.flatnonzero(~np.isfinite(returns)):
        raise RuntimeError(
            f"member {members[i]} got a return of {returns[i]} in the episode seeded {seeds[i]}; returns must be "
            "finite: look for a reward of NaN or infinity in the environment"
        )


def check_ends(lengths: np.ndarray, longest: int, members: np.ndarray, seeds: np.ndarray) -> None:
    """Refuse episodes that do not end.

    Raises:
        RuntimeError: naming the member, the seed and the remedy.
    """
    for i in np.flatnonzero(lengths > longest):
        raise RuntimeError(
            f"member {members[i]}'s episode seeded {seeds[i]} has not ended after {longest} steps; make the "
            "environment with a limit, gym.make(id, max_episode_steps=...): a higher one if episodes may last so long"
        )


def with_episodes(
    infos: list[dict[str, Any]], slots: np.ndarray, returns: np.ndarray, lengths: np.ndarray
) -> list[dict[str, Any]]:
    """Add the entry by which SB3's monitors report an episode: r return, l length (steps)."""
    infos = list(infos)
    for slot, r, length in zip(slots.tolist(), returns.tolist(), lengths.tolist(), strict=True):
        infos[slot] = {**infos[slot], "episode": {"r": r, "l": length}}
    return infos
