"""The basins of attraction of fixed points on a plane through the strategy space."""

from pathlib import Path
from typing import Any

from popagents.common.optional import needed
from popagents.dynamics.learner import Learner
from popagents.dynamics.plane import BasinMap, Choice, basin_map
from popagents.plots.strategy_space import drawing, label, unit_square
from popagents.plots.style import LINES


def basin_plot(
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
    """Draw to which fixed point learning leads from each point of a plane, one colour for each.

    Args:
        learner: any that learns strategies.
        x: the horizontal axis: the probability of (player, state, action), or observation instead of state.
        y: the vertical axis, likewise.
        axes: where to draw.
        path: the file to write instead.
        grid: points an axis, or the points themselves.
        background: all other strategies, (N, Z, A).
        title: written above.
        **settings: of `popagents.dynamics.analysis.fixed_points`.

    Returns:
        What is drawn.

    Raises:
        ValueError: see `popagents.dynamics.flow`; or not exactly one of axes and path is given.
    """
    data = basin_map(learner, x, y, grid, background, **settings)
    colours = [LINES[k % len(LINES)] for k in range(len(data.ends.points))]
    with drawing(axes, path, title) as axes:
        kinds = needed("matplotlib.colors").ListedColormap(["#ffffff", *map(pale, colours)])
        axes.pcolormesh(data.points, data.points, data.labels, cmap=kinds, vmin=-1.5, vmax=len(colours) - 0.5)
        for colour, point in zip(colours, data.ends.points, strict=True):
            dot = {"ms": 9, "mfc": colour, "mec": "white", "mew": 1.2, "clip_on": False, "zorder": 5}
            axes.plot(point[x], point[y], "o", **dot)
        unit_square(axes, label(learner, x), label(learner, y))
    return data


def pale(colour: str) -> tuple[float, ...]:
    """Return a colour mixed with white."""
    return tuple(0.42 * c + 0.58 for c in needed("matplotlib.colors").to_rgb(colour))
