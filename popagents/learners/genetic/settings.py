"""The settings of `Genetic`: what may be chosen, the source's hyperparameters, and how they are checked."""

from typing import Any

import numpy as np

from popagents.common.checks import array_size, choice, positive

INHERITANCE = ("darwin", "baldwin", "lamarck")
REPLACEMENT = ("random", "worst")
HYPERPARAMETERS = {  # first value, standard deviation of the noise, range
    "learning_rate": (7.5e-4, 5e-5, 1e-4, 1e-2),
    "discount": (0.91, 0.01, 0.6, 0.99),
    "value_cost": (0.4, 0.05, 0.1, 0.7),
    "entropy_cost": (1e-3, 1e-3, 1e-4, 0.05),
}


def check_sizes(population_size: int, tournament_size: int, n_offspring: int, elites: int) -> None:
    """Check the sizes of tournament, brood and elite.

    Raises:
        ValueError: one is no whole number above 0 (0 or more for `elites`), or the population is too small for it.
    """
    array_size("population_size", population_size)
    array_size("tournament_size", tournament_size)
    array_size("n_offspring", n_offspring)
    if elites != 0:
        positive("elites", elites)
    if tournament_size > population_size:
        raise ValueError(
            f"tournament_size is {tournament_size}, and population_size {population_size}; the tournament is part "
            "of the population: make it smaller, or the population larger"
        )
    check_places(population_size, n_offspring, elites)


def check_places(population_size: int, n_offspring: int, elites: int) -> None:
    """Check that there are places for all children.

    Raises:
        ValueError: some would take the places of elites.
    """
    if n_offspring + elites > population_size:
        raise ValueError(
            f"n_offspring is {n_offspring} and elites {elites}, and population_size {population_size}; children take "
            "the places of members that are no elite: make them fewer, or the population larger"
        )


def checked_hyperparameters(changes: dict[str, Any]) -> dict[str, list[float]]:
    """Return first value, deviation, smallest and largest value of each hyperparameter, by name.

    Raises:
        ValueError: a name is unknown, or a range is upside down or does not hold the first value.
    """
    for name, given in changes.items():
        choice("a name in hyperparameters", name, HYPERPARAMETERS)
        numbers = [float(number) for number in given] if np.ndim(given) == 1 else []
        if len(numbers) != 4 or not 0 <= numbers[2] <= numbers[0] <= numbers[3] or numbers[1] < 0:
            raise ValueError(
                f"hyperparameters[{name!r}] is {given!r}; it must be (first, deviation, smallest, largest) with 0 <= "
                f"smallest <= first <= largest, for example {HYPERPARAMETERS[name]}"
            )
    return {name: [float(v) for v in changes.get(name, source)] for name, source in HYPERPARAMETERS.items()}


def check_lifetimes(lifetimes: bool, pin_problems: bool | None, evaluation_options: dict[str, Any]) -> None:
    """Refuse settings of lifetimes where nobody lives one.

    Raises:
        ValueError: there are some.
    """
    if not lifetimes and (pin_problems or evaluation_options):
        raise ValueError(
            f"pin_problems is {pin_problems} and evaluation_options are {evaluation_options}, but nobody lives a "
            "lifetime; leave them out, take RecurrentPolicy, or let members learn: inheritance='baldwin'"
        )


def check_alone(seats: int) -> None:
    """Refuse learners that meet others while they learn from several problems at once.

    Raises:
        ValueError: several members play with each other.
    """
    if seats > 1:
        raise ValueError(
            f"tasks_together is True, and {seats} members play with each other in this environment; a learner that "
            "learns from several problems at once plays alone: leave tasks_together out"
        )


def mean_and_range(table: np.ndarray) -> np.ndarray:
    """Return mean, smallest and largest value of each column of a table (members, n): float64, (1, n, 3)."""
    return np.stack([table.mean(axis=0), table.min(axis=0), table.max(axis=0)], axis=1)[None]
