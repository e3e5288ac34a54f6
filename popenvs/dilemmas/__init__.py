"""Social dilemmas: finite games of N players, held as tensors, to be played or solved.

>>> from popenvs.dilemmas import stag_hunt, with_memory
>>> with_memory(stag_hunt()).n_states
4
"""

from popenvs.dilemmas.catalogue import (
    chicken,
    ecological_public_good,
    matching_pennies,
    matrix_game,
    prisoners_dilemma,
    public_goods,
    rock_paper_scissors,
    stag_hunt,
    uncertain_dilemma,
)
from popenvs.dilemmas.game import Game
from popenvs.dilemmas.memory import with_memory
from popenvs.dilemmas.opponents import OPPONENTS, strategy

__all__ = [
    "OPPONENTS",
    "Game",
    "chicken",
    "ecological_public_good",
    "matching_pennies",
    "matrix_game",
    "prisoners_dilemma",
    "public_goods",
    "rock_paper_scissors",
    "stag_hunt",
    "strategy",
    "uncertain_dilemma",
    "with_memory",
]
