"""Packages that only an extra installs, imported when they are needed; itself imports nothing heavy."""

from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]  # of the clone, where the package is run from one

NAMES = {"PIL": "Pillow", "ale_py": "ale-py"}


def missing_extra(problem: str, extra: str) -> ImportError:
    """Return the error that names an extra, from the clone where the package is run from one.

    Args:
        problem: what is missing, "matplotlib is not installed".
        extra: a key of `optional-dependencies` in pyproject.toml.
    """
    if (ROOT / "pyproject.toml").is_file():
        return ImportError(f'{problem}; run `pip install ".[{extra}]"` in {ROOT}')
    return ImportError(f'{problem}; run `pip install "popzoo[{extra}]"`')


def needed(module: str, extra: str = "zoo") -> Any:
    """Import a module that comes with an extra.

    Raises:
        ImportError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise missing_extra(f"{NAMES.get(package, package)} is not installed", extra) from error
