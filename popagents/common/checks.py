"""How settings are checked: errors name the value and what it must be."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from registration.names import nearest

MOST = 2**20  # members, episodes, ...: whatever has a row in an array


def positive(name: str, value: Any) -> None:
    """Refuse a setting that is not a whole number above 0.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} is {value!r}; it must be a whole number, 1 or more")


def seed_of(seed: Any) -> int:
    """Return a run's seed; None draws one.

    Raises:
        ValueError: it is no whole number from 0 to 2**63 - 1.
    """
    if seed is None:
        return int(np.random.SeedSequence().entropy % 2**32)  # type: ignore[operator]
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or not 0 <= seed < 2**63:
        raise ValueError(f"seed is {seed!r}; it must be a whole number from 0 to 2**63 - 1, or None, which draws one")
    return int(seed)


def between(name: str, value: Any, low: float, high: float, *, open_low: bool = True) -> float:
    """Return a setting as a float.

    Raises:
        ValueError: it is not a number from `low` (itself excluded if `open_low`) to `high`.
    """
    number = float(value)
    if low <= number <= high and not (open_low and number == low):
        return number
    raise ValueError(f"{name} is {value!r}; it must be {'above' if open_low else 'at least'} {low} and at most {high}")


def array_size(name: str, value: Any) -> None:
    """Refuse a setting that is not a whole number above 0, or so large that the arrays it makes would fill the memory.

    Raises:
        ValueError: it is one of these.
    """
    positive(name, value)
    if value > MOST:
        raise ValueError(f"{name} is {value!r}; arrays are made of this size, so it must be {MOST} or less")


def choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """Return a setting that names one of several.

    Raises:
        ValueError: it does not.
    """
    allowed = list(allowed)
    if value in allowed:
        return str(value)
    raise ValueError(f"{name} is {value!r}; choose one of {', '.join(allowed)}{nearest(str(value), allowed)}")
