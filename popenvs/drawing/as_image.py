"""A picture as an image: tiles, their labels and the caption."""

from functools import lru_cache
from typing import Any

import numpy as np

from popenvs.drawing.shapes import DARK, FINER, GAPS, plain
from popenvs.drawing.tiles import Picture, Tile
from popenvs.drawing.toolkit import import_pygame

LONGER_SIDE = 480  # of a board, about (pixels)
SMALLEST_CELL = 8  # (pixels)
NARROWEST = 240  # image that still has room for a caption; a narrower board stands in its middle (pixels)
STRIP = 32  # height of a line of the caption below the board (pixels)
FONT_SIZE = 24  # of a line that fits the width (pixels)
INK = (226, 228, 236)


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
    strips = [strip_image(line, width) for line in picture.caption.split("\n")]
    out = np.empty((height + STRIP * len(strips), width, 3), np.uint8)
    out[:height, :left] = out[:height, right:] = GAPS
    out[height:] = np.concatenate(strips)
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
        tile.shape(large, tile.colour)
        if tile.label:
            write(large, tile.label)
        out[:] = pixels(import_pygame().transform.smoothscale(large, (cell, cell)))
    return images


def strip_image(words: str, width: int) -> np.ndarray:
    """Draw a line of the caption, scaled down if it is wider than there is room, as (STRIP, width, 3) uint8."""
    pygame = import_pygame()
    pygame.font.init()  # and no font is kept, because anybody's pygame.quit() would spoil it
    line = pygame.font.Font(None, FONT_SIZE).render(words, True, INK)
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


def write(surface: Any, words: str) -> None:
    """Write words across the cell, one line for each of theirs, as large as there is room for."""
    pygame, size = import_pygame(), surface.get_width()
    pygame.font.init()
    font = pygame.font.Font(None, size // 4)
    ink = DARK if sum(surface.get_at((size // 2, size // 8))[:3]) > 3 * 128 else INK
    lines = [font.render(line, True, ink) for line in words.split("\n")]
    scale = min(1.0, 0.88 * size / max(line.get_width() for line in lines))
    for i, line in enumerate(lines):
        line = pygame.transform.smoothscale_by(line, scale)
        middle = size / 2 + (i - (len(lines) - 1) / 2) * font.get_linesize() * scale
        surface.blit(line, line.get_rect(center=(size // 2, int(middle))))
