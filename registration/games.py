"""The table of dilemmas: name -> "module:function" that makes a Game."""

from collections.abc import Callable
from typing import Any

from registration.names import load

GAMES: dict[str, str] = {
    "matrix_game": "popenvs.dilemmas.catalogue:matrix_game",
    "prisoners_dilemma": "popenvs.dilemmas.catalogue:prisoners_dilemma",
    "stag_hunt": "popenvs.dilemmas.catalogue:stag_hunt",
    "chicken": "popenvs.dilemmas.catalogue:chicken",
    "public_goods": "popenvs.dilemmas.catalogue:public_goods",
    "ecological_public_good": "popenvs.dilemmas.catalogue:ecological_public_good",
    "uncertain_dilemma": "popenvs.dilemmas.catalogue:uncertain_dilemma",
    "matching_pennies": "popenvs.dilemmas.catalogue:matching_pennies",
    "rock_paper_scissors": "popenvs.dilemmas.catalogue:rock_paper_scissors",
}


def load_game(name: str) -> Callable[..., Any]:
    """Import the function that makes a game.

    Raises:
        ValueError: the table has no such name.
    """
    make: Callable[..., Any] = load("game", name, GAMES)
    return make
