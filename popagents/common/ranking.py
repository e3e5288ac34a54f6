"""Ranks of members by their fitness, and what decides among equals."""

import numpy as np


def ranked(fitness: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Rank members from best to worst; equals stand in the order of their keys, NaN last.

    A run's keys are random numbers of (run seed, generation, member), so that among equals no member is favoured.

    Args:
        fitness: float64, (members,).
        keys: numbers, (members,), all different.

    Returns:
        int64, (members,), members from best to worst.

    >>> ranked(np.array([1.0, 5.0, np.nan, 5.0]), keys=np.array([7, 9, 1, 3])).tolist()
    [3, 1, 0, 2]
    """
    return np.lexsort((keys, -fitness))
