"""Strategies over time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from popagents.dynamics.learner import Learner
from popagents.dynamics.plane import Choice
from popagents.plots.strategy_space import drawing, label, paths
from popagents.plots.style import LINES


def trajectory_plot(
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
        choices: the (player, state, action) to draw; by default action 0 of every player in every state.
        axes: where to draw.
        path: the file to write instead.
        title: written above.

    Returns:
        By label, what is drawn: (n, batch elements); an element that ends early repeats its last value.

    Raises:
        ValueError: not exactly one of axes and path is given.
    """
    if choices is None:
        choices = [(i, z, 0) for i in range(learner.shape[0]) for z in range(learner.shape[1])]
    lines = paths(trajectories, learner)
    with drawing(axes, path, title) as axes:
        for k, chosen in enumerate(choices):
            draw_choice(axes, k, [line[(..., *chosen)] for line in lines], label(learner, chosen))
        name_axes(axes, lines)
        axes.legend(frameon=False, fontsize=9)
    longest = max(len(line) for line in lines)
    padded = np.stack([np.concatenate([line, np.repeat(line[-1:], longest - len(line), 0)]) for line in lines], axis=1)
    return {label(learner, chosen): padded[(..., *chosen)] for chosen in choices}


def draw_choice(axes: Any, k: int, lines: Sequence[np.ndarray], name: str) -> None:
    """Draw the k-th choice of a figure, a line (n,) for each batch element, named once in the legend."""
    colour, dashes = LINES[k % len(LINES)], "-" if k % 2 == 0 else (0, (4, 1.5))
    for n, line in enumerate(lines):
        axes.plot(line, color=colour, ls=dashes, lw=2.0, label=name if n == 0 else None, clip_on=False)


def name_axes(axes: Any, lines: Sequence[np.ndarray]) -> None:
    """Name the axes; where all that the lines hold lies from 0 to 1, it is probabilities."""
    axes.set(xlabel="learning steps")
    axes.set_xlim(left=0)
    if all((line >= 0).all() and (line <= 1).all() for line in lines):
        axes.set(ylim=(-0.03, 1.03), yticks=[0, 0.5, 1], ylabel="probability")
