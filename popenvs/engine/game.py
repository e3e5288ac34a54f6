"""What one game supplies to the shells."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from popenvs.drawing import Picture
from popenvs.engine.references import Reference, beside_references

Rows = np.ndarray
"""An array with one row a lane."""


class LaneGame(ABC):
    """What the shells know of one game: its blank record, its spaces, its two compiled loops and its picture.

    Attributes:
        blank: (1,) record array, the settings filled in and the state zero.
        observation_space: Box of one lane's observation.
        action_space: Discrete, starting at 0.
        settings: fields of the record that hold settings, which a restored state must share.
        bounds: field of the record -> least and greatest value that the loops and the picture can work with.
        reset_lanes: `(games, which, observations)`: begin an episode in the lanes where `which`, then write every
            lane's observation into `observations` (lanes, cells).
        step_lanes: `(games, actions, waiting, observations, rewards, terminated, truncated)`: step every lane, or begin
            an episode in it (reward 0) where `waiting`; fill all that follows.
        reference_scores: mean return of named policies, highest last; empty unless the settings are the standard ones.
        keys: keyboard key (a character or the name of an arrow) -> action.
        idle: the action of a player who presses nothing; None if the game waits.
        played_episodes: how many a person plays, unless another number is given.
    """

    blank: np.ndarray
    observation_space: spaces.Box
    action_space: spaces.Discrete
    settings: ClassVar[tuple[str, ...]]
    bounds: dict[str, tuple[int, int]]
    reset_lanes: ClassVar[Any]
    step_lanes: ClassVar[Any]
    reference_scores: dict[str, float]
    keys: ClassVar[dict[str, int]]
    idle: ClassVar[int | None] = None
    played_episodes: ClassVar[int] = 3

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
        """Return what infos tell of each game, one row a game; by default nothing.

        The single environment tells it in every step, the vector environment, which is cheaper, where episodes begin.
        """
        return {}

    def outcome(self, games: np.ndarray) -> dict[str, np.ndarray]:
        """Return what the infos of an episode's last step tell of each game, one row a game; by default nothing."""
        return {}

    def key_help(self) -> str:
        """Name the keys for a person; by default as they are, for games in which a key tells what it does."""
        return f"keys: {', '.join(self.keys)}"

    def report(self, returns: list[float], rewards: list[list[float]]) -> str:
        """Write how well a person has played; by default the mean return, among those of the reference policies.

        Args:
            returns: one sum an episode that is over.
            rewards: one list an episode that has begun.
        """
        return beside_references(returns, self.reference_scores)

    @abstractmethod
    def picture(self, game: Any) -> Picture:
        """Show one record as a board of tiles with a caption."""

    @abstractmethod
    def references(self) -> dict[str, Reference]:
        """Return named policies, among them those behind `reference_scores`."""
