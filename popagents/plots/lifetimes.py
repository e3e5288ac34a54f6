"""The rewards of lifetimes, episode by episode."""

from pathlib import Path
from typing import Any

import numpy as np

from popagents.plots.style import BLUE, DASHED, INK, ORANGE, canvas, headline_and_legend, horizontal_grid, save


def life_curve(
    learning: Any, last: Any, path: str | Path, title: str = "Lifetimes of one member, each on a problem of its own"
) -> Path:
    """Draw the mean reward of each learning episode of several lifetimes, then of the evaluated episode.

    Args:
        learning: (lives, episodes), each learning episode's mean reward per step.
        last: (lives,), the mean reward per step of the evaluated episode.
        path: the file to write; its suffix says the format.
        title: written above.

    Returns:
        The path.
    """
    learning, last = np.asarray(learning, float), np.asarray(last, float)
    episodes = np.arange(1, 1 + learning.shape[1])
    end = episodes[-1] + 2
    figure, axes = canvas(4.4)
    axes.plot(episodes, learning.T, color=BLUE, lw=0.8, alpha=0.3)
    axes.plot(episodes, learning.mean(axis=0), color=BLUE, lw=2.4, label="learning (thin: each life; thick: mean)")
    draw_evaluated(axes, end, last)
    axes.axhline(0, color=INK, **DASHED)
    axes.set(xlabel="episode of the lifetime", ylabel="mean reward per step", ylim=(-1.05, 1.05), xlim=(0.5, end + 1))
    horizontal_grid(axes)
    headline_and_legend(axes, title, columns=2)
    return save(figure, path)


def draw_evaluated(axes: Any, x: float, rewards: np.ndarray) -> None:
    """Draw a dot at x for each evaluated episode's reward, (lives,), and a bar at their mean."""
    axes.plot(np.full(len(rewards), x), rewards, "o", color=ORANGE, alpha=0.4, ms=6, mec="none")
    mean = [rewards.mean()] * 2
    axes.plot([x - 0.6, x + 0.6], mean, color=ORANGE, lw=3, label="evaluated episode, with its mean")
