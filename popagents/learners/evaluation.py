"""How a champion is chosen: the fittest quarter play evaluation jobs, the same for all of them."""

import numpy as np

from popagents.common.ranking import ranked
from popagents.rollout.jobs import Conversation, Request


def fittest_quarter(fitness: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Return the best quarter of the members that have a fitness, at least one, the best first.

    Args:
        fitness: float64, (members,).
        keys: uint64, (members,), by which equals are ordered.
    """
    return ranked(fitness, keys)[: max(1, int(np.isfinite(fitness).sum()) // 4)]


def best_of(request: Request, keys: np.ndarray) -> Conversation[int]:
    """Return the member with the best mean return in a request's jobs; equals are ordered by `keys` (members,)."""
    episodes = yield request
    return int(ranked(episodes.fitness(len(keys)), keys)[0])
