"""Catch falling fruit in a basket.

An episode begins with a fruit in the top row, in a column drawn uniformly, and a basket of `basket_width` cells on the
bottom row, its centre drawn uniformly from the places where the basket lies wholly on the board (or in the middle of
the board, with `basket_start="center"`). Then, every step,

1. the basket moves one cell (or stays), but never off the board;
2. the fruit falls one row;
3. when it reaches row `end_row`, the episode terminates with reward +1 if its column is over the basket, else -1; every
   other reward is 0.

=============  ========================================================================================================
Observation    `flat` (default): (rows * columns,), float32 or uint8, 0 or 1: 1 in the fruit's cell and in the basket's
               cells, at index row * columns + column. `grid`: the same numbers as (1, rows, columns).
Action         Discrete(3): 0 left, 1 stay, 2 right.
Reward         float: +1 caught, -1 missed, at the end; 0 before.
End            termination when the fruit reaches `end_row`: after 13 steps with the standard settings.
=============  ========================================================================================================

Source: the deep Q-learning fruit-fetch tutorial after bitwise-ben's "Fruit", whose settings are standard here, and Eder
Santana's "Keras plays catch". With `rows=10, columns=5, basket_width=1, basket_start="center", end_row=-1` it is Catch
of gymnax and bsuite (I. Osband et al., 2020, "Behaviour suite for reinforcement learning", arXiv:1908.03568).
"""

from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from popenvs.drawing import Colour, Picture, Tile
from popenvs.drawing.shapes import GAPS, circle, disc, plain, polygon
from popenvs.engine.board_space import board_space
from popenvs.engine.compiling import njit
from popenvs.engine.game import LaneGame, Rows
from popenvs.engine.random_stream import below
from popenvs.engine.references import Reference
from popenvs.engine.settings import NO_LIMIT, one_of, whole_number
from popenvs.engine.single import LaneEnv
from popenvs.engine.vector import LaneVectorEnv
from popenvs.players.follower import follow

LEFT, STAY, RIGHT = range(3)
REFERENCE_SCORES = {"random": -0.6, "follow the fruit": 1.0}  # exact: any policy blind to the fruit wins one in five

FIELDS = [
    ("rng", "u8"),  # the lane's random stream
    ("steps", "i4"),  # steps taken in this episode
    ("max_steps", "i4"),  # steps after which an episode is cut off (a setting of the shells)
    ("rows", "i4"),  # (a setting)
    ("columns", "i4"),  # (a setting)
    ("basket_width", "i4"),  # cells, odd (a setting)
    ("centered", "i4"),  # 1 if the basket starts in the middle (a setting)
    ("end_row", "i4"),  # where the fruit is caught or missed (row, a setting)
    ("fruit_row", "i4"),  # where the fruit is (row)
    ("fruit_column", "i4"),  # (column)
    ("basket", "i4"),  # where the basket's centre is (column)
    ("score", "i4"),  # return so far in this episode
]
RECORD = np.dtype((np.record, np.dtype(FIELDS, align=True)))


@njit
def reset(game: Any) -> None:
    """Begin an episode."""
    game.steps = 0
    game.score = 0
    game.fruit_row, game.fruit_column = 0, below(game, game.columns)
    if game.centered:
        game.basket = game.columns // 2
    else:
        game.basket = game.basket_width // 2 + below(game, game.columns - game.basket_width + 1)


@njit
def step(game: Any, action: int) -> tuple[float, bool]:
    """Move, fall, catch or miss; return the reward and whether the episode has terminated."""
    half = game.basket_width // 2
    game.basket = min(max(game.basket + action - STAY, half), game.columns - 1 - half)
    game.fruit_row = min(game.fruit_row + 1, game.end_row)  # a restored game may have landed
    ended = game.fruit_row == game.end_row
    caught = abs(game.fruit_column - game.basket) <= half
    reward = int(ended) * (2 * int(caught) - 1)
    game.score += reward
    return float(reward), ended


@njit
def observe(game: Any, out: np.ndarray) -> None:
    """Write the board."""
    for cell in range(len(out)):
        out[cell] = 0
    first = (game.rows - 1) * game.columns + game.basket - game.basket_width // 2
    last = first + game.basket_width - 1
    while first <= last:  # from both ends, since a run of equal bytes would be compiled to a call, which is slower
        out[first] = 1
        out[last] = 1
        first += 1
        last -= 1
    out[game.fruit_row * game.columns + game.fruit_column] = 1


@njit(cache=True)
def reset_lanes(games: Rows, which: Rows, observations: Rows) -> None:
    """Begin an episode in the lanes where `which`; write every lane's observation."""
    for i in range(len(games)):
        if which[i]:
            reset(games[i])
        observe(games[i], observations[i])


@njit(cache=True)
def step_lanes(
    games: Rows, actions: Rows, waiting: Rows, observations: Rows, rewards: Rows, terminated: Rows, truncated: Rows
) -> None:
    """Step every lane, or begin an episode in it where `waiting`."""
    for i in range(len(games)):
        if waiting[i]:
            reset(games[i])
            rewards[i], terminated[i], truncated[i] = 0.0, False, False
        else:
            games[i].steps += 1
            rewards[i], terminated[i] = step(games[i], actions[i])
            truncated[i] = games[i].steps >= games[i].max_steps
        observe(games[i], observations[i])


