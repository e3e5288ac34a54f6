"""What the pictures of learning dynamics share: the empty figure, colours, names, and ways from a ring to a dot."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from popagents.common.optional import needed
from popagents.dynamics.agents import PartiallyObservableActorCritic
from popagents.dynamics.learner import Learner
from popagents.dynamics.plane import Choice
from popagents.dynamics.trajectory import Trajectory

COLOURS = "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"  # told apart by every eye
INK = "#222222"
SIDE, DPI = 4.4, 130  # of one picture (inches, pixels an inch)


def canvas(pictures: int = 1) -> tuple[Any, list[Any]]:
    """Return a figure and so many axes side by side; no window and no state of `pyplot` is touched."""
    figure = needed("matplotlib.figure").Figure(figsize=(SIDE * pictures, SIDE), dpi=DPI)
    needed("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    axes = list(figure.subplots(1, pictures, squeeze=False)[0])
    left, right = 0.65 / (SIDE * pictures), 0.2 / (SIDE * pictures)
    figure.subplots_adjust(left, 0.13, 1 - right, 0.9, wspace=0.3)
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
    return figure, axes


@contextmanager
def drawing(axes: Any, path: str | Path | None, title: str | None) -> Iterator[Any]:
    """Yield axes to draw on; a figure of one's own is written to `path`.

    Raises:
        ValueError: neither or both of axes and path are given.
    """
    if (axes is None) == (path is None):
        raise ValueError(f"axes is {axes} and path is {path}; give one of them: where to draw, or the file to write")
    figure, own = canvas() if axes is None else (None, [axes])
    yield own[0]
    if title:
        own[0].set_title(title, loc="left", fontweight="bold", fontsize=11)
    if figure is not None:
        figure.savefig(path)


def unit_square(axes: Any, x: str, y: str) -> None:
    """Give axes the bounds of probabilities, and labels."""
    ticks = [0, 0.5, 1]
    axes.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), xlabel=x, ylabel=y, xticks=ticks, yticks=ticks, aspect="equal")


def shades(strength: np.ndarray) -> np.ndarray:
    """Return colours from pale to dark for strengths from 0 to 1, (k, 4), in the order of `ravel`."""
    weight = np.nan_to_num(np.ravel(strength))[:, None]
    pale, dark = np.array([0.80, 0.84, 0.88, 1]), np.array([0.16, 0.27, 0.38, 1])
    return pale + weight * (dark - pale)


def trace(axes: Any, x: np.ndarray, y: np.ndarray, colour: str = COLOURS[0]) -> None:
    """Draw a way from a ring to a dot."""
    axes.plot(x, y, color=colour, lw=2.2, zorder=3, clip_on=False, solid_capstyle="round")
    axes.plot(x[0], y[0], "o", ms=6, mfc="white", mec=colour, mew=1.8, zorder=4, clip_on=False)
    axes.plot(x[-1], y[-1], "o", ms=6, color=colour, zorder=6, clip_on=False)


def lines(trajectories: Any, learner: Learner) -> list[np.ndarray]:
    """Return the ways of all batch elements, each (n, N, Z, A), without the steps after its end."""
    if isinstance(trajectories, Trajectory):
        ways = trajectories.strategies
        ends = np.ravel(trajectories.n_steps) + 1
    else:
        ways = np.asarray(trajectories, np.float64)
        ends = np.full(1, len(ways))
    flat = ways.reshape(len(ways), -1, *learner.shape)
    return [flat[:end, k] for k, end in enumerate(np.broadcast_to(ends, flat.shape[1]))]


def action_names(game: Any, player: int, count: int) -> list[str]:
    """Return what a player's actions are called, by default their numbers."""
    names = getattr(game, "actions", None)
    return list(names[player]) if names is not None else [str(a) for a in range(count)]


def label(learner: Learner, chosen: Choice) -> str:
    """Return what an axis or a line is called."""
    i, z, a = chosen
    name = f"player {i}: {action_names(learner.game, i, learner.shape[2])[a]}"
    if learner.shape[1] == 1:
        return name
    if isinstance(learner, PartiallyObservableActorCritic):
        return f"{name}, after observation {z}"
    states = getattr(learner.game, "states", None)
    return f"{name}, {states[z] if states is not None else f'state {z}'}"
