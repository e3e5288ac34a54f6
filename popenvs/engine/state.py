"""What changes in a shell, as a value to be copied, kept and restored."""

from typing import Any, NamedTuple

import numpy as np

from popenvs.engine.game import LaneGame
from popenvs.engine.settings import within


class LaneState(NamedTuple):
    """A copy of all that changes in a shell: records (with their streams), which lanes are over, whether seeded."""

    games: np.ndarray
    over: np.ndarray
    seeded: bool

    def copy(self) -> "LaneState":
        """Return the same in arrays of its own."""
        return LaneState(self.games.copy(), self.over.copy(), self.seeded)


def fitting_state(state: LaneState, game: LaneGame, own: np.ndarray) -> LaneState:
    """Return a copy of a state that a game's loops can trust.

    Args:
        state: as `clone_state` returned it, or read from a file.
        game: whose state it should be.
        own: (lanes,), records with the settings that it should have.

    Raises:
        ValueError: it is no state, or that of another number of lanes, of another game, or of other settings.
    """
    if not isinstance(state, LaneState):
        raise ValueError(f"the state is {state!r}; it must be what clone_state returned")
    for name, array, like in (("games", state.games, own), ("over", state.over, np.empty(len(own), bool))):
        refuse_unlike(name, array, like)
    for name in game.settings:
        refuse_unless(name, state.games[name], own[name], own[name], f"here it is {own[name].tolist()}")
    for name, (low, high) in game.bounds.items():
        refuse_unless(name, state.games[name], low, high, f"here it must lie from {low} to {high}")
    return state.copy()


def refuse_unlike(name: str, array: np.ndarray, like: np.ndarray) -> None:
    """Refuse an array of another shape or dtype.

    Raises:
        ValueError: it has another.
    """
    if array.shape != like.shape or array.dtype != like.dtype:
        raise ValueError(
            f"the state's {name} have shape {array.shape} and dtype {array.dtype}; they must have shape "
            f"{like.shape} and dtype {like.dtype}: restore a state of the same environment"
        )


def refuse_unless(name: str, values: np.ndarray, low: Any, high: Any, expected: str) -> None:
    """Refuse a field of the records with a value that is not from `low` to `high`.

    Raises:
        ValueError: it has one.
    """
    if not within(values, low, high):
        raise ValueError(
            f"the state's {name} is {values.tolist()}; {expected}: restore a state of an environment with the same "
            "settings"
        )
