"""What there is to see: a board of tiles with a caption."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

Shape = Callable[[Any, Colour], None]
"""Draws on a square surface that already shows the floor; see `popenvs.drawing.shapes`."""


@dataclass(frozen=True)
class Tile:
    """Names one kind of cell; the colour of a picture's first tile is the floor under all others."""

    name: str
    char: str  # how `text` shows it
    colour: Colour
    shape: Shape  # how `image` shows it
    label: str = ""  # written across the cell

    def __post_init__(self) -> None:
        if not callable(self.shape):
            raise ValueError(
                f"shape is {self.shape!r}; it must be a function of (surface, colour), such as those of "
                "popenvs.drawing.shapes"
            )


@dataclass(frozen=True)
class Picture:
    """Holds what there is to see."""

    board: np.ndarray  # (rows, columns) unsigned, indices into `tiles`
    tiles: tuple[Tile, ...]
    caption: str  # one line or several below the board
    lines: tuple[str, ...] | None = None  # what `text` writes in place of the board
