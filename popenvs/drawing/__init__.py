"""A board of tiles as text, as an image or in a window. Knows no game."""

from popenvs.drawing.as_image import image
from popenvs.drawing.as_text import text
from popenvs.drawing.keys import key_code
from popenvs.drawing.tiles import Colour, Picture, Tile
from popenvs.drawing.toolkit import import_pygame
from popenvs.drawing.window import Window

__all__ = ["Colour", "Picture", "Tile", "Window", "image", "import_pygame", "key_code", "text"]
