"""The flow of learning or evolution among three strategies, drawn as a triangle."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from popagents.dynamics.simplex import shares, simplex_flow
from popagents.plots.strategy_space import action_names, draw_path, drawing, shades
from popagents.plots.style import INK

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.75**0.5]])  # one an action


def simplex_plot(
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
    """Draw the flow among three strategies, all players playing the same; the faster it is, the darker the arrow.

    Args:
        dynamics: a learner of strategies or a `Replicator`, of a game with three actions.
        trajectories: a `Trajectory`, or strategies (n, ...) of the shape that the dynamics take.
        player: whose strategies and flow are drawn.
        state: in which state.
        axes: where to draw.
        path: the file to write instead.
        grid: points an edge.
        title: written above.

    Returns:
        The points, and the direction of change at each, (k, 3) both.

    Raises:
        ValueError: the player has not three actions, or not exactly one of axes and path is given.
    """
    points, change = simplex_flow(dynamics, player, state, grid)
    with drawing(axes, path, title) as axes:
        triangle(axes, action_names(dynamics.game, player, 3))
        field(axes, points @ CORNERS, change @ CORNERS, 0.8 / grid)
        if trajectories is not None:
            for line in np.moveaxis(shares(dynamics, trajectories, player, state), 1, 0):
                draw_path(axes, *(line @ CORNERS).T)
    return points, change


def field(axes: Any, points: np.ndarray, change: np.ndarray, longest: float) -> None:
    """Draw arrows (k, 2) at points (k, 2); their lengths grow with the cube root of the speed, up to `longest`."""
    speed = np.hypot(*change.T)
    lengths = np.cbrt(speed / (speed.max(initial=0) or 1))
    unit = change / np.where(speed > 0, speed, 1)[:, None]
    style = {"pivot": "mid", "angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.007}
    axes.quiver(*points.T, *(unit * lengths[:, None] * longest).T, color=shades(lengths), **style)


def triangle(axes: Any, names: Sequence[str]) -> None:
    """Draw an empty simplex with the names of its three corners."""
    axes.plot(*CORNERS[[0, 1, 2, 0]].T, color=INK, lw=1.2)
    for corner, name, ha, va in zip(CORNERS, names, ("right", "left", "center"), ("top", "top", "bottom"), strict=True):
        axes.annotate(name, corner, (0, -6 if va == "top" else 6), textcoords="offset points", ha=ha, va=va)
    axes.set(aspect="equal", xlim=(-0.12, 1.12), ylim=(-0.1, 0.97))
    axes.set_axis_off()
