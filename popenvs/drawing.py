"""A board of tiles as text, as an image or in a window. Knows no game."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from math import cos, radians, sin
from typing import Any

import numpy as np
from gymnasium.error import DependencyNotInstalled

Colour = tuple[int, int, int]  # red, green, blue, 0 to 255

LONGER_SIDE = 480  # of a board, about (pixels)
SMALLEST_CELL = 8  # (pixels)
NARROWEST = 240  # image that still has room for a caption; a narrower board stands in its middle (pixels)
STRIP = 32  # height of the caption below the board (pixels)
FONT_SIZE = 24  # of a caption that fits the width (pixels)
FINER = 4  # tiles are drawn this many times larger, then scaled down, which smooths their edges
GAPS, INK, EYE = (12, 14, 24), (226, 228, 236), (28, 26, 20)  # colours that are no tile's
ARROW_AND_SPACE_KEYS = ("left", "right", "up", "down", "space")


@dataclass(frozen=True)
class Tile:
    """Names one kind of cell; the colour of a picture's first tile is the floor under all others."""

    name: str  # written on the cell if its shape is "words"
    char: str  # how `text` shows it
    colour: Colour
    shape: str  # how `image` shows it, a name in `SHAPES`

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise ValueError(f"shape is {self.shape!r}; choose one of {', '.join(map(repr, SHAPES))}")


@dataclass(frozen=True)
class Picture:
    """Holds what there is to see."""

    board: np.ndarray  # (rows, columns) uint8, indices into `tiles`
    tiles: tuple[Tile, ...]
    caption: str  # one line below the board
    lines: tuple[str, ...] | None = None  # what `text` writes in place of the board


def text(picture: Picture) -> str:
    """Write one character a cell, one line a row (or the picture's own lines), then the caption."""
    rows = ["".join(picture.tiles[tile].char for tile in row) for row in picture.board]
    return "\n".join([*(rows if picture.lines is None else picture.lines), picture.caption])


