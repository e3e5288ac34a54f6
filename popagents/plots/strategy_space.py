"""What figures of learning dynamics share: axes, labels of strategies, shades of arrows, trajectories."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from popagents.dynamics.agents import PartiallyObservableActorCritic
from popagents.dynamics.learner import Learner
from popagents.dynamics.plane import Choice
from popagents.dynamics.trajectory import Trajectory
from popagents.plots.style import ORANGE, squares


@contextmanager
def drawing(axes: Any, path: str | Path | None, title: str | None) -> Iterator[Any]:
    """Yield the axes to draw on: the given ones, or those of a new figure, which is written to `path` at the end.

    Raises:
        ValueError: neither or both of axes and path are given.
    """
    if (axes is None) == (path is None):
        raise ValueError(f"axes is {axes} and path is {path}; give one of them: where to draw, or the file to write")
    figure, own = squares() if axes is None else (None, [axes])
    yield own[0]
    if title:
        own[0].set_title(title, loc="left", fontweight="bold", fontsize=11)
    if figure is not None:
        figure.savefig(path)


def unit_square(axes: Any, x: str, y: str) -> None:
    """Give axes the bounds of two probabilities, and the labels `x` and `y`."""
    ticks = [0, 0.5, 1]
    axes.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), xlabel=x, ylabel=y, xticks=ticks, yticks=ticks, aspect="equal")


def shades(strength: np.ndarray) -> np.ndarray:
    """Return RGBA colours from pale to dark for strengths from 0 to 1, (k, 4), in the order of `ravel`."""
    weight = np.nan_to_num(np.ravel(strength))[:, None]
    pale, dark = np.array([0.80, 0.84, 0.88, 1]), np.array([0.16, 0.27, 0.38, 1])
    return pale + weight * (dark - pale)


def draw_path(axes: Any, x: np.ndarray, y: np.ndarray) -> None:
    """Draw a trajectory, x and y (n,), from a ring at its start to a dot at its end."""
    axes.plot(x, y, color=ORANGE, lw=2.2, zorder=3, clip_on=False, solid_capstyle="round")
    axes.plot(x[0], y[0], "o", ms=6, mfc="white", mec=ORANGE, mew=1.8, zorder=4, clip_on=False)
    axes.plot(x[-1], y[-1], "o", ms=6, color=ORANGE, zorder=6, clip_on=False)


def paths(trajectories: Any, learner: Learner) -> list[np.ndarray]:
    """Return the strategies of each batch element over time, (n, N, Z, A) each, up to the element's last step.

    Args:
        trajectories: a `Trajectory`, or strategies (n, ..., N, Z, A).
        learner: whose they are.
    """
    if isinstance(trajectories, Trajectory):
        strategies = trajectories.strategies
        lengths = np.ravel(trajectories.n_steps) + 1
    else:
        strategies = np.asarray(trajectories, np.float64)
        lengths = np.full(1, len(strategies))
    flat = strategies.reshape(len(strategies), -1, *learner.shape)
    return [flat[:length, k] for k, length in enumerate(np.broadcast_to(lengths, flat.shape[1]))]


def action_names(game: Any, player: int, count: int) -> list[str]:
    """Return the names of a player's actions, by default their numbers."""
    names = getattr(game, "actions", None)
    return list(names[player]) if names is not None else [str(a) for a in range(count)]


def label(learner: Learner, chosen: Choice) -> str:
    """Return the label of a choice: player, action, and the state or observation where there are several."""
    i, z, a = chosen
    name = f"player {i}: {action_names(learner.game, i, learner.shape[2])[a]}"
    if learner.shape[1] == 1:
        return name
    if isinstance(learner, PartiallyObservableActorCritic):
        return f"{name}, after observation {z}"
    states = getattr(learner.game, "states", None)
    return f"{name}, {states[z] if states is not None else f'state {z}'}"
