"""Tiles for numbered things: shape and colour together tell up to 45 numbers apart."""

from popenvs.drawing.shapes import arrow, diamond, disc, square, star
from popenvs.drawing.tiles import Tile

CHARS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHI"
SHAPES = (disc, star, arrow, diamond, square)
COLOURS = (
    (86, 180, 233), (230, 159, 0), (240, 228, 66), (204, 121, 167), (0, 158, 115),
    (213, 94, 0), (176, 190, 197), (150, 120, 230), (255, 255, 255),
)  # fmt: skip


def numbered_tile(number: int) -> Tile:
    """Return the tile of a number from 0 to 44."""
    return Tile(f"object {number}", CHARS[number], COLOURS[number % len(COLOURS)], SHAPES[number % len(SHAPES)])
