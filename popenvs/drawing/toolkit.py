"""The one place where pygame is imported."""

from typing import Any

from gymnasium.error import DependencyNotInstalled


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
