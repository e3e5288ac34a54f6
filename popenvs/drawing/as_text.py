"""A picture as text."""

from popenvs.drawing.tiles import Picture


def text(picture: Picture) -> str:
    """Write one character a cell, one line a row (or the picture's own lines), then the caption."""
    rows = ["".join(picture.tiles[tile].char for tile in row) for row in picture.board]
    return "\n".join([*(rows if picture.lines is None else picture.lines), picture.caption])
