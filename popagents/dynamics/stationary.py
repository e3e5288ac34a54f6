"""The share of time that a Markov chain spends in each state, reducible chains included.

States are eliminated one by one, and the chain is censored to the remaining ones: without a subtraction, so that small
shares are exact and states never visited have a share of exactly zero. A state from which no other remaining one can be
reached represents a closed class; it collects the mass that starts in the class or flows into it.

Source: W. Grassmann, M. Taksar, D. Heyman (1985), "Regenerative analysis and steady state distributions for Markov
chains", Operations Research 33. Differs from the source: several closed classes, weighted by the mass that flows in.
"""

from typing import Any

import numpy as np

from popagents.common.compiling import njit


def stationary(chain: Any) -> np.ndarray:
    """Return the average over time of a chain with a uniform start; with one closed class the start does not matter.

    Args:
        chain: transition probabilities, (..., S, S).

    Returns:
        float64, (..., S).

    >>> stationary([[0.9, 0.1], [0.2, 0.8]]).round(3).tolist()
    [0.667, 0.333]
    >>> stationary([[1.0, 0.0], [0.0, 1.0]]).tolist()
    [0.5, 0.5]
    """
    chain = np.asarray(chain)
    matrices = chain.reshape(-1, *chain.shape[-2:]).astype(np.result_type(chain, np.float64))
    shares = np.empty(matrices.shape[:-1], matrices.dtype)
    for matrix, share in zip(matrices, shares, strict=True):
        occupy(matrix, share)
    return shares.reshape(chain.shape[:-1])


@njit(cache=True)
def occupy(chain: Any, shares: Any) -> None:
    """Fill `shares` (S,), overwriting `chain` (S, S); both float64 or, to carry a derivative, both complex128."""
    states = len(chain)
    mass = np.full_like(shares, 1 / states)
    rest = np.zeros_like(shares)  # probability of leaving a state when it is eliminated; 0 if it represents a class
    for k in range(states - 1, -1, -1):
        for j in range(states):
            if j < k or (j > k and rest[j].real == 0):
                rest[k] += chain[k, j]
        if rest[k].real > 0:
            eliminate(k, chain, mass, rest)
        else:
            rest[k] = 0
    shares[:] = 0
    for k in range(states):
        if rest[k].real == 0:
            share_out(k, chain, rest, mass[k], shares)


@njit(cache=True)
def eliminate(k: int, chain: Any, mass: Any, rest: Any) -> None:
    """Replace all paths through state k by direct ones, and move its mass on."""
    for j in range(len(chain)):
        if j < k or (j > k and rest[j].real == 0):
            share = chain[k, j] / rest[k]
            mass[j] += mass[k] * share
            for i in range(k):
                chain[i, j] += chain[i, k] * share


@njit(cache=True)
def share_out(root: int, chain: Any, rest: Any, mass: Any, shares: Any) -> None:
    """Share out the mass of one closed class, which `root` represents, among its states."""
    visits = np.zeros_like(shares)  # per visit to the root
    visits[root] = 1
    total = visits[root]
    for k in range(len(chain)):
        if rest[k].real > 0:
            for i in range(len(chain)):
                if i < k or i == root:
                    visits[k] += visits[i] * chain[i, k]
            visits[k] /= rest[k]
            total += visits[k]
    for k in range(len(chain)):
        shares[k] += mass * visits[k] / total
