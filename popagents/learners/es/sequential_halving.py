"""Sequential halving among the members of an elitist strategy: ever fewer play ever more episodes.

Z. Karnin, T. Koren, O. Somekh (2013), "Almost optimal exploration in multi-armed bandits",
https://proceedings.mlr.press/v28/karnin13.html. Differs from the source: parents are never dropped, episodes already
played count, and a larger share than half may be dropped in each round.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from popagents.common.ranking import ranked
from popagents.rollout.jobs import Conversation, Episodes, Request


class Judged(NamedTuple):
    """What members have played so far."""

    members: np.ndarray  # int64, (episodes,), in the order in which each one's were numbered
    returns: np.ndarray  # float64, (episodes,)
    lengths: np.ndarray  # int64, (episodes,), steps

    @classmethod
    def of(cls, episodes: Episodes) -> "Judged":
        """Return the judged rows."""
        judged = episodes.jobs.judged
        return cls(episodes.jobs.member[judged], episodes.returns[judged], episodes.lengths[judged])

    def joined(self, other: "Judged") -> "Judged":
        """Return these and then the other's."""
        return Judged(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))

    def totals(self, size: int, episodes: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how many episodes each of `size` members has, and its points; the first, parents, with earlier ones.

        Args:
            size: members.
            episodes: int64, (parents,), of parents in earlier generations.
            points: float64, (parents,), likewise.
        """
        count = np.bincount(self.members, minlength=size)
        total = np.bincount(self.members, self.returns, minlength=size)
        count[: len(episodes)] += episodes
        total[: len(points)] += points
        return count, total


class Election(NamedTuple):
    """Who becomes a parent."""

    best: np.ndarray  # int64, (parents,), the fittest first
    episodes: np.ndarray  # int64, (members,), that each has played
    points: np.ndarray  # float64, (members,)
    fitness: np.ndarray  # float64, (members,), each one's mean return in this generation


def sequential_halving(
    judged: Judged,
    again: Callable[[np.ndarray, np.ndarray], Request],
    keys: np.ndarray,
    episodes: np.ndarray,
    points: np.ndarray,
    reduction_factor: int,
) -> Conversation[Election]:
    """Let ever fewer members play ever more until as many challengers are left as there are parents.

    Args:
        judged: what all members have played, as many episodes each.
        again: asks for more episodes of some members (int64, (k,)), of some numbers (int64), on seeds that all share.
        keys: uint64, (members,): challengers that are equal stand in their order; a parent stands before those who are
            only as good.
        episodes: int64, (parents,), that the parents, the first members, played in earlier generations; they count.
        points: float64, (parents,), the sum of their returns in them.
        reduction_factor: one challenger in so many plays on.

    Returns:
        The next parents. Who played as a fitter one did becomes one only where there is nobody else.
    """
    size, n = len(keys), len(episodes)
    elders = np.arange(n)
    places = np.argsort(ranked((np.arange(size) < n).astype(float), keys))

    def by_fitness(members: np.ndarray) -> np.ndarray:
        count, total = judged.totals(size, episodes, points)
        return members[ranked(total[members] / count[members], places[members])]

    before = int(np.count_nonzero(judged.members == 0))
    challengers = by_fitness(np.arange(n, size))
    while len(challengers) > n:
        finalists = np.union1d(elders, challengers[: max(n, len(challengers) // reduction_factor)])
        played = int(np.count_nonzero(judged.members == 0))
        judged = judged.joined(Judged.of((yield again(finalists, played + np.arange(played)))))
        challengers = by_fitness(finalists[n:])
    best = by_fitness(np.concatenate([elders, challengers]))
    best = best[np.argsort(repeated(judged, best, before), kind="stable")][:n]
    count, total = judged.totals(size, np.zeros(0, np.int64), np.zeros(0))
    return Election(best, *judged.totals(size, episodes, points), total / count)


def repeated(judged: Judged, members: np.ndarray, first: int) -> np.ndarray:
    """Tell which members played as one before them did.

    Args:
        judged: where the episodes of a number that is `first` or higher are on seeds that these members share.
        members: int64, (k,).
        first: as said; where nobody played so many, nobody repeats.

    Returns:
        bool, (k,): whether the returns and lengths of these episodes are those of an earlier member.
    """
    seen: set[tuple[bytes, bytes]] = set()
    out = np.zeros(len(members), bool)
    for i, member in enumerate(members):
        mine = np.flatnonzero(judged.members == member)[first:]
        games = judged.returns[mine].tobytes(), judged.lengths[mine].tobytes()
        out[i] = len(mine) > 0 and games in seen
        seen.add(games)
    return out
