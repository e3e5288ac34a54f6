"""What changes in a shell, as a value to be copied, kept and restored."""

from typing import NamedTuple

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


def fitting_state(state: LaneState, game: LaneGame, lanes: int) -> LaneState:
    """Return a copy of a state that a game's loops can trust.

    Args:
        state: as `clone_state` returned it, or read from a file.
        game: whose state it should be.
        lanes: how many there should be.

    Raises:
        ValueError: it is the state of another number of lanes, of another game, or of other settings.
    """
    games, over, _ = state
    for name, array, dtype in (("games", games, game.blank.dtype), ("over", over, np.dtype(bool))):
        if array.shape != (lanes,) or array.dtype != dtype:
            raise ValueError(
                f"the state's {name} have shape {array.shape} and dtype {array.dtype}; they must have shape "
                f"({lanes},) and dtype {dtype}: restore a state of the same environment"
            )
    for name, (low, high) in game.bounds.items():
        if not within(games[name], low, high):
            raise ValueError(
                f"the state's {name} is {games[name].tolist()}; here it must lie from {low} to {high}: restore a state "
                "of an environment with the same settings"
            )
    return state.copy()
