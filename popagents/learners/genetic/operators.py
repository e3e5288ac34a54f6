"""The operators of a genetic algorithm, as pure functions of ranks, genes and a random generator.

Genes are members' parameters, `{name: (members, *shape)}`, and a table of hyperparameters, (members, columns). A
*layer* is what one module of the policy holds: the weight and the bias of a linear layer, all that an LSTM cell has.
"""

from dataclasses import dataclass

import numpy as np

from popagents.common.parameters import Parameters


@dataclass(frozen=True)
class Births:
    """Who is born where; int64 arrays (children,).

    Attributes:
        places: members whose place the children take.
        first: one parent.
        second: the other; it may be the same.
    """

    places: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @classmethod
    def none(cls) -> "Births":
        """Return no births."""
        return cls(*(np.zeros(0, np.int64) for _ in range(3)))

    def parents_of(self, members: int) -> np.ndarray:
        """Return the parents of the child in each member's place, -1 where there is none: int64, (2, members)."""
        parents = np.full((2, members), -1)
        parents[:, self.places] = self.first, self.second
        return parents


def parents_of(pool: np.ndarray, n_parents: int, children: int, rng: np.random.Generator) -> np.ndarray:
    """Draw `n_parents` of the pool, and of these two for each child, all with replacement: int64, (2, children)."""
    return rng.choice(rng.choice(pool, n_parents), (2, children))


def replaced(ranks: np.ndarray, children: int, how: str, elites: int, rng: np.random.Generator) -> np.ndarray:
    """Choose whose places children take.

    Args:
        ranks: int64, (members,), members from best to worst.
        children: how many.
        how: "random" members, or the "worst".
        elites: the best members, so many, keep theirs.
        rng: draws random members.

    Returns:
        int64, (children,), all different.
    """
    if how == "worst":
        return ranks[len(ranks) - children :]
    return rng.choice(np.sort(ranks[elites:]), children, replace=False)


def crossover(genes: Parameters, births: Births, rng: np.random.Generator) -> Parameters:
    """Make children whose every layer is one parent's, by a coin: `{name: (children, *shape)}`."""
    layers = sorted({layer_of(name) for name in genes})
    coins = rng.random((len(layers), len(births.places))) < 0.5
    givers = {layer: np.where(coin, births.first, births.second) for layer, coin in zip(layers, coins, strict=True)}
    return {name: values[givers[layer_of(name)]] for name, values in genes.items()}


def layer_of(name: str) -> str:
    """Return the module that a parameter belongs to.

    >>> layer_of("policy_net.cell.weight_ih")
    'policy_net.cell'
    """
    return name.rpartition(".")[0]


def gaussian_mutation(genes: Parameters, std: float, rng: np.random.Generator) -> Parameters:
    """Add normal(0, std) to every number."""
    mutants = {}
    for name, values in genes.items():
        mutants[name] = noise = rng.standard_normal(values.shape, np.float32)
        noise *= np.float32(std)
        noise += values
    return mutants


def self_adapted(table: np.ndarray, births: Births, settings: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make children's hyperparameters: each is one parent's, by a coin, plus noise, clipped to its range.

    Args:
        table: float64, (members, columns).
        births: who is born.
        settings: float64, (3, columns): standard deviations of the noise, smallest and largest values.
        rng: draws coins and noise.

    Returns:
        float64, (children, columns).
    """
    std, low, high = settings
    coins = rng.random((len(births.places), table.shape[1])) < 0.5
    inherited = np.where(coins, table[births.first], table[births.second])
    return np.clip(inherited + std * rng.standard_normal(inherited.shape), low, high)
