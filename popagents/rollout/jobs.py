"""Jobs, who plays them, and what becomes of them: the words in which a learner and the play of episodes talk.

A learner yields a `Request`: players, and a table of jobs. It gets back `Episodes`, one row a job. Nothing here knows a
policy or a population, so the same request can be played in this process or in another one.
"""

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import numpy as np

from popagents.common.actors import Actors
from popagents.common.moments import Moments
from popagents.common.parameters import Parameters

Options = dict[str, Any]  # for a reset, by name; arrays hold one row a job, other values are for all jobs
Reply = TypeVar("Reply")


@dataclass(frozen=True)
class Jobs:
    """A table, one row a job: what one player plays, its episodes one after the other.

    Jobs take slots in the order of the table. All jobs have the same number of episodes: one, but for lifetimes.

    Attributes:
        member: int64, (jobs,), the member whom a job's result is credited to.
        player: int64, (jobs,), which of the players plays it: the member itself, or one of its lives.
        seeds: int64, (jobs, episodes), the environment's seed in each episode.
        keys: uint64, (jobs, episodes), keys of the action draws; None takes the likeliest actions.
        judged: bool, (jobs,), whether a result counts; the others fill empty seats.
        seats: so many consecutive rows play with each other.
        cutoff: steps after which an episode is cut off; None lets all of them end.
        pins: True: a job keeps the problem of its first episode; None: where the environment names problems; False:
            every episode may bring another.
        last_options: for the reset of the last episode, whose return counts.
    """

    member: np.ndarray
    player: np.ndarray
    seeds: np.ndarray
    keys: np.ndarray | None
    judged: np.ndarray
    seats: int = 1
    cutoff: int | None = None
    pins: bool | None = False
    last_options: Options = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.member)

    def rows(self, which: slice, player: np.ndarray | None = None) -> "Jobs":
        """Return some rows as a table, played by other players' numbers if these are given."""
        options = {k: v[which] if isinstance(v, np.ndarray) else v for k, v in self.last_options.items()}
        return replace(
            self,
            member=self.member[which],
            player=self.player[which] if player is None else player,
            seeds=self.seeds[which],
            keys=None if self.keys is None else self.keys[which],
            judged=self.judged[which],
            last_options=options,
        )

    @property
    def episodes(self) -> int:
        """Return how many episodes each job has."""
        return self.seeds.shape[1]


@dataclass(frozen=True)
class Record:
    """What was seen and done: every step of every slot, and where each job's steps lie in it.

    Attributes:
        observations: (steps, slots, *shape).
        actions: (steps, slots, ...).
        spans: int64, (jobs, 3), as in `Episodes`.
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


@dataclass(frozen=True)
class Episodes:
    """What became of a table of jobs.

    Attributes:
        jobs: the table.
        returns: float64, (jobs,), the sum of rewards in each job's last episode.
        lengths: int64, (jobs,), steps of all its episodes.
        infos: floats in the infos of an episode's last step, by name: float64, (jobs,), NaN where there was none.
        spans: int64, (jobs, 3): the slot of each job's last episode, its first step there and the step after its last;
            None where several workers played and no record was asked for.
        record: what was seen and done, if the request asked for it.
        situations: what the players of the first jobs saw before their last action, (up to 16, *shape), if the request
            asked for it.
        moments: sums over what each job saw, if the request asked for them.
        learned: parameters that players ended with, if the request asked for them: one row a learner.
        finite: bool, one a learner: whether all its parameters are finite; None if nobody learns.
    """

    jobs: Jobs
    returns: np.ndarray
    lengths: np.ndarray
    infos: dict[str, np.ndarray] = field(default_factory=dict)
    spans: np.ndarray | None = None
    record: Record | None = None
    situations: np.ndarray | None = None
    moments: Moments | None = None
    learned: Parameters | None = None
    finite: np.ndarray | None = None

    def fitness(self, size: int) -> np.ndarray:
        """Return each member's mean return in judged jobs: float64, (size,); NaN for members that have none."""
        judged = self.jobs.judged
        member = self.jobs.member[judged]
        with np.errstate(invalid="ignore"):
            return np.bincount(member, self.returns[judged], size) / np.bincount(member, minlength=size)


class Players(Protocol):
    """Players as a value, a dataclass that a learner names and that can travel: parameters, or keys of noise."""

    @property
    def together(self) -> int:
        """Return how many consecutive players share a learner, and must not be parted."""

    def seated(self, workspace: Any) -> Actors:
        """Seat these players in what a process keeps for them (networks, buffers), so that they can act."""

    def part(self, who: np.ndarray) -> tuple["Players", np.ndarray]:
        """Return players among whom are those of `who` (int64, (k,), ascending), and their numbers there."""


@dataclass(frozen=True)
class Request:
    """What a learner wants played.

    Attributes:
        players: who plays.
        jobs: what they play.
        record: whether `Episodes.record` is wanted.
        situations: whether `Episodes.situations` are wanted.
        moments: whether `Episodes.moments` are wanted.
        learned: whether `Episodes.learned` is wanted.
    """

    players: Players
    jobs: Jobs
    record: bool = False
    situations: bool = False
    moments: bool = False
    learned: bool = False


Conversation = Generator[Request, Episodes, Reply]
