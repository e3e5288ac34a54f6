"""Which job each slot is playing, from the first episode handed out to the last one ended."""

from math import isfinite
from typing import Any

import numpy as np

from popagents.common.records import unpacked
from popagents.rollout.jobs import Jobs, Options
from popagents.rollout.slots import Infos, SlotError, Slots
from popagents.rollout.step import Step


class Seating:
    """Deals one episode of every job to slots.

    Args:
        slots: where.
        jobs: the table.
        episode: which of each job's episodes.
        options: for the resets; arrays hold one row a job.

    Attributes:
        live: int64, (k,), the slots that are playing a job.
        playing: int64, (k,), the job of each.
        players: int64, (k,), who plays it.
        keys: uint64, (k,), of its action draws; None where it takes the likeliest actions.
        spans: int64, (jobs, 3): each job's slot, its first step there and the step after its last.
        problems: what resets called each job's problem, (jobs, ...); None if they named none.
    """

    def __init__(self, slots: Slots, jobs: Jobs, episode: int, options: Options) -> None:
        self.slots, self.jobs, self.episode, self.options = slots, jobs, episode, options
        self.spans = np.zeros((len(jobs), 3), np.int64)
        self.problems: np.ndarray | None = None
        self._job = np.full(slots.n, -1)
        self._free, self._some_free = np.ones(slots.n, bool), True
        self._handed_out = 0
        slots.clear()

    def fill(self, t: int) -> bool:
        """Give free slots the next jobs, at step t; tell whether anybody is playing."""
        if self._some_free:
            self._job[self._free] = -1
            takers = vacant(self._job < 0, self.jobs.seats)[: len(self.jobs) - self._handed_out]
            if len(takers):
                self._job[takers] = self._handed_out + np.arange(len(takers))
                self._handed_out += len(takers)
                self.spans[self._job[takers], 0], self.spans[self._job[takers], 1] = takers, t
                self._begin(takers, t)
            self.live = np.flatnonzero(self._job >= 0)
            self.playing = self._job[self.live]
            self.players = self.jobs.player[self.playing]
            self.keys = None if self.jobs.keys is None else self.jobs.keys[self.playing, self.episode]
        return len(self.live) > 0

    def step(self, t: int, actions: np.ndarray) -> Step:
        """Play step t in every slot; say what failed and where if the environment raises."""
        before = self.slots.observations
        try:
            rewards, dones, infos = self.slots.step(actions)
        except SlotError as error:
            raise self.refused(t + 1, error.slot, str(error)) from error
        except Exception as error:
            raise RuntimeError(
                f"the environment raised {type(error).__name__}: {error} at step {t} while {self._who(self.live)}; "
                "nothing was learned from this generation: repair the environment and go on with "
                "learn(..., resume=True)"
            ) from error
        self._free = dones = np.asarray(dones, bool)  # SuperSuit's are uint8, which would index
        self._some_free = bool(np.count_nonzero(dones))  # a tenth of any()'s time
        return Step(t, self.live, self.playing, before, actions, rewards, dones, self._some_free, infos)

    def refused(self, t: int, slot: int, problem: str) -> RuntimeError:
        """Return the error that names who met what after t steps: `problem` is a sentence without its subject."""
        job = self._job[slot]
        return RuntimeError(
            f"member {self.jobs.member[job]} got {problem}, at step {t - self.spans[job, 1]} of the episode "
            f"seeded {self._seeds(job)}; nothing was learned from this generation: repair the environment and go on "
            "with learn(..., resume=True)"
        )

    def check_seen(self, t: int) -> None:
        """Refuse what players are about to see where it is no observation.

        Args:
            t: steps played so far.

        Raises:
            RuntimeError: it has another shape than the space, or holds None, NaN or infinity; it names the member.
        """
        seen, shape = self.slots.observations, self.slots.shape
        if shape is not None and seen.shape[1:] != shape:
            problem = f"an observation of shape {seen.shape[1:]}; the space's is {shape}"
            raise self.refused(t, int(self.live[0]), problem)
        kind = seen.dtype.kind
        if kind not in "fcOV" or (kind == "f" and sound(seen)):
            return
        for part in (seen,) if seen.dtype.names is None else unpacked(seen).values():
            slot = unfit(part, self.live)
            if slot is not None:
                problem = f"the observation {unpacked(seen[slot])}; it must hold finite numbers"
                raise self.refused(t, slot, problem)

    def cut_off(self, step: Step, tired: np.ndarray) -> None:
        """End the jobs of `tired` (bool, (k,), one a live slot) with this step."""
        self._free = step.dones = step.dones.copy()
        step.dones[self.live] |= tired
        self._some_free = step.ended = bool(np.count_nonzero(step.dones))

    def end(self, step: Step, returns: np.ndarray, lengths: np.ndarray, infos: dict[str, np.ndarray]) -> Infos:
        """Close the episodes that ended with a step.

        Args:
            step: the step.
            returns: float64, (jobs,), so far.
            lengths: int64, (jobs,), so far.
            infos: the floats that the infos of these episodes hold are kept here, by name.

        Returns:
            The step's infos, with the entry by which SB3's monitors report an episode: r return, l length (steps).

        Raises:
            RuntimeError: a return is NaN or infinite.
        """
        slots = self.live[step.dones[self.live]]
        jobs = self._job[slots]
        self.spans[jobs, 2] = step.t + 1
        if not np.isfinite(returns[jobs]).all():
            check_finite(returns[jobs], self.jobs.member[jobs], self._seeds(jobs))
        told = list(step.infos)
        for slot, job in zip(slots.tolist(), jobs.tolist(), strict=True):
            for name, value in told[slot].items():
                if isinstance(value, float):
                    infos.setdefault(name, np.full(len(self.jobs), np.nan))[job] = value
            told[slot] = {**told[slot], "episode": {"r": float(returns[job]), "l": int(lengths[job])}}
        return told

    def check_ends(self, lengths: np.ndarray) -> None:
        """Refuse episodes that do not end.

        Raises:
            RuntimeError: naming the member, the seed and the remedy.
        """
        longest = self.slots.longest
        for job in self.playing[lengths[self.playing] > longest]:
            raise RuntimeError(
                f"member {self.jobs.member[job]}'s episode seeded {self._seeds(job)} has not ended after {longest} "
                "steps; make the environment with a limit, gym.make(id, max_episode_steps=...): a higher one if "
                "episodes may last so long"
            )

    def _who(self, slots: np.ndarray) -> str:
        """Name who failed in one of some slots, and whom it met, or the first of those who may have."""
        one, seats = self.slots.stepping, self.jobs.seats
        group = slots if one is None else np.arange(seats) + one // seats * seats
        jobs = self._job[group][self._job[group] >= 0]
        members, seeds = (some(numbers) for numbers in (self.jobs.member[jobs], self._seeds(jobs)))
        return f"member{'s' * (len(jobs) > 1)} {members} played, seeded {seeds}"

    def _seeds(self, jobs: Any) -> np.ndarray:
        return self.jobs.seeds[jobs, self.episode]

    def _begin(self, takers: np.ndarray, t: int) -> None:
        jobs = self._job[takers]
        infos = self._reset(takers, jobs, t)
        if "problem" in infos:
            problems = infos["problem"]
            if self.problems is None:
                self.problems = np.zeros((len(self.jobs), *problems.shape[1:]), problems.dtype)
            self.problems[jobs] = problems

    def _reset(self, takers: np.ndarray, jobs: np.ndarray, t: int) -> Options:
        which, slot_seeds = np.zeros(self.slots.n, bool), np.zeros(self.slots.n, np.int64)
        which[takers], slot_seeds[takers] = True, self._seeds(jobs)
        options = {k: v[jobs] if isinstance(v, np.ndarray) else v for k, v in self.options.items()}
        try:
            return self.slots.begin(which, slot_seeds, options)
        except SlotError as error:
            raise self.refused(t, error.slot, str(error)) from error
        except Exception as error:
            raise RuntimeError(
                f"the environment raised {type(error).__name__}: {error} at a reset, while {self._who(takers)}"
            ) from error


