"""Pictures of learning dynamics: flows with trajectories and fixed points over them, time courses, basins, simplices.

Each function draws on `axes`, or on a figure of its own that it writes to `path`, and returns the data that it drew.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from popagents.common.checks import choice
from popagents.common.optional import needed
from popagents.dynamics.analysis import stability
from popagents.dynamics.learner import Learner
from popagents.dynamics.page import COLOURS, INK, canvas, drawing, label, lines, shades, trace, unit_square
from popagents.dynamics.plane import BasinMap, Choice, Flow, basin_map
from popagents.dynamics.plane import flow as plane_flow
from popagents.dynamics.simplex import simplex

STYLES = "quiver", "stream"
__all__ = ["INK", "STYLES", "basins", "canvas", "flow", "label", "simplex", "trajectory"]


def flow(
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
    """Draw where learning pulls on a plane through the strategy space; darker arrows pull more.

    Args:
        learner: any that learns strategies.
        x: what the horizontal axis is: the probability of (player, state, action), or observation instead of state.
        y: what the vertical axis is.
        axes: where to draw.
        path: the file to write instead.
        style: "quiver" or "stream".
        grid: points an axis, or the points themselves.
        arrows: "step" or "error", see `popagents.dynamics.flow`.
        background: all other strategies.
        trajectories: a `Trajectory`, or strategies (n, ..., N, Z, A), drawn from a ring to a dot.
        fixed_points: strategies (k, N, Z, A), drawn filled if stable, else as rings.
        title: what stands above.

    Raises:
        ValueError: see `popagents.dynamics.flow`; or not just one of axes and path is given.
    """
    choice("style", style, STYLES)
    data = plane_flow(learner, x, y, grid, arrows, background)
    with drawing(axes, path, title) as axes:
        (quiver if style == "quiver" else stream)(axes, data)
        for line in () if trajectories is None else lines(trajectories, learner):
            trace(axes, line[(..., *x)], line[(..., *y)])
        for point in () if fixed_points is None else np.reshape(fixed_points, (-1, *learner.shape)):
            filled = INK if stability(learner, point) == "stable" else "white"
            axes.plot(point[x], point[y], "o", ms=8, mfc=filled, mec=INK, mew=1.4, clip_on=False, zorder=5)
        unit_square(axes, label(learner, x), label(learner, y))
    return data


def quiver(axes: Any, data: Flow) -> None:
    """Draw arrows; their lengths grow with the cube root of the pull, so that all can be seen."""
    strength = np.hypot(data.dx, data.dy)
    scale = np.divide(1, strength ** (2 / 3), out=np.zeros_like(strength), where=strength > 0)
    spacing = np.diff(data.points).min(initial=1) if len(data.points) > 1 else 1
    longest = np.nanmax(strength ** (1 / 3), initial=0) or 1
    factor = 0.95 * spacing / longest
    dx, dy = data.dx * scale * factor, data.dy * scale * factor
    colours = shades(strength ** (1 / 3) / longest)
    style = {"pivot": "mid", "angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.008}
    axes.quiver(data.points, data.points, dx, dy, color=colours, **style)


def stream(axes: Any, data: Flow) -> None:
    """Draw stream lines."""
    strength = np.cbrt(np.hypot(data.dx, data.dy))
    colours = needed("matplotlib.colors").ListedColormap(shades(np.linspace(0, 1, 256)))
    style = {"cmap": colours, "density": 1.0, "linewidth": 1.2, "arrowsize": 1.1}
    axes.streamplot(data.points, data.points, data.dx, data.dy, color=strength, **style)


def trajectory(
    learner: Learner,
    trajectories: Any,
    choices: Sequence[Choice] | None = None,
    *,
    axes: Any = None,
    path: str | Path | None = None,
    title: str | None = None,
) -> dict[str, np.ndarray]:
    """Draw strategies over time.

    Args:
        learner: whose trajectories they are.
        trajectories: a `Trajectory`, or strategies (n, ..., N, Z, A); of a batch, lines of one choice share a colour.
        choices: which (player, state, action) to draw; action 0 of every player in every state by default.
        axes: where to draw.
        path: the file to write instead.
        title: what stands above.

    Returns:
        By label, what is drawn: (n, starts).

    Raises:
        ValueError: not just one of axes and path is given.
    """
    if choices is None:
        choices = [(i, z, 0) for i in range(learner.shape[0]) for z in range(learner.shape[1])]
    ways = lines(trajectories, learner)
    with drawing(axes, path, title) as axes:
        for k, chosen in enumerate(choices):
            colour, dashes = COLOURS[k % len(COLOURS)], "-" if k % 2 == 0 else (0, (4, 1.5))
            for n, way in enumerate(ways):
                name = label(learner, chosen) if n == 0 else None
                axes.plot(way[(..., *chosen)], color=colour, ls=dashes, lw=2.0, label=name, clip_on=False)
        axes.set(xlabel="learning steps")
        axes.set_xlim(left=0)
        if all((way >= 0).all() and (way <= 1).all() for way in ways):
            axes.set(ylim=(-0.03, 1.03), yticks=[0, 0.5, 1], ylabel="probability")
        axes.legend(frameon=False, fontsize=9)
    longest = max(len(way) for way in ways)
    padded = np.stack([np.concatenate([way, np.repeat(way[-1:], longest - len(way), 0)]) for way in ways], axis=1)
    return {label(learner, chosen): padded[(..., *chosen)] for chosen in choices}


def basins(
    learner: Learner,
    x: Choice = (0, 0, 0),
    y: Choice = (1, 0, 0),
    *,
    axes: Any = None,
    path: str | Path | None = None,
    grid: Any = 101,
    background: Any = None,
    title: str | None = None,
    **settings: Any,
) -> BasinMap:
    """Draw in which fixed point learning ends from each point of a plane, a colour for each.

    Args:
        learner: see `flow`, as for the next four.
        x: what the horizontal axis is.
        y: what the vertical axis is.
        axes: where to draw.
        path: the file to write instead.
        grid: points an axis, or the points themselves.
        background: all other strategies, (N, Z, A).
        title: what stands above.
        **settings: of `popagents.dynamics.fixed_points`.

    Raises:
        ValueError: see `flow`.
    """
    data = basin_map(learner, x, y, grid, background, **settings)
    colours = [pale(COLOURS[k % len(COLOURS)]) for k in range(max(len(data.ends.points), 1))]
    with drawing(axes, path, title) as axes:
        kinds = needed("matplotlib.colors").ListedColormap(["#ffffff", *colours])
        axes.pcolormesh(data.points, data.points, data.labels, cmap=kinds, vmin=-1.5, vmax=len(colours) - 0.5)
        for k, point in enumerate(data.ends.points):
            style = {
                "ms": 9,
                "mfc": COLOURS[k % len(COLOURS)],
                "mec": "white",
                "mew": 1.2,
                "clip_on": False,
                "zorder": 5,
            }
            axes.plot(point[x], point[y], "o", **style)
        unit_square(axes, label(learner, x), label(learner, y))
    return data


def pale(colour: str) -> tuple[float, ...]:
    """Return a colour mixed with white."""
    return tuple(0.42 * c + 0.58 for c in needed("matplotlib.colors").to_rgb(colour))
