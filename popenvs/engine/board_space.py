"""The observation space of games that show a board of small numbers."""

import numpy as np
from gymnasium import spaces

from popenvs.engine.settings import one_of


def board_space(observation: str, dtype: str, high: int, rows: int, columns: int) -> spaces.Box:
    """Return the space of a board as a row of numbers or as an image of one channel.

    Args:
        observation: "flat", (rows * columns,), or "grid", (1, rows, columns).
        dtype: "float32" or "uint8".
        high: the largest number on a cell; the smallest is 0.
        rows: of the board.
        columns: of the board.

    Raises:
        ValueError: `observation` or `dtype` is none of these words.
    """
    flat = one_of("observation", observation, ("flat", "grid")) == "flat"
    shape = (rows * columns,) if flat else (1, rows, columns)
    return spaces.Box(0, high, shape, np.dtype(one_of("dtype", dtype, ("float32", "uint8"))))
