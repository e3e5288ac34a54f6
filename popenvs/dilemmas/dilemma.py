"""A dilemma for the shells: settings, spaces, compiled loops and picture, whoever plays its seats."""

from functools import lru_cache
from inspect import signature
from typing import Any

import numpy as np
from gymnasium import spaces

from popenvs.dilemmas.game import Game
from popenvs.dilemmas.loop import RECORD, reset_lanes, step_lanes
from popenvs.dilemmas.picture import picture
from popenvs.dilemmas.tables import checksum, tables_of
from popenvs.drawing import Picture
from popenvs.engine.game import LaneGame, Rows
from popenvs.engine.references import Reference
from popenvs.engine.settings import NO_LIMIT, number, whole_number
from registration.games import load_game

ROUNDS = 100  # of an episode


class Dilemma(LaneGame):
    """The settings, spaces and picture of a dilemma.

    Args:
        game: a name of `registration.games.GAMES`, or a `Game`.
        memory: how many of the last joint actions a player sees, its own action first: 0 to 8.
        max_steps: rounds of an episode.
        continuation: probability of another round after each, 0 to 1.
        noise: probability with which an action is replaced by another, 0 to 0.5.
        strategies: seats that are not played from outside, as in `tables_of`.

    Attributes:
        rules: the game.
        tables: the same for the compiled loops.
        slots: how many records a lane has: one for each seat that is played from outside.
        action_spaces: of the outside players.

    Raises:
        ValueError: a setting is out of range.
    """

    settings = ("max_steps", "continuation", "noise", "rules")

    def __init__(
        self,
        *,
        game: str | Game = "prisoners_dilemma",
        memory: int = 1,
        max_steps: int = ROUNDS,
        continuation: float = 1.0,
        noise: float = 0.0,
        strategies: dict[int, np.ndarray] | None = None,
    ) -> None:
        self.rules = game_of(game)
        self.memory = whole_number("memory", memory, 0, 8)
        self.tables = tables_of(self.rules, self.memory, strategies or {})
        self.slots = len(self.tables.players)
        self.blank = np.zeros(1, RECORD)
        self.blank["max_steps"] = whole_number("max_steps", max_steps, 1, NO_LIMIT)
        self.blank["continuation"] = number("continuation", continuation, 0, 1)
        self.blank["noise"] = number("noise", noise, 0, 0.5)
        self.blank["rules"] = checksum(self.tables)
        views = self.tables.own.shape[1] * self.rules.n_observations
        self.observation_space = spaces.Box(0, 1, (views,), np.float32)
        self.action_spaces = [spaces.Discrete(self.rules.n_actions[seat]) for seat in self.tables.players]
        self.action_space = self.action_spaces[0]
        self.reference_scores = {}
        joints = self.tables.strategies.shape[1] - 1
        self.bounds = {
            "state": (0, self.rules.n_states - 1),
            "played": (0, self.rules.n_states - 1),
            "joint": (0, joints),
            "rounds": (0, joints - 1),
            "history": (0, self.tables.own.shape[1] - 1),
            "seen": (0, self.rules.n_observations - 1),
            "other": (0, self.rules.n_observations - 1),
        }

    def reset_lanes(self, games: Rows, which: Rows, observations: Rows) -> None:
        """Begin an episode in the lanes where `which`, one entry a slot."""
        reset_lanes(games, self.tables, which, observations)

    def step_lanes(self, games: Rows, actions: Rows, waiting: Rows, *outputs: Rows) -> None:
        """Play a round in every lane, or begin an episode in it where `waiting`."""
        step_lanes(games, self.tables, actions, waiting, *outputs)

    def last_joint_action(self, game: Any) -> np.ndarray:
        """Return what everybody did in the last round of a lane, int64, (N,)."""
        return np.array(np.unravel_index(game.joint - 1, self.rules.n_actions))

    def picture(self, game: Any) -> Picture:
        """Show the payoffs and the cell just played; as text, the history."""
        return self.picture_of_lane(np.atleast_1d(game))

    def picture_of_lane(self, slots: np.ndarray) -> Picture:
        """Show one lane, of which these are the records."""
        return picture(self.rules, slots)

    def references(self) -> dict[str, Reference]:
        """Return no policies."""
        return {}


def game_of(game: Any) -> Game:
    """Return a game by its name, or as it is.

    Raises:
        ValueError: it is neither, or there is no such name.
    """
    if isinstance(game, str):
        return named_game(game)
    if isinstance(game, Game):
        return game
    raise ValueError(f"game is {game!r}; it must be a name or a Game: popenvs.dilemmas.catalogue makes some")


@lru_cache
def named_game(name: str) -> Game:
    """Make a game with its default settings, once; a game cannot be written.

    Raises:
        ValueError: there is no such name, or the game has no default settings.
    """
    make = load_game(name)
    try:
        signature(make).bind()
    except TypeError as error:
        raise ValueError(
            f"game {name!r} has no payoffs of its own ({error}); hand over what popenvs.dilemmas.{name} makes of yours"
        ) from error
    game: Game = make()
    return game
