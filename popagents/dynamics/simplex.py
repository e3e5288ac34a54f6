"""Three strategies as a triangle: where learning or evolution pulls at each mixture, and ways through it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from popagents.dynamics.learner import Learner
from popagents.dynamics.page import INK, action_names, drawing, shades, trace
from popagents.dynamics.trajectory import Trajectory

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.75**0.5]])  # one an action


def simplex(
    dynamics: Any,
    trajectories: Any = None,
    *,
    player: int = 0,
    state: int = 0,
    axes: Any = None,
    path: str | Path | None = None,
    grid: int = 11,
    title: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the flow among three strategies, everybody playing the same; darker arrows pull more.

    Args:
        dynamics: a learner of strategies or a `Replicator`, of a game with three actions.
        trajectories: a `Trajectory`, or strategies (n, ...) as the dynamics have them.
        player: whose strategies and pull are drawn.
        state: in which state.
        axes: where to draw.
        path: the file to write instead.
        grid: points an edge.
        title: what stands above.

    Returns:
        The points and the pull at each, (k, 3) both.

    Raises:
        ValueError: the player has not three actions, or not just one of axes and path is given.
    """
    learner = isinstance(dynamics, Learner)
    available = dynamics.available if learner else dynamics.tensors.available
    if available.sum(-1)[player] != 3 or available.shape[1] != 3:
        raise ValueError(f"the players have {available.sum(-1).tolist()} actions; a simplex needs 3")
    corner = np.indices((grid, grid)).reshape(2, -1).T + 0.5
    corner = corner[corner.sum(1) < grid]
    points = np.column_stack([corner, grid + 0.5 - corner.sum(1)]) / (grid + 0.5)
    place = (player, state) if learner else () if dynamics.single else (player,)
    X = np.broadcast_to(points.reshape(-1, *[1] * len(place), 3), (len(points), *dynamics.shape))
    pull = dynamics.prediction_error(X, centered=True) if learner else dynamics.derivative(X)
    pull = pull[(slice(None), *place)]
    with drawing(axes, path, title) as axes:
        triangle(axes, action_names(dynamics.game, player, 3))
        field(axes, points @ CORNERS, pull @ CORNERS, 0.8 / grid)
        if trajectories is not None:
            ways = trajectories.strategies if isinstance(trajectories, Trajectory) else np.asarray(trajectories)
            ways = ways.reshape(len(ways), -1, *dynamics.shape)[(slice(None), slice(None), *place)] @ CORNERS
            for k in range(ways.shape[1]):
                trace(axes, *ways[:, k].T)
    return points, pull


def field(axes: Any, points: np.ndarray, pull: np.ndarray, longest: float) -> None:
    """Draw arrows (k, 2) at points (k, 2), lengths as in `quiver`."""
    strength = np.hypot(*pull.T)
    lengths = np.cbrt(strength / (strength.max(initial=0) or 1))
    unit = pull / np.where(strength > 0, strength, 1)[:, None]
    style = {"pivot": "mid", "angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.007}
    axes.quiver(*points.T, *(unit * lengths[:, None] * longest).T, color=shades(lengths), **style)


def triangle(axes: Any, names: Sequence[str]) -> None:
    """Draw an empty simplex."""
    axes.plot(*CORNERS[[0, 1, 2, 0]].T, color=INK, lw=1.2)
    for corner, name, ha, va in zip(CORNERS, names, ("right", "left", "center"), ("top", "top", "bottom"), strict=True):
        axes.annotate(name, corner, (0, -6 if va == "top" else 6), textcoords="offset points", ha=ha, va=va)
    axes.set(aspect="equal", xlim=(-0.12, 1.12), ylim=(-0.1, 0.97))
    axes.set_axis_off()
