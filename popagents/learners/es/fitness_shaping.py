"""Fitness shaping: what a population's returns are turned into before they are weighed against one another.

Pure functions from fitness, float64 (n,), to utilities of the same shape whose sum is zero. Equal fitness gives equal
utilities, and members that are all equal give zeros.
"""

from collections.abc import Callable

import numpy as np


def centred_ranks(fitness: np.ndarray) -> np.ndarray:
    """Return ranks spread evenly from -0.5 (worst) to 0.5 (best); ties share the mean of their ranks.

    Source: D. Wierstra et al. (2014), "Natural evolution strategies", section 3.1, in the centred form of T. Salimans
    et al. (2017), https://arxiv.org/abs/1703.03864.

    >>> centred_ranks(np.array([7.0, 1.0, 7.0, 5.0, 0.0]))
    array([ 0.375, -0.25 ,  0.375,  0.   , -0.5  ])
    """
    values, where, counts = np.unique(fitness, return_inverse=True, return_counts=True)
    if len(values) == 1:
        return np.zeros(len(fitness))
    last = np.cumsum(counts) - 1
    return ((last - (counts - 1) / 2) / (len(fitness) - 1) - 0.5)[where]


def z_scores(fitness: np.ndarray) -> np.ndarray:
    """Return how many standard deviations each member lies above the mean.

    >>> z_scores(np.array([1.0, 3.0]))
    array([-1.,  1.])
    """
    spread = fitness.std()
    return np.zeros(len(fitness)) if spread == 0 else (fitness - fitness.mean()) / spread


FITNESS_SHAPING: dict[str, Callable[[np.ndarray], np.ndarray]] = {"ranks": centred_ranks, "zscore": z_scores}