def image(picture: Picture) -> np.ndarray:
    """Draw the board and, below it, the caption; the same picture gives the same bytes.

    Returns:
        (height, width, 3) uint8, red, green, blue; a new array at each call.

    Raises:
        DependencyNotInstalled: pygame is missing.
    """
    rows, columns = picture.board.shape
    cell = max(SMALLEST_CELL, LONGER_SIDE // max(rows, columns) // 2 * 2)  # video codecs want even sides
    height, width = rows * cell, max(columns * cell, NARROWEST)
    left = (width - columns * cell) // 2
    right = left + columns * cell
    out = np.empty((height + STRIP, width, 3), np.uint8)
    out[:height, :left] = out[:height, right:] = GAPS
    out[height:] = caption_image(picture.caption, width)
    cells = out[:height, left:right].reshape(rows, cell, columns, cell, 3)  # a view
    cells.swapaxes(1, 2)[:] = tile_images(picture.tiles, cell)[picture.board]
    return out


@lru_cache(maxsize=64)
def tile_images(tiles: tuple[Tile, ...], cell: int) -> np.ndarray:
    """Draw every tile on the floor, as (tiles, cell, cell, 3) uint8."""
    images = np.empty((len(tiles), cell, cell, 3), np.uint8)
    for tile, out in zip(tiles, images, strict=True):
        large = blank(cell * FINER, cell * FINER)
        plain(large, tiles[0].colour)
        SHAPES[tile.shape](large, tile.colour)
        if tile.shape == "words":
            write(large, tile.name)
        out[:] = pixels(import_pygame().transform.smoothscale(large, (cell, cell)))
    return images


def caption_image(caption: str, width: int) -> np.ndarray:
    """Draw the caption, scaled down if it is wider than there is room, as (STRIP, width, 3) uint8."""
    pygame = import_pygame()
    pygame.font.init()  # and no font is kept, because anybody's pygame.quit() would spoil it
    line = pygame.font.Font(None, FONT_SIZE).render(caption, True, INK)
    room = width - STRIP // 2
    if line.get_width() > room:
        line = pygame.transform.smoothscale(line, (room, max(1, line.get_height() * room // line.get_width())))
    strip = blank(width, STRIP)
    strip.blit(line, line.get_rect(center=(width // 2, STRIP // 2)))
    return pixels(strip)


def blank(width: int, height: int) -> Any:
    """Return an off-screen surface, of the same format whether or not a window is open."""
    surface = import_pygame().Surface((width, height), 0, 32)
    surface.fill(GAPS)
    return surface


def pixels(surface: Any) -> np.ndarray:
    """Read a surface as (height, width, 3) uint8."""
    data = import_pygame().image.tobytes(surface, "RGB")
    return np.frombuffer(data, np.uint8).reshape(surface.get_height(), surface.get_width(), 3)


def import_pygame() -> Any:
    """Return pygame, which only images and windows need.

    Raises:
        DependencyNotInstalled: it is missing.
    """
    try:
        import pygame
    except ImportError as error:
        raise DependencyNotInstalled('pygame is not installed; run `pip install "popzoo[render]"`') from error
    return pygame


def plain(surface: Any, colour: Colour) -> None:
    """Fill the cell up to a thin gap."""
    size, gap = surface.get_width(), FINER // 2  # half a pixel each, so that neighbours lie one pixel apart
    import_pygame().draw.rect(surface, colour, (gap, gap, size - 2 * gap, size - 2 * gap), border_radius=size // 8)


def write(surface: Any, words: str) -> None:
    """Write words across the cell, one line for each of theirs, as large as there is room for."""
    pygame, size = import_pygame(), surface.get_width()
    pygame.font.init()
    font = pygame.font.Font(None, size // 4)
    ink = EYE if sum(surface.get_at((size // 2, size // 8))[:3]) > 3 * 128 else INK
    lines = [font.render(line, True, ink) for line in words.split("\n")]
    scale = min(1.0, 0.88 * size / max(line.get_width() for line in lines))
    for i, line in enumerate(lines):
        line = pygame.transform.smoothscale_by(line, scale)
        middle = size / 2 + (i - (len(lines) - 1) / 2) * font.get_linesize() * scale
        surface.blit(line, line.get_rect(center=(size // 2, int(middle))))


def polygon(surface: Any, colour: Colour, corners: Sequence[tuple[float, float]]) -> None:
    """Fill a polygon, its corners in fractions of the cell."""
    size = surface.get_width()
    import_pygame().draw.polygon(surface, colour, [(x * size, y * size) for x, y in corners])


def disc(surface: Any, colour: Colour, x: float = 0.5, y: float = 0.5, radius: float = 0.28) -> None:
    """Draw a disc, its centre and radius in fractions of the cell."""
    size = surface.get_width()
    import_pygame().draw.circle(surface, colour, (x * size, y * size), radius * size)


def two_discs(surface: Any, colour: Colour) -> None:
    """Draw a disc half behind another."""
    disc(surface, colour, 0.34, 0.36, 0.25)
    disc(surface, GAPS, 0.62, 0.62, 0.3)
    disc(surface, colour, 0.62, 0.62, 0.26)


def mouth(surface: Any, colour: Colour) -> None:
    """Draw a disc with an eye and a mouth, open to the right."""
    rim = [(0.5 + 0.42 * cos(radians(angle)), 0.5 - 0.42 * sin(radians(angle))) for angle in range(40, 321, 5)]
    polygon(surface, colour, [(0.42, 0.5), *rim])
    disc(surface, EYE, 0.5, 0.26, 0.065)


def star(surface: Any, colour: Colour) -> None:
    """Draw a star with five rays."""
    rays = [(radians(36 * i), 0.18 if i % 2 else 0.42) for i in range(10)]
    polygon(surface, colour, [(0.5 + length * sin(angle), 0.53 - length * cos(angle)) for angle, length in rays])


def basket(surface: Any, colour: Colour) -> None:
    """Draw a woven basket as wide as the cell, so that neighbours make one wide basket."""
    polygon(surface, colour, [(0, 0.3), (1, 0.3), (1, 1), (0, 1)])
    for i in range(6):
        x, y = 0.08 + 0.32 * (i % 3), 0.52 + 0.23 * (i // 3)
        polygon(surface, GAPS, [(x, y), (x + 0.2, y), (x + 0.2, y + 0.09), (x, y + 0.09)])


def full_basket(surface: Any, colour: Colour) -> None:
    """Draw a basket with something round in it."""
    disc(surface, colour, 0.5, 0.29, 0.26)
    polygon(surface, GAPS, [(0, 0.26), (1, 0.26), (1, 0.3), (0, 0.3)])
    basket(surface, colour)


def cross(surface: Any, colour: Colour) -> None:
    """Draw two diagonal bars."""
    polygon(surface, colour, [(0.2, 0.31), (0.31, 0.2), (0.8, 0.69), (0.69, 0.8)])
    polygon(surface, colour, [(0.8, 0.31), (0.69, 0.2), (0.2, 0.69), (0.31, 0.8)])


SHAPES: dict[str, Callable[[Any, Colour], None]] = {  # each draws on a surface that already shows the floor
    "plain": plain,
    "words": plain,  # with the tile's name written on it
    "dot": partial(disc, radius=0.11),
    "disc": disc,
    "two discs": two_discs,
    "mouth": mouth,
    "star": star,
    "arrow": partial(
        polygon, corners=((0.5, 0.1), (0.86, 0.5), (0.64, 0.5), (0.64, 0.9), (0.36, 0.9), (0.36, 0.5), (0.14, 0.5))
    ),
    "diamond": partial(polygon, corners=((0.5, 0.08), (0.8, 0.5), (0.5, 0.92), (0.2, 0.5))),
    "square": partial(polygon, corners=((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))),
    "basket": basket,
    "full basket": full_basket,
    "tick": partial(
        polygon, corners=((0.14, 0.54), (0.25, 0.43), (0.42, 0.6), (0.75, 0.25), (0.86, 0.36), (0.42, 0.82))
    ),
    "cross": cross,
}


class Window:
    """Shows pictures in a window that opens with the first; once a person has closed it, later ones are not shown."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._clock: Any = None  # of an open window
        self._dismissed = False

    def show(self, picture: Picture, fps: int) -> None:
        """Show a picture, no sooner than 1 / `fps` seconds after the last.

        Raises:
            DependencyNotInstalled: pygame is missing.
        """
        if self._dismissed:
            return
        drawn, pygame = image(picture).swapaxes(0, 1), import_pygame()
        self._clock = self._clock or pygame.time.Clock()
        screen = pygame.display.get_surface()  # pygame has one window, which others may have taken, resized or closed
        if screen is None or screen.get_size() != drawn.shape[:2]:
            screen = pygame.display.set_mode(drawn.shape[:2])
        pygame.display.set_caption(self.title)
        pygame.surfarray.blit_array(screen, drawn)
        pygame.display.flip()
        self._clock.tick(fps)
        if pygame.event.get(pygame.QUIT):  # the other events are left to whoever wants them
            self._dismissed = True
            self.close()

    def close(self) -> None:
        """Close the window, if it is open."""
        if self._clock is not None:
            import_pygame().display.quit()
            self._clock = None


def key_code(name: str) -> int:
    """Return pygame's code of a key: "left", "right", "up", "down", "space" or a character.

    Raises:
        ValueError: there is no such key.
        DependencyNotInstalled: pygame is missing.
    """
    pygame = import_pygame()
    if name in ARROW_AND_SPACE_KEYS:
        return int(getattr(pygame, f"K_{name.upper()}"))
    if len(name) == 1:
        return ord(name.lower())
    raise ValueError(f"key is {name!r}; it must be one character or one of {', '.join(ARROW_AND_SPACE_KEYS)}")
