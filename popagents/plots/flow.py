"""The flow of learning on a plane through the strategy space, with trajectories and fixed points over it."""

from pathlib import Path
from typing import Any

import numpy as np

from popagents.common.checks import choice
from popagents.common.optional import needed
from popagents.dynamics.analysis import stability
from popagents.dynamics.learner import Learner
from popagents.dynamics.plane import Choice, Flow, flow
from popagents.plots.strategy_space import draw_path, drawing, label, paths, shades, unit_square
from popagents.plots.style import INK

STYLES = "quiver", "stream"


def flow_plot(
    learner: Learner,
    x: Choice = (0, 0, 0),
    y: Choice = (1, 0, 0),
    *,
    axes: Any = None,
    path: str | Path | None = None,
    style: str = "quiver",
    grid: Any = 9,
    arrows: str = "step",
    background: Any = None,
    trajectories: Any = None,
    fixed_points: Any = None,
    title: str | None = None,
) -> Flow:
    """Draw the direction of learning on a plane through the strategy space; the faster it is, the darker the arrow.

    Args:
        learner: any that learns strategies.
        x: the horizontal axis: the probability of (player, state, action), or observation instead of state.
        y: the vertical axis, likewise.
        axes: where to draw.
        path: the file to write instead.
        style: "quiver" or "stream".
        grid: points an axis, or the points themselves.
        arrows: "step" or "error", see `popagents.dynamics.flow`.
        background: all other strategies.
        trajectories: a `Trajectory`, or strategies (n, ..., N, Z, A), drawn from a ring to a dot.
        fixed_points: strategies (k, N, Z, A), drawn filled if stable, else as rings.
        title: written above.

    Returns:
        What is drawn.

    Raises:
        ValueError: see `popagents.dynamics.flow`; or not exactly one of axes and path is given.
    """
    choice("style", style, STYLES)
    data = flow(learner, x, y, grid, arrows, background)
    with drawing(axes, path, title) as axes:
        (quiver if style == "quiver" else stream)(axes, data)
        for line in () if trajectories is None else paths(trajectories, learner):
            draw_path(axes, line[(..., *x)], line[(..., *y)])
        for point in () if fixed_points is None else np.reshape(fixed_points, (-1, *learner.shape)):
            filled = INK if stability(learner, point) == "stable" else "white"
            axes.plot(point[x], point[y], "o", ms=8, mfc=filled, mec=INK, mew=1.4, clip_on=False, zorder=5)
        unit_square(axes, label(learner, x), label(learner, y))
    return data


def quiver(axes: Any, data: Flow) -> None:
    """Draw arrows; their lengths grow with the cube root of the speed, so that slow ones remain visible."""
    speed = np.hypot(data.dx, data.dy)
    scale = np.divide(1, speed ** (2 / 3), out=np.zeros_like(speed), where=speed > 0)
    spacing = np.diff(data.points).min(initial=1) if len(data.points) > 1 else 1
    longest = np.nanmax(speed ** (1 / 3), initial=0) or 1
    factor = 0.95 * spacing / longest
    dx, dy = data.dx * scale * factor, data.dy * scale * factor
    colours = shades(speed ** (1 / 3) / longest)
    style = {"pivot": "mid", "angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.008}
    axes.quiver(data.points, data.points, dx, dy, color=colours, **style)


def stream(axes: Any, data: Flow) -> None:
    """Draw stream lines."""
    speed = np.cbrt(np.hypot(data.dx, data.dy))
    colours = needed("matplotlib.colors").ListedColormap(shades(np.linspace(0, 1, 256)))
    style = {"cmap": colours, "density": 1.0, "linewidth": 1.2, "arrowsize": 1.1}
    axes.streamplot(data.points, data.points, data.dx, data.dy, color=speed, **style)
