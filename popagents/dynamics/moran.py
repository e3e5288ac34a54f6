"""The Moran process: evolution in a finite population, one birth and one death after another.

A player of a symmetric game reproduces in proportion to its fitness, exp(selection payoff), and its offspring replaces
a random player; payoffs are means over all groups that a player can be in. If mutations are rare, the population is of
one type most of the time, and only the fixation probabilities of single mutants count.

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
    """The long run of a Moran process.

    Attributes:
        fixation: probability that a single mutant b takes over a population of a: (A, A) as [a, b], 1 on the diagonal.
        stationary: share of time that the population is of each type, if mutations are rare and uniform: (A,).
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
    types = len(payoffs)
    fixation = np.ones((types, types))
    for a, b in np.argwhere(~np.eye(types, dtype=bool)):
        fixation[a, b] = fixation_probability(selection * payoff_differences(payoffs, a, b, population_size))
    return Moran(fixation, stationary(mutation_chain(fixation)))


def mutation_chain(fixation: np.ndarray) -> np.ndarray:
    """Return the Markov chain between populations of one type, (types, types), as rare mutants of others take over."""
    chain = fixation / max(len(fixation) - 1, 1)
    np.fill_diagonal(chain, 0)
    np.fill_diagonal(chain, 1 - chain.sum(-1))
    return chain


def fixation_probability(advantage: np.ndarray) -> float:
    """Return the probability that a single mutant takes over, 1 / sum_k exp(-(advantage_1 + ... + advantage_k)).

    Args:
        advantage: log fitness of mutants less that of residents, among 1, ..., population_size - 1 mutants.
    """
    exponents = np.append(0.0, -np.cumsum(advantage))
    top = exponents.max()  # subtracted against overflow
    return float(np.exp(-top) / np.exp(exponents - top).sum())


def payoff_differences(payoffs: np.ndarray, a: int, b: int, size: int) -> np.ndarray:
    """Return the payoff of mutants b less that of residents a, among 1, ..., size - 1 mutants: (size - 1,)."""
    others = payoffs.ndim - 1
    mutants = np.arange(1, size)
    return mean_payoff(payoffs, b, a, b, mutants - 1, size - 1, others) - mean_payoff(
        payoffs, a, a, b, mutants, size - 1, others
    )


def mean_payoff(
    payoffs: np.ndarray, own: int, a: int, b: int, mutants: np.ndarray, rest: int, others: int
) -> np.ndarray:
    """Return the mean payoff of a player over groups whose other members are drawn from the rest of the population.

    Args:
        payoffs: (A, ..., A).
        own: the player's action.
        a: the residents' action.
        b: the mutants' action.
        mutants: their numbers among the rest, (k,).
        rest: size of the rest.
        others: size of a group, less the player.
    """
    total = np.zeros(len(mutants))
    for met in range(others + 1):
        groups = [comb(m, met) * comb(rest - m, others - met) / comb(rest, others) for m in mutants.tolist()]
        total += np.array(groups) * payoffs[(own, *[b] * met, *[a] * (others - met))]
    return total
