"""Actions as a caller gives them, as numbers that compiled loops can trust."""

from typing import Any

import numpy as np

from popenvs.engine.compiling import njit


def whole_action(name: str, action: Any, n: int) -> int:
    """Return an action as an int.

    Args:
        name: what the error calls it.
        action: anything.
        n: how many actions there are.

    Raises:
        ValueError: it is not a whole number from 0 to n - 1.
    """
    try:
        number: int = action.__index__()  # ints, NumPy integers and 0-d integer arrays have one; floats do not
    except (AttributeError, TypeError):
        number = -1
    if 0 <= number < n:
        return number
    raise ValueError(f"{name} is {action!r}; it must be a whole number from 0 to {n - 1}")


def whole_actions(actions: Any, lanes: int, n: int) -> np.ndarray:
    """Return one action a lane, int64, (lanes,), contiguous.

    Raises:
        ValueError: they are not `lanes` whole numbers from 0 to n - 1.
    """
    given = np.asarray(actions)
    if given.shape == (lanes,) and given.dtype.kind in "iu":
        numbers = np.ascontiguousarray(given, np.int64)  # strided arrays would be compiled for anew
        if all_below(numbers, n):
            return numbers
    raise ValueError(f"actions are {actions!r}; they must be {lanes} whole numbers from 0 to {n - 1}")


@njit(cache=True)
def all_below(numbers: np.ndarray, n: int) -> bool:
    """Tell whether all numbers, int64, lie from 0 to n - 1.

    NumPy's two comparisons take three times as long.
    """
    outside = 0
    for number in numbers:
        outside += int(number < 0) + int(number >= n)
    return outside == 0
