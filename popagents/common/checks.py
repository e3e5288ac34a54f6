"""How settings are checked: errors name the value and what it must be."""

import difflib
from collections.abc import Iterable
from typing import Any

import numpy as np


def positive(name: str, value: Any) -> None:
    """Refuse a setting that is not a whole number above 0.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} is {value!r}; it must be a whole number, 1 or more")


def between(name: str, value: Any, low: float, high: float, *, open_low: bool = True) -> float:
    """Return a setting as a float.

    Raises:
        ValueError: it is not a number from `low` (itself excluded if `open_low`) to `high`.
    """
    number = float(value)
    if low <= number <= high and not (open_low and number == low):
        return number
    raise ValueError(f"{name} is {value!r}; it must be {'above' if open_low else 'at least'} {low} and at most {high}")


def choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """Return a setting that names one of several.

    Raises:
        ValueError: it does not.
    """
    if value in list(allowed):
        return str(value)
    near = difflib.get_close_matches(str(value), allowed, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"{name} is {value!r}; choose one of {', '.join(allowed)}{hint}")
