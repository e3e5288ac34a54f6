"""What one game supplies to the shells of `popenvs.lanes`, and how settings are checked."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from popenvs import drawing
from popenvs.references import Reference


class LaneGame(ABC):
    """What the shells know of one game: its blank record, its spaces, its two compiled loops and its picture.

    Attributes:
        blank: (1,) record array, the settings filled in and the state zero.
        observation_space: Box of one lane's observation.
        action_space: Discrete, starting at 0.
        reset_lanes: `(games, which, observations)`: begin an episode in the lanes where `which`, then write every
            lane's observation into `observations` (lanes, cells).
        step_lanes: `(games, actions, waiting, observations, rewards, terminated, truncated)`: step every lane, or begin
            an episode in it (reward 0) where `waiting`; fill all that follows.
        reference_scores: mean return of named policies, highest last; empty unless the settings are the standard ones.
        keys: keyboard key (a character or the name of an arrow) -> action.
        idle: the action of a player who presses nothing; None if the game waits.
    """

    blank: np.ndarray
    observation_space: spaces.Box
    action_space: spaces.Discrete
    reset_lanes: ClassVar[Any]
    step_lanes: ClassVar[Any]
    reference_scores: dict[str, float]
    keys: ClassVar[dict[str, int]]
    idle: ClassVar[int | None] = None

    def configure(self, games: np.ndarray, which: np.ndarray, options: dict[str, Any] | None) -> None:  # noqa: B027
        """Write what `reset(options=...)` asks for into the records of the lanes that begin; by default nothing.

        Args:
            games: all records.
            which: bool, (lanes,), the lanes that begin.
            options: as `reset` was given them.

        Raises:
            ValueError: an option has a value that the game cannot play.
        """

    def info(self, games: np.ndarray) -> dict[str, np.ndarray]:
        """Return what the infos of a reset tell of each game, one row a game; by default nothing."""
        return {}

    @abstractmethod
    def picture(self, game: Any) -> drawing.Picture:
        """Show one record as a board of tiles with a caption."""

    @abstractmethod
    def references(self) -> dict[str, Reference]:
        """Return named policies, among them those behind `reference_scores`."""


def whole_number(name: str, value: Any, low: int, high: int) -> int:
    """Return a setting as an int.

    Raises:
        ValueError: it is not a whole number from `low` to `high`.
    """
    if isinstance(value, (int, np.integer)) and low <= value <= high:
        return int(value)
    raise ValueError(f"{name} is {value!r}; it must be a whole number from {low} to {high}")


def one_of(name: str, value: Any, choices: Sequence[str]) -> str:
    """Return a setting that is one of a few words.

    Raises:
        ValueError: it is none of them.
    """
    if value in choices:
        return str(value)
    raise ValueError(f"{name} is {value!r}; choose one of {', '.join(map(repr, choices))}")


def lane_seed(seed: Any) -> int:
    """Return a seed that a lane's 64-bit stream can begin with.

    Raises:
        ValueError: it is not a whole number from 0 to 2**64 - 1.
    """
    return whole_number("seed", seed, 0, 2**64 - 1)
