"""The one place where pygame is imported."""

from pathlib import Path
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
        raise DependencyNotInstalled(f"pygame is not installed; run {install_command()}") from error
    return pygame


def install_command() -> str:
    """Return the command that installs what pictures need: from the clone, where the package is run from one."""
    clone = Path(__file__).parents[2]
    if (clone / "pyproject.toml").is_file():
        return f'`pip install ".[render]"` in {clone}'
    return '`pip install "popzoo[render]"`'
