"""Which problems `popenvs.harlow` plays: how pairs are drawn, held out for a test, or asked for by a reset."""

from typing import Any

import numpy as np

from popenvs.engine.compiling import njit
from popenvs.engine.random_stream import below
from popenvs.engine.settings import NO_LIMIT, one_of, whole_numbers

REWARDED, PUNISHED = range(2)  # places in a problem
ALL, TRAIN, TEST = range(3)
SPLITS = ("all", "train", "test")


@njit
def held_out(a: int, b: int) -> bool:
    """Tell whether a pair belongs to "test": a fifth of all pairs, in which every object occurs."""
    return (a + b) % 5 == 0


@njit
def draw_problem(game: Any) -> None:
    """Draw two objects of the split."""
    while True:
        game.problem[REWARDED] = below(game, game.n_objects)
        game.problem[PUNISHED] = below(game, game.n_objects - 1)
        game.problem[PUNISHED] += int(game.problem[PUNISHED] >= game.problem[REWARDED])
        if game.split == ALL or (game.split == TEST) == held_out(game.problem[REWARDED], game.problem[PUNISHED]):
            return


def split_number(split: str, n_objects: int) -> int:
    """Return ALL, TRAIN or TEST.

    Raises:
        ValueError: it is none of `SPLITS`, or there are too few objects for it.
    """
    if one_of("split", split, SPLITS) != "all" and n_objects < 6:
        raise ValueError(f"n_objects is {n_objects}; a split needs 6 or more, so that every object occurs in it")
    return SPLITS.index(split)


def choose(games: np.ndarray, which: np.ndarray, options: dict[str, Any], settings: np.ndarray) -> None:
    """Pin or free the problems of the lanes that begin, and set how many trials they play.

    Args:
        games: all records.
        which: bool, (lanes,), the lanes that begin.
        options: "problem" and "n_trials", as the module docstring of `popenvs.harlow` tells.
        settings: the blank record, (1,).

    Raises:
        ValueError: a problem is not two different objects, or a number of trials is below 1.
    """
    lanes, trials = int(which.sum()), options.get("n_trials", settings["n_trials"])
    if "n_trials" in options and not whole_numbers(trials, (lanes,), 1, NO_LIMIT):
        raise ValueError(
            f"options['n_trials'] is {trials!r}; it must be a whole number from 1 to {NO_LIMIT}, or one for each "
            f"lane that is reset (here {lanes})"
        )
    pinned = "problem" in options
    if pinned:
        games["problem"][which] = checked_problem(options["problem"], lanes, int(settings["n_objects"][0]))
    games["pinned"][which] = pinned
    games["n_trials"][which] = trials


def checked_problem(problem: Any, lanes: int, n_objects: int) -> np.ndarray:
    """Return the problems of the lanes that begin, (2,) or (lanes, 2).

    Raises:
        ValueError: an object does not exist, a pair is one object twice, or the shape is another.
    """
    if whole_numbers(problem, (lanes, 2), 0, n_objects - 1):
        rows = np.asarray(problem)
        if (rows[..., REWARDED] != rows[..., PUNISHED]).all():
            return rows
    raise ValueError(
        f"options['problem'] is {problem!r}; it must be two different objects from 0 to {n_objects - 1}, (rewarded, "
        f"punished), or one such row for each lane that is reset (here {lanes})"
    )
