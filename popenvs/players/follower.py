"""A player that keeps a basket under what falls."""

import numpy as np


def follow(board: np.ndarray) -> int:
    """Return in which direction the basket should move: -1, 0 or 1.

    Args:
        board: (rows, columns), the bottom row holding the basket and another row, perhaps, the fruit.
    """
    basket = np.flatnonzero(board[-1])
    fruit = np.flatnonzero(board[:-1].any(axis=0))
    return int(np.sign(fruit[0] - basket[len(basket) // 2])) if len(fruit) else 0
