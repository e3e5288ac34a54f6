"""Packages that only figures need, imported when a figure is drawn; itself imports nothing heavy."""

from importlib import import_module
from typing import Any


def needed(module: str) -> Any:
    """Import what only figures need.

    Raises:
        ImportError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        name = "Pillow" if module.startswith("PIL") else module.partition(".")[0]
        raise ImportError(f'{name} is not installed; run `pip install "popzoo[zoo]"`') from error
