"""Lineage: who lived, how well, and from whom each learned or was born, generation by generation."""

from enum import IntEnum

import numpy as np


class Transmission(IntEnum):
    """How a member came by what it will be in the next generation."""

    NONE = 0  # it stayed as it was
    IMITATION = 1  # it learned from `parent`'s behaviour
    BIRTH = 2  # it is a child of `parent` (and `second_parent`)


ROW = np.dtype(
    [
        ("generation", "i4"),
        ("member", "i4"),
        ("fitness", "f8"),
        ("parent", "i4"),  # member, -1 if none
        ("second_parent", "i4"),  # member, -1 if none
        ("transmission", "i1"),  # Transmission
        ("timesteps", "i8"),  # environment steps of the run up to the end of this generation
    ]
)


class Lineage:
    """A table of `ROW`s that grows by doubling."""

    def __init__(self, rows: np.ndarray | None = None) -> None:
        self._rows = np.empty(0, ROW) if rows is None else rows

    def rows(self, n: int) -> np.ndarray:
        """Return the first n rows, in order of generation and member."""
        return self._rows[:n]

    def write(self, first: int, rows: np.ndarray) -> None:
        """Put rows behind the first `first` ones; what stood there is overwritten.

        Whoever counts the rows moves the count on afterwards, so that an interrupt leaves no rows of a generation that
        was never finished.
        """
        end = first + len(rows)
        if end > len(self._rows):
            grown = np.empty(max(2 * len(self._rows), end), ROW)
            grown[:first] = self._rows[:first]
            self._rows = grown
        self._rows[first:end] = rows


def by_generation(lineage: np.ndarray) -> np.ndarray:
    """View a lineage as a table, (generations, members).

    Raises:
        ValueError: it is empty, or generations differ in size.
    """
    generations, sizes = np.unique(lineage["generation"], return_counts=True)
    if len(generations) == 0 or (sizes != sizes[0]).any():
        raise ValueError(
            f"lineage has {len(lineage)} rows in {len(generations)} generations; it must have at least one generation, "
            "with a row for every member: call learn first, and choose generations that were lived"
        )
    return lineage.reshape(len(generations), sizes[0])
