"""A board of tiles as text, as an image or in a window, and the keys pressed there. Knows no game."""

from popenvs.drawing.as_image import image
from popenvs.drawing.as_text import text
from popenvs.drawing.keys import Keyboard, key_code
from popenvs.drawing.tiles import Colour, Picture, Tile
from popenvs.drawing.toolkit import import_pygame
from popenvs.drawing.window import Window, has_display

__all__ = [
    "Colour",
    "Keyboard",
    "Picture",
    "Tile",
    "Window",
    "has_display",
    "image",
    "import_pygame",
    "key_code",
    "text",
]
