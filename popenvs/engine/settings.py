"""How settings, options and seeds are checked."""

from collections.abc import Sequence
from math import inf, isfinite
from typing import Any

import numpy as np

NO_LIMIT = 2**31 - 1  # max_steps of a game that ends by itself (steps)


def whole_number(name: str, value: Any, low: int, high: int) -> int:
    """Return a setting as an int.

    Raises:
        ValueError: it is not a whole number from `low` to `high`.
    """
    if isinstance(value, (int, np.integer)) and low <= value <= high:
        return int(value)
    raise ValueError(f"{name} is {value!r}; it must be a whole number from {low} to {high}")


def number(name: str, value: Any, low: float = -inf, high: float = inf) -> float:
    """Return a setting as a finite float.

    Raises:
        ValueError: it is no finite number, or does not lie between `low` and `high`.
    """
    if isinstance(value, (int, float, np.integer, np.floating)) and isfinite(value) and low <= value <= high:
        return float(value)
    what = "be a finite number" if (low, high) == (-inf, inf) else f"lie between {low:g} and {high:g}"
    raise ValueError(f"{name} is {value!r}; it must {what}")


def flag(name: str, value: Any) -> bool:
    """Return a setting as a bool.

    Raises:
        ValueError: it is neither True nor False.
    """
    if value in (True, False):
        return bool(value)
    raise ValueError(f"{name} is {value!r}; it must be True or False")


def one_of(name: str, value: Any, choices: Sequence[str]) -> str:
    """Return a setting that is one of a few words.

    Raises:
        ValueError: it is none of them.
    """
    if value in choices:
        return str(value)
    raise ValueError(f"{name} is {value!r}; choose one of {', '.join(map(repr, choices))}")


def lane_seed(seed: Any) -> int:
    """Return a seed that a lane's 64-bit stream can begin with.

    Raises:
        ValueError: it is not a whole number from 0 to 2**64 - 1.
    """
    return whole_number("seed", seed, 0, 2**64 - 1)


def whole_numbers(value: Any, shape: tuple[int, ...], low: int, high: int) -> bool:
    """Tell whether an option holds whole numbers from `low` to `high`.

    Args:
        value: anything.
        shape: (lanes, ...), one row for each lane that is reset; a single row for all of them fits, too.
        low: least number.
        high: greatest number.
    """
    try:
        numbers = np.asarray(value)
    except ValueError:  # rows of unequal length
        return False
    fits = numbers.dtype.kind in "iu" and numbers.shape in (shape, shape[1:])
    return fits and within(numbers, low, high)


def within(values: np.ndarray, low: Any, high: Any) -> bool:
    """Tell whether all values lie from `low` to `high`."""
    return bool(((low <= values) & (values <= high)).all())
