"""The share of time that a Markov chain spends in each state, whether or not every state leads to every other.

States are taken out one by one, and the chain is watched on those that are left: without a subtraction, so small shares
are exact and what is never visited is exactly zero. A state from which no other one that is left can be reached stands
for a closed class; it gathers all that starts in the class or falls into it.

Source: W. Grassmann, M. Taksar, D. Heyman (1985), "Regenerative analysis and steady state distributions for Markov
chains", Operations Research 33. Differs from the source: several closed classes, weighed by what flows into them.
"""

from typing import Any

import numpy as np
from numba import njit


def stationary(chain: Any) -> np.ndarray:
    """Return the average over time of a chain that starts in any state alike; one closed class forgets the start.

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
    """Fill `shares` (S,), using up `chain` (S, S); both float64 or, to carry a derivative, both complex128."""
    states = len(chain)
    mass = np.full_like(shares, 1 / states)
    rest = np.zeros_like(shares)  # what leads on from a state when it is taken out; 0 for one that stands for its class
    for k in range(states - 1, -1, -1):
        for j in range(states):
            if j < k or (j > k and rest[j].real == 0):
                rest[k] += chain[k, j]
        if rest[k].real > 0:
            take_out(k, chain, mass, rest)
        else:
            rest[k] = 0
    shares[:] = 0
    for k in range(states):
        if rest[k].real == 0:
            spread(k, chain, rest, mass[k], shares)


@njit(cache=True)
def take_out(k: int, chain: Any, mass: Any, rest: Any) -> None:
    """Lead all ways through state k past it; its mass moves on."""
    for j in range(len(chain)):
        if j < k or (j > k and rest[j].real == 0):
            share = chain[k, j] / rest[k]
            mass[j] += mass[k] * share
            for i in range(k):
                chain[i, j] += chain[i, k] * share


@njit(cache=True)
def spread(root: int, chain: Any, rest: Any, mass: Any, shares: Any) -> None:
    """Share out the mass of one closed class, `root` standing for it, among its states."""
    visits = np.zeros_like(shares)  # for one of the root
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