def vacant(empty: np.ndarray, seats: int) -> np.ndarray:
    """Return the empty slots (bool, (n,)) of groups in which nobody plays on: who leaves early waits for the others.

    >>> vacant(np.array([True, False, True, True]), 2).tolist()
    [2, 3]
    """
    return np.flatnonzero(empty if seats == 1 else np.repeat(empty.reshape(-1, seats).all(axis=1), seats))


def some(numbers: np.ndarray) -> str:
    """List numbers, the first three of many.

    >>> some(np.arange(3)), some(np.arange(3000))
    ('0, 1, 2', '0, 1, 2 and 2997 more')
    """
    more = f" and {len(numbers) - 3} more" if len(numbers) > 3 else ""
    return ", ".join(map(str, numbers[:3].tolist())) + more


def unfit(seen: np.ndarray, live: np.ndarray) -> int | None:
    """Return the first of the slots `live` where an array (n, ...) holds None, NaN or infinity; None if none does."""
    kind = seen.dtype.kind
    if kind not in "fcO" or (kind == "f" and sound(seen)):
        return None
    return next((slot for slot in live.tolist() if kind == "O" or not np.isfinite(seen[slot]).all()), None)


def sound(seen: np.ndarray) -> bool:
    """Tell whether the sum of squares is finite, as it is only if every number is; asking each takes longer."""
    return isfinite(np.vdot(seen, seen))


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
