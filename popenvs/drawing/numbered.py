"""Pictures of numbered things: shape and colour together tell up to 45 numbers apart."""

import numpy as np

from popenvs.drawing.shapes import arrow, cross, diamond, disc, plain, square, star, tick
from popenvs.drawing.tiles import Picture, Tile

CHARS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHI"
SHAPES = (disc, star, arrow, diamond, square)
COLOURS = (
    (86, 180, 233), (230, 159, 0), (240, 228, 66), (204, 121, 167), (0, 158, 115),
    (213, 94, 0), (176, 190, 197), (150, 120, 230), (255, 255, 255),
)  # fmt: skip
TABLE, TICK, CROSS, LEFT_THING, RIGHT_THING = range(5)
MARKS = (
    Tile("table", ".", (24, 28, 46), plain),
    Tile("correct", "+", (96, 200, 120), tick),
    Tile("wrong", "-", (226, 88, 80), cross),
)


def numbered_tile(number: int) -> Tile:
    """Return the tile of a number from 0 to 44."""
    return Tile(f"object {number}", CHARS[number], COLOURS[number % len(COLOURS)], SHAPES[number % len(SHAPES)])


def pair_picture(left: int, right: int, correct: bool | None, caption: str) -> Picture:
    """Show two numbered things side by side and, below and between them, a tick, a cross or nothing.

    Args:
        left: a number from 0 to 44.
        right: another.
        correct: True for the tick, False for the cross, None for nothing.
        caption: one line.
    """
    board = np.array([[LEFT_THING, TABLE, RIGHT_THING], [TABLE, TABLE, TABLE]], np.uint8)
    if correct is not None:
        board[1, 1] = TICK if correct else CROSS
    return Picture(board, (*MARKS, numbered_tile(left), numbered_tile(right)), caption)
