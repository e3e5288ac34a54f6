"""Shapes of tiles, and the strokes that they are made of; lengths are fractions of the cell."""

from collections.abc import Sequence
from math import cos, radians, sin
from typing import Any

from popenvs.drawing.tiles import Colour
from popenvs.drawing.toolkit import import_pygame

FINER = 4  # shapes are drawn this many times larger than the image shows them, which smooths their edges
GAPS, DARK = (12, 14, 24), (28, 26, 20)  # colours that are no tile's


def polygon(surface: Any, colour: Colour, corners: Sequence[tuple[float, float]]) -> None:
    """Fill a polygon."""
    size = surface.get_width()
    import_pygame().draw.polygon(surface, colour, [(x * size, y * size) for x, y in corners])


def circle(surface: Any, colour: Colour, x: float, y: float, radius: float) -> None:
    """Fill a circle."""
    size = surface.get_width()
    import_pygame().draw.circle(surface, colour, (x * size, y * size), radius * size)


def plain(surface: Any, colour: Colour) -> None:
    """Fill the cell up to a thin gap."""
    size, gap = surface.get_width(), FINER // 2  # half a pixel each, so that neighbours lie one pixel apart
    import_pygame().draw.rect(surface, colour, (gap, gap, size - 2 * gap, size - 2 * gap), border_radius=size // 8)


def dot(surface: Any, colour: Colour) -> None:
    """Draw a small disc."""
    circle(surface, colour, 0.5, 0.5, 0.11)


def disc(surface: Any, colour: Colour) -> None:
    """Draw a disc in the middle."""
    circle(surface, colour, 0.5, 0.5, 0.28)


def star(surface: Any, colour: Colour) -> None:
    """Draw a star with five rays."""
    rays = [(radians(36 * i), 0.18 if i % 2 else 0.42) for i in range(10)]
    polygon(surface, colour, [(0.5 + length * sin(angle), 0.53 - length * cos(angle)) for angle, length in rays])


def arrow(surface: Any, colour: Colour) -> None:
    """Draw an arrow that points up."""
    head, shaft = [(0.14, 0.5), (0.5, 0.1), (0.86, 0.5)], [(0.64, 0.5), (0.64, 0.9), (0.36, 0.9), (0.36, 0.5)]
    polygon(surface, colour, [*head, *shaft])


def diamond(surface: Any, colour: Colour) -> None:
    """Draw a square that stands on a corner."""
    polygon(surface, colour, [(0.5, 0.08), (0.8, 0.5), (0.5, 0.92), (0.2, 0.5)])


def square(surface: Any, colour: Colour) -> None:
    """Draw a square."""
    polygon(surface, colour, [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)])


def mouth(surface: Any, colour: Colour, angle: float = 0.0) -> None:
    """Draw a disc with an eye and a mouth, open to the right or turned counterclockwise by an angle (degrees)."""
    x, y = cos(radians(angle)), -sin(radians(angle))
    around = [radians(angle + opened) for opened in range(40, 321, 5)]
    rim = [(0.5 + 0.42 * cos(turn), 0.5 - 0.42 * sin(turn)) for turn in around]
    polygon(surface, colour, [(0.5 - 0.08 * x, 0.5 - 0.08 * y), *rim])
    circle(surface, DARK, 0.5 - 0.24 * abs(y), 0.5 - 0.24 * abs(x), 0.065)  # above the mouth, whichever side it is on


def tick(surface: Any, colour: Colour) -> None:
    """Draw the mark of what is correct."""
    polygon(surface, colour, [(0.14, 0.54), (0.25, 0.43), (0.42, 0.6), (0.75, 0.25), (0.86, 0.36), (0.42, 0.82)])


def cross(surface: Any, colour: Colour) -> None:
    """Draw two diagonal bars."""
    polygon(surface, colour, [(0.2, 0.31), (0.31, 0.2), (0.8, 0.69), (0.69, 0.8)])
    polygon(surface, colour, [(0.8, 0.31), (0.69, 0.2), (0.2, 0.69), (0.31, 0.8)])
