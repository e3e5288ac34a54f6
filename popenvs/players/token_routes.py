"""Where to walk next on a torus with tokens: to the nearest one, or along the shortest route through all.

Both read an observation of `popenvs.pacman`, flat: how many tokens lie at offset (dx, dy) from the agent, at index
dx * height + dy. Both return a step, (dx, dy), one of them -1 or 1, or (0, 0): x first; where there is no token, none.
"""

import numpy as np

from popenvs.engine.compiling import njit

STEP_COST = 1 << 20  # of a route, large enough that waiting only decides between equally short ones


@njit
def toward(dx: int, dy: int, width: int, height: int) -> tuple[int, int]:
    """Return the step that takes the shorter way to an offset, along x first; (0, 0) when already there."""
    if dx != 0:
        return 1 if dx <= width - dx else -1, 0
    if dy != 0:
        return 0, 1 if dy <= height - dy else -1
    return 0, 0


@njit
def distance(dx: int, dy: int, width: int, height: int) -> int:
    """Return how many steps an offset is away on the torus, for offsets of either sign."""
    dx, dy = abs(dx), abs(dy)
    return min(dx, width - dx) + min(dy, height - dy)


@njit(cache=True)
def nearest_token(observation: np.ndarray, width: int, height: int) -> tuple[int, int]:
    """Walk to the nearest token, the first in index order among equals."""
    best, nearest = 0, width + height
    for cell in range(len(observation)):
        if observation[cell] > 0:
            steps = distance(cell // height, cell % height, width, height)
            if steps < nearest:
                best, nearest = cell, steps
    return toward(best // height, best % height, width, height)


@njit(cache=True)
def shortest_route(observation: np.ndarray, width: int, height: int) -> tuple[int, int]:
    """Walk the shortest route through all cells that hold tokens, of equally short ones the one that eats soonest.

    The dynamic programme of M. Held and R. Karp (1962), "A dynamic programming approach to sequencing problems", over
    the first 12 cells.
    """
    cells = np.flatnonzero(observation)[:12]
    n = len(cells)
    x, y = cells // height, cells % height
    rest = np.zeros((1 << n, n), np.int64)  # rest[done, i]: cost still to come at cell i when `done` have been visited
    for done in range((1 << n) - 2, 0, -1):
        step_cost = STEP_COST
        for j in range(n):
            step_cost += 1 - (done >> j & 1)  # every cell that has to wait adds a little
        for i in range(n):
            rest[done, i] = 1 << 60
            for j in range(n):
                if not done >> j & 1:
                    cost = step_cost * distance(x[j] - x[i], y[j] - y[i], width, height) + rest[done | 1 << j, j]
                    rest[done, i] = min(rest[done, i], cost)
    first, cheapest = 0, 1 << 60
    for i in range(n):
        steps = max(1, distance(x[i], y[i], width, height))  # what lies under the agent costs a step, too
        cost = (STEP_COST + n) * steps + rest[1 << i, i]
        if cost < cheapest:
            first, cheapest = i, cost
    return toward(x[first], y[first], width, height) if n else (0, 0)
