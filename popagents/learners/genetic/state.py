"""What a genetic algorithm hands on from generation to generation, and how children come into it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from popagents.common.parameters import Parameters
from popagents.learners.genetic.operators import Births, crossover, gaussian_mutation, self_adapted
from popagents.learners.state_checks import distinct, within


@dataclass(frozen=True)
class GeneticState:
    """What a genetic algorithm hands on.

    Attributes:
        parameters: that members pass on: float32 (members, *shape) by name.
        hyperparameters: float64, (members, 4), of learning within a life.
        fitness: float64, (members,), means over the generations in which each was judged.
        judged: int64, (members,), how many these are.
        births: of the next generation.
        tournament: int64, (tournament_size,), the members from whom their parents were drawn.
        drift: float64, (generations, 4, 3), each hyperparameter's mean, smallest and largest value.
        diverged: learners whose parameters became infinite or NaN, so far.
    """

    parameters: Parameters
    hyperparameters: np.ndarray
    fitness: np.ndarray
    judged: np.ndarray
    births: Births
    tournament: np.ndarray
    drift: np.ndarray
    diverged: int = 0

    @classmethod
    def at(cls, parameters: Parameters, hyperparameters: np.ndarray) -> "GeneticState":
        """Begin with members whom nobody has judged."""
        size, nobody, drift = len(hyperparameters), np.zeros(0, np.int64), np.zeros((0, 4, 3))
        judged = np.zeros(size, np.int64)
        return cls(parameters, hyperparameters, np.full(size, np.nan), judged, Births.none(), nobody, drift)


def born(state: GeneticState, mutation_std: float, ranges: np.ndarray, rng: np.random.Generator) -> GeneticState:
    """Return the population with children, whom nobody has judged, in the places of those who made room.

    Args:
        state: the generation before.
        mutation_std: of the noise on every parameter.
        ranges: float64, (3, 4), as in `self_adapted`.
        rng: draws the children.
    """
    births = state.births
    if not len(births.places):
        return state
    children = gaussian_mutation(crossover(state.parameters, births, rng), mutation_std, rng)
    parameters = {name: values.copy() for name, values in state.parameters.items()}
    for name, values in children.items():
        parameters[name][births.places] = values
    table, judged = state.hyperparameters.copy(), state.judged.copy()
    table[births.places] = self_adapted(table, births, ranges, rng)
    judged[births.places] = 0
    return replace(state, parameters=parameters, hyperparameters=table, judged=judged)


def learning_logs(state: GeneticState, names: Iterable[str]) -> dict[str, float]:
    """Return what is logged of members who learn, whose hyperparameters have these names."""
    means = zip(names, state.hyperparameters.mean(axis=0).tolist(), strict=True)
    return {"population/diverged": state.diverged} | {f"population/{name}": mean for name, mean in means}


def check_members(state: GeneticState, size: int) -> None:
    """Check the members that a state from a file names, and its counts.

    Args:
        state: of the file.
        size: of the population.

    Raises:
        ValueError: there is no such member, one stands twice, or a count cannot be.
    """
    births = state.births
    distinct(births.places, "state/births/places", size)
    distinct(state.tournament, "state/tournament", size)
    for name, parents in {"first": births.first, "second": births.second}.items():
        within(parents, f"state/births/{name}", size)
        if len(parents) != len(births.places):
            raise ValueError(f"{len(births.places)} are born and {len(parents)} are their {name} parents")
    within(state.hyperparameters, "state/hyperparameters")
    within(state.judged, "state/judged")
    within(state.diverged, "state/diverged")
    if np.isinf(state.fitness).any():
        raise ValueError("the file's array 'state/fitness' holds infinite numbers")
