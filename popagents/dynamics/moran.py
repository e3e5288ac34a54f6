"""The Moran process: evolution in a finite population, where one birth and one death follow another.

A player of a symmetric game is born in proportion to its fitness, exp(selection payoff), and takes the place of one
drawn from all; payoffs are means over the groups that one can be in. If mutants are rare, all are of one kind most of
the time, and what counts is how likely a single mutant is to take over.

Sources: P. Moran (1958), "Random processes in genetics"; C. Taylor, D. Fudenberg, A. Sasaki, M. Nowak (2004),
"Evolutionary game dynamics in finite populations", Bulletin of Mathematical Biology 66; exponential fitness: A.
Traulsen, N. Shoresh, M. Nowak (2008), the same 70; rare mutants: D. Fudenberg, L. Imhof (2006), "Imitation processes
with small mutations", J. Economic Theory 131.
"""

from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from popagents.common.checks import positive
from popagents.dynamics.replicator import symmetric_payoffs
from popagents.dynamics.stationary import stationary
from popagents.dynamics.tensors import Tensors


@dataclass(frozen=True)
class Moran:
    """Holds what a Moran process leads to.

    Attributes:
        fixation: probability that a single mutant b takes over a population of a: (A, A) as [a, b], 1 on the diagonal.
        stationary: share of time in which all are of one kind, if mutants are rare and of any other kind alike: (A,).
    """

    fixation: np.ndarray
    stationary: np.ndarray


def moran(game: Any, population_size: int, selection: float = 1.0) -> Moran:
    """Return the fixation probabilities and the small-mutation limit of a symmetric game.

    Args:
        game: a symmetric game of one state; see `popagents.dynamics.learner.Learner`.
        population_size: at least the number of players, and 2.
        selection: intensity of selection, 0 (none) or more.

    Raises:
        ValueError: the game is not symmetric, or a number is out of its range.
    """
    payoffs = symmetric_payoffs(Tensors(game))
    positive("population_size", population_size)
    if population_size < max(2, payoffs.ndim):
        raise ValueError(f"population_size is {population_size}; it must be at least {max(2, payoffs.ndim)}")
    if not 0 <= selection < np.inf:
        raise ValueError(f"selection is {selection!r}; it must be 0 or more")
    kinds = len(payoffs)
    fixation = np.ones((kinds, kinds))
    for a, b in np.argwhere(~np.eye(kinds, dtype=bool)):
        fixation[a, b] = takes_over(selection * advantages(payoffs, a, b, population_size))
    chain = fixation / max(kinds - 1, 1)
    np.fill_diagonal(chain, 0)
    np.fill_diagonal(chain, 1 - chain.sum(-1))
    return Moran(fixation, stationary(chain))


def takes_over(advantage: np.ndarray) -> float:
    """Return the probability that a single mutant takes over, 1 / sum_k exp(-(advantage_1 + ... + advantage_k)).

    Args:
        advantage: of mutants in log fitness, when there are 1, ..., population_size - 1 of them.
    """
    exponents = np.append(0.0, -np.cumsum(advantage))
    top = exponents.max()  # so that none overflows
    return float(np.exp(-top) / np.exp(exponents - top).sum())


def advantages(payoffs: np.ndarray, a: int, b: int, size: int) -> np.ndarray:
    """Return how much more mutants b get than residents a, when there are 1, ..., size - 1 mutants: (size - 1,)."""
    others = payoffs.ndim - 1
    mutants = np.arange(1, size)
    return mean_payoff(payoffs, b, a, b, mutants - 1, size - 1, others) - mean_payoff(
        payoffs, a, a, b, mutants, size - 1, others
    )


def mean_payoff(
    payoffs: np.ndarray, own: int, a: int, b: int, mutants: np.ndarray, rest: int, others: int
) -> np.ndarray:
    """Return the mean payoff of a player over groups with others drawn from the rest, of whom so many are mutants.

    Args:
        payoffs: (A, ..., A).
        own: what the player does.
        a: what residents do.
        b: what mutants do.
        mutants: how many there are among the rest, (k,).
        rest: how many the rest are.
        others: how many of them are in a group.
    """
    total = np.zeros(len(mutants))
    for met in range(others + 1):
        ways = np.array([comb(m, met) * comb(rest - m, others - met) / comb(rest, others) for m in mutants.tolist()])
        total += ways * payoffs[(own, *[b] * met, *[a] * (others - met))]
    return total