class FruitCatch(LaneGame):
    """The settings, spaces, picture and references of fruit catch.

    Args:
        rows, columns: of the board, 2 to 1024 and 1 to 1024.
        basket_width: cells, an odd number that fits into a row.
        basket_start: "uniform" or "center".
        end_row: the row in which the fruit is caught or missed; negative numbers count from the bottom, -1 being the
            basket's own row and -2 the one above it.
        observation, dtype: "flat" or "grid", of "float32" or "uint8".

    Raises:
        ValueError: a setting is out of range, or the board is too small for the basket.
    """

    reset_lanes = staticmethod(reset_lanes)
    step_lanes = staticmethod(step_lanes)
    settings = ("max_steps", "rows", "columns", "basket_width", "centered", "end_row")
    keys: ClassVar[dict[str, int]] = {"left": LEFT, "right": RIGHT}
    idle: ClassVar[int | None] = STAY

    def __init__(
        self,
        *,
        rows: int = 15,
        columns: int = 15,
        basket_width: int = 3,
        basket_start: str = "uniform",
        end_row: int = -2,
        observation: str = "flat",
        dtype: str = "float32",
    ) -> None:
        self.blank = np.zeros(1, RECORD)
        self.blank["max_steps"] = NO_LIMIT
        self.blank["rows"] = rows = whole_number("rows", rows, 2, 1024)
        self.blank["columns"] = columns = whole_number("columns", columns, 1, 1024)
        self.blank["basket_width"] = fitting_width(basket_width, columns)
        self.blank["centered"] = one_of("basket_start", basket_start, ("uniform", "center")) == "center"
        self.blank["end_row"] = end = row_from_top(end_row, rows)
        self.observation_space = board_space(observation, dtype, 1, rows, columns)
        self.action_space = spaces.Discrete(3)
        half, last = basket_width // 2, columns - 1
        self.bounds = {"fruit_row": (0, end), "fruit_column": (0, last), "basket": (0, last - half)}
        standard = (rows, columns, basket_width, basket_start, end) == (15, 15, 3, "uniform", 13)
        self.reference_scores = REFERENCE_SCORES if standard else {}

    def picture(self, game: Any) -> Picture:
        """Show the board, rows downwards."""
        board = np.zeros((game.rows, game.columns), np.uint8)
        half = game.basket_width // 2
        board[game.rows - 1, game.basket - half : game.basket + half + 1] = BASKET
        over = board[game.fruit_row, game.fruit_column] == BASKET
        board[game.fruit_row, game.fruit_column] = FRUIT_IN_BASKET if over else FRUIT
        verdict = {1: "caught", -1: "missed"}.get(int(game.score), f"step {game.steps} of {game.end_row}")
        return Picture(board, TILES, verdict)

    def references(self) -> dict[str, Reference]:
        """Return the policies behind `reference_scores`, each a function of (observation, random generator)."""
        rows, columns = int(self.blank["rows"][0]), int(self.blank["columns"][0])
        return {
            "random": lambda seen, rng: int(rng.integers(3)),
            "follow the fruit": lambda seen, rng: STAY + follow(seen.reshape(rows, columns)),
        }


def fitting_width(basket_width: int, columns: int) -> int:
    """Return the basket's width (cells).

    Raises:
        ValueError: the board is too narrow for it, or it has no middle cell.
    """
    if whole_number("basket_width", basket_width, 1, 1024) > columns:
        remedy = f"make columns {basket_width} or more, or the basket narrower"
        raise ValueError(f"basket_width is {basket_width}; a board of {columns} columns is too small for it: {remedy}")
    if basket_width % 2 == 0:
        raise ValueError(f"basket_width is {basket_width}; it must be odd, for example {basket_width - 1}")
    return int(basket_width)


def row_from_top(end_row: int, rows: int) -> int:
    """Return `end_row` counted from the top, from 1 to rows - 1.

    Raises:
        ValueError: it is off the board, or the row in which the fruit begins.
    """
    if whole_number("end_row", end_row, -rows, rows - 1) % rows == 0:
        raise ValueError(f"end_row is {end_row}, where the fruit begins; it must be a row below, for example -1")
    return int(end_row) % rows


def basket(surface: Any, colour: Colour) -> None:
    """Draw a woven basket as wide as the cell, so that neighbours make one wide basket."""
    polygon(surface, colour, [(0, 0.3), (1, 0.3), (1, 1), (0, 1)])
    for i in range(6):
        x, y = 0.08 + 0.32 * (i % 3), 0.52 + 0.23 * (i // 3)
        polygon(surface, GAPS, [(x, y), (x + 0.2, y), (x + 0.2, y + 0.09), (x, y + 0.09)])


def full_basket(surface: Any, colour: Colour) -> None:
    """Draw a basket with something round in it."""
    circle(surface, colour, 0.5, 0.29, 0.26)
    polygon(surface, GAPS, [(0, 0.26), (1, 0.26), (1, 0.3), (0, 0.3)])
    basket(surface, colour)


FLOOR, FRUIT, BASKET, FRUIT_IN_BASKET = range(4)
TILES = (
    Tile("floor", ".", (24, 28, 46), plain),
    Tile("fruit", "o", (236, 92, 84), disc),
    Tile("basket", "U", (198, 146, 84), basket),
    Tile("fruit in the basket", "@", (246, 196, 92), full_basket),
)


class FruitCatchEnv(LaneEnv):
    """Fruit catch as a Gymnasium environment; the settings are those of `FruitCatch`."""

    game_class = FruitCatch


class FruitCatchVectorEnv(LaneVectorEnv):
    """Fruit catch as a Gymnasium vector environment; the settings are those of `FruitCatch`."""

    game_class = FruitCatch
