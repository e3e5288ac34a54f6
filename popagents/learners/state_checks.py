"""What the numbers in a learner's state must be, when they come from a file."""

import numpy as np


def finite(array: np.ndarray, name: str) -> None:
    """Refuse numbers that are NaN or infinite.

    Raises:
        ValueError: there are some.
    """
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"the file's array {name!r:.200} holds NaN or infinite numbers")


def within(array: np.ndarray | int, name: str, below: int | None = None) -> None:
    """Refuse numbers below 0, or from `below` on: counts, which end at 2**53 in any case, or members.

    Raises:
        ValueError: there are some.
    """
    values = np.asarray(array)
    below = 2**53 if below is None and values.dtype.kind == "i" else below
    if (values < 0).any() or (below is not None and (values >= below).any()):
        most = "" if below is None else f" to {below - 1}"
        raise ValueError(f"the file's array {name!r:.200} holds {values.min()} to {values.max()}; it may hold 0{most}")


def distinct(array: np.ndarray, name: str, below: int) -> None:
    """Refuse members that stand twice, or are none.

    Raises:
        ValueError: there are some.
    """
    within(array, name, below)
    if len(np.unique(array)) < len(array):
        raise ValueError(f"the file's array {name!r} names a member twice")
