"""The flow of learning or evolution on the simplex of three strategies, all players playing the same."""

from typing import Any

import numpy as np

from popagents.dynamics.learner import Learner
from popagents.dynamics.trajectory import Trajectory


def simplex_flow(dynamics: Any, player: int = 0, state: int = 0, grid: int = 11) -> tuple[np.ndarray, np.ndarray]:
    """Return the direction of change at points spread evenly over the inside of the simplex.

    Args:
        dynamics: a learner of strategies or a `Replicator`, of a game with three actions.
        player: whose strategy changes.
        state: in which state.
        grid: points an edge.

    Returns:
        The points, and at each the change of a replicator, or the centered prediction error of a learner: float64,
        (k, 3) both.

    Raises:
        ValueError: the player has not three actions.
    """
    learns = isinstance(dynamics, Learner)
    available = dynamics.available if learns else dynamics.tensors.available
    if available.sum(-1)[player] != 3 or available.shape[1] != 3:
        raise ValueError(f"the players have {available.sum(-1).tolist()} actions; a simplex needs 3")
    points = inner_points(grid)
    place = place_of(dynamics, player, state)
    X = np.broadcast_to(points.reshape(-1, *[1] * len(place), 3), (len(points), *dynamics.shape))
    change = dynamics.prediction_error(X, centered=True) if learns else dynamics.derivative(X)
    return points, change[(slice(None), *place)]


def inner_points(grid: int) -> np.ndarray:
    """Return points on a triangular grid that keeps away from the border, float64, (grid (grid + 1) / 2, 3)."""
    corner = np.indices((grid, grid)).reshape(2, -1).T + 0.5
    corner = corner[corner.sum(1) < grid]
    return np.column_stack([corner, grid + 0.5 - corner.sum(1)]) / (grid + 0.5)


def place_of(dynamics: Any, player: int, state: int) -> tuple[int, ...]:
    """Return the index of one player's strategy in a table of the dynamics."""
    if isinstance(dynamics, Learner):
        return player, state
    return () if dynamics.single else (player,)


def shares(dynamics: Any, trajectories: Any, player: int = 0, state: int = 0) -> np.ndarray:
    """Return one player's strategy over time, float64, (n, batch elements, 3).

    Args:
        dynamics: whose trajectories they are.
        trajectories: a `Trajectory`, or strategies (n, ...) of the shape that the dynamics take.
        player: whose strategy.
        state: in which state.
    """
    tables = trajectories.strategies if isinstance(trajectories, Trajectory) else np.asarray(trajectories)
    place: Any = (..., *place_of(dynamics, player, state), slice(None))
    return np.asarray(tables.reshape(len(tables), -1, *dynamics.shape)[place])
