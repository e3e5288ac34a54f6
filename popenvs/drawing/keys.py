"""Keys by name."""

from popenvs.drawing.toolkit import import_pygame

ARROW_AND_SPACE_KEYS = ("left", "right", "up", "down", "space")


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
