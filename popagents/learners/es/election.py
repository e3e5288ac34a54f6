"""Who becomes a parent: sequential halving among an evolution strategy's members.

Z. Karnin, T. Koren, O. Somekh (2013), "Almost optimal exploration in multi-armed bandits",
https://proceedings.mlr.press/v28/karnin13.html. Differs from the source: parents are never dropped, episodes already
played count, and a larger share than half may be dropped in each round.
"""

from collections.abc import Callable

import numpy as np

from popagents.common.checks import positive
from popagents.common.ranking import ranked
from popagents.rollout.play import Lives


def elect(
    lives: Lives,
    sit: Callable[[np.ndarray, np.ndarray], Lives | None],
    size: int,
    past: np.ndarray,
    reduction_factor: int,
    keys: np.ndarray,
) -> tuple[Lives, np.ndarray] | None:
    """Let ever fewer members play ever more until as many challengers are left as there are parents.

    Args:
        lives: what all members have played, as many episodes each.
        sit: lets some members (int64, (k,)) play the papers of some numbers (int64); None if a callback stopped them.
        size: of the population; its first members are the parents.
        past: float64, (2, parents), episodes and points of the parents in earlier generations, which count.
        reduction_factor: one challenger in so many plays on.
        keys: numbers, (size,), all different: challengers that are equal stand in their order; a parent stands before
            those who are only as good.

    Returns:
        All that was lived, and the next parents, the fittest first: int64, (parents,). Who played as a fitter one did
        is chosen only where there is nobody else. None if a callback stopped it.
    """
    parents = past.shape[1]
    elders = np.arange(parents)
    places = np.argsort(ranked((np.arange(size) < parents).astype(float), keys))

    def by_fitness(members: np.ndarray) -> np.ndarray:
        episodes, points = played(lives, size, past)
        return members[ranked(points[members] / episodes[members], places[members])]

    before = int(np.count_nonzero(lives.members == 0))
    challengers = by_fitness(np.arange(parents, size))
    while len(challengers) > parents:
        finalists = np.union1d(elders, challengers[: max(parents, len(challengers) // reduction_factor)])
        episodes = np.count_nonzero(lives.members == 0)
        exam = sit(finalists, episodes + np.arange(episodes))
        if exam is None:
            return None
        lives = lives.joined(exam)
        challengers = by_fitness(finalists[parents:])
    best = by_fitness(np.concatenate([elders, challengers]))
    return lives, best[np.argsort(repeated(lives, best, before), kind="stable")][:parents]


def played(lives: Lives, size: int, past: np.ndarray) -> np.ndarray:
    """Return the episodes and points of each member, float64, (2, size); those of parents, the first, with `past`."""
    total = np.stack(
        [np.bincount(lives.members, minlength=size), np.bincount(lives.members, lives.returns, minlength=size)]
    )
    total[:, : past.shape[1]] += past
    return total


def repeated(lives: Lives, members: np.ndarray, first: int) -> np.ndarray:
    """Tell which members played as one before them did.

    Args:
        lives: where the episodes of a number that is `first` or higher are on seeds that these members share.
        members: int64, (k,).
        first: as said; where nobody played so many, nobody repeats.

    Returns:
        bool, (k,): whether the returns and lengths of these episodes are those of an earlier member.
    """
    seen: set[tuple[bytes, bytes]] = set()
    out = np.zeros(len(members), bool)
    for i, member in enumerate(members):
        mine = np.flatnonzero(lives.members == member)[first:]
        games = lives.returns[mine].tobytes(), lives.lengths[mine].tobytes()
        out[i] = len(mine) > 0 and games in seen
        seen.add(games)
    return out


def check_election(parents: int, reduction_factor: int, population_size: int, noise: str, optimizer: str) -> None:
    """Check that the settings of the elitist optimizer go together.

    Raises:
        ValueError: there are too few members, or an optimizer or noise that knows one parent.
    """
    positive("parents", parents)
    if 2 * parents > population_size:
        raise ValueError(
            f"parents is {parents} and population_size {population_size}; at least as many members as there are "
            f"parents must challenge them: give {2 * parents} members, or fewer parents"
        )
    if parents > 1 and (optimizer != "elitist" or noise == "low_rank"):
        raise ValueError(
            f"parents is {parents}, optimizer {optimizer!r} and noise {noise!r}; several parents need "
            "optimizer='elitist' and noise='gaussian' or 'sparse'"
        )
    if not isinstance(reduction_factor, int) or reduction_factor < 2:
        raise ValueError(f"reduction_factor is {reduction_factor}; it must be a whole number of 2 or more")
