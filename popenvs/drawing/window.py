"""Pictures in a window."""

import os
from typing import Any

from popenvs.drawing.as_image import image
from popenvs.drawing.tiles import Picture
from popenvs.drawing.toolkit import import_pygame

NOWHERE = ("dummy", "offscreen")  # SDL's drivers that show nothing, to which it turns where there is no display


def has_display() -> bool:
    """Tell whether a window would be seen; a driver that shows nothing will do where SDL_VIDEODRIVER names it.

    Raises:
        DependencyNotInstalled: pygame is missing.
    """
    pygame = import_pygame()
    try:
        pygame.display.init()
    except pygame.error:
        return False
    return pygame.display.get_driver() not in NOWHERE or bool(os.environ.get("SDL_VIDEODRIVER"))


class Window:
    """Shows pictures in a window that opens with the first; once a person has closed it, later ones are not shown.

    Attributes:
        dismissed: whether a person has closed it.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._clock: Any = None  # of an open window
        self.dismissed = False

    def show(self, picture: Picture, fps: int) -> None:
        """Show a picture, no sooner than 1 / `fps` seconds after the last.

        Raises:
            DependencyNotInstalled: pygame is missing.
        """
        if self.dismissed:
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
            self.dismissed = True
            self.close()

    def close(self) -> None:
        """Close the window, if it is open."""
        if self._clock is not None:
            import_pygame().display.quit()
            self._clock = None
