"""Keys by name, and which of them somebody presses."""

from collections import deque
from collections.abc import Iterable

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


class Keyboard:
    """Remembers presses until they are taken, so that one that ends between two looks is not lost.

    Args:
        codes: of the keys that count, as `key_code` returns them.

    Attributes:
        escaped: whether Esc was pressed.
    """

    def __init__(self, codes: Iterable[int]) -> None:
        self.codes = frozenset(codes)
        self.escaped = False
        self._presses: deque[int] = deque()  # not yet taken
        self._held: list[int] = []  # the latest last

    def look(self) -> None:
        """See what happened since the last look; who closes the window is left to `Window`."""
        pygame = import_pygame()
        for event in pygame.event.get(exclude=pygame.QUIT):
            if event.type == pygame.KEYDOWN and event.key in self.codes:
                self._presses.append(event.key)
                self._held.append(event.key)
            elif event.type == pygame.KEYUP and event.key in self._held:
                self._held.remove(event.key)
            self.escaped |= event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE

    def take(self) -> int | None:
        """Return the code of the first press that was not taken yet, if there is one."""
        return self._presses.popleft() if self._presses else None

    def held(self) -> int | None:
        """Return the code of the key that is down, of several the latest, if there is one."""
        return self._held[-1] if self._held else None

    def forget(self) -> None:
        """Drop the presses that were not taken."""
        self._presses.clear()
