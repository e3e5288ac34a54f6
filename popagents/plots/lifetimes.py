"""Figures of lifetimes: one life, newcomers beside the evolved, inheritance side by side, drifting hyperparameters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from popagents.common.lineage import by_generation
from popagents.common.optional import needed
from popagents.plots.animations import INK
from popagents.plots.page import BLUE, DASHED, DPI, LINES, ORANGE, PALE, WIDTH, apart, canvas

DOT = {"marker": "o", "ms": 5, "mec": "white"}
GRID = {"axis": "y", "color": "#e6e6e6", "lw": 0.8}


def life_curve(
    learning: Any, last: Any, path: str | Path, title: str = "Lives of one member, each on a problem of its own"
) -> Path:
    """Draw how lives learn: the mean reward of each episode, then of the one that counts.

    Args:
        learning: (lives, episodes), each learning episode's mean reward per step.
        last: (lives,), the mean reward per step of the episode that counts.
        path: the file to write; its suffix says the format.
        title: what stands above.
    """
    learning, last = np.asarray(learning, float), np.asarray(last, float)
    episodes = np.arange(1, 1 + learning.shape[1])
    figure, axes = canvas(4.4)
    axes.plot(episodes, learning.T, color=BLUE, lw=0.8, alpha=0.3)
    axes.plot(episodes, learning.mean(axis=0), color=BLUE, lw=2.4, label="learning (thin: each life; thick: mean)")
    end = episodes[-1] + 2
    axes.plot(np.full(len(last), end), last, "o", color=ORANGE, alpha=0.4, ms=6, mec="none")
    axes.plot(
        [end - 0.6, end + 0.6], [last.mean()] * 2, color=ORANGE, lw=3, label="the episode that counts, with its mean"
    )
    axes.axhline(0, color=INK, **DASHED)
    axes.set(xlabel="episode of the life", ylabel="mean reward per trial", ylim=(-1.05, 1.05), xlim=(0.5, end + 1))
    axes.grid(**GRID)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=2, frameon=False, borderaxespad=0.2)
    axes.set_title(title, loc="left", fontweight="bold", pad=28)
    figure.savefig(path)
    return Path(path)


def task_boxes(groups: Mapping[str, Any], path: str | Path, title: str = "Scores of single problems") -> Path:
    """Draw the scores of problems as box plots: median, quartiles, and whiskers over all of them; a dot is the mean.

    Args:
        groups: by name, scores (lives,).
        path: the file to write; its suffix says the format.
        title: what stands above.
    """
    figure, axes = canvas(4.4)
    boxes = axes.boxplot(
        [np.asarray(scores, float) for scores in groups.values()],
        whis=(0, 100),
        widths=0.5,
        patch_artist=True,
        showmeans=True,
        meanprops={**DOT, "ms": 8, "mfc": INK, "ls": ""},
        medianprops={"color": INK, "lw": 1.6},
    )
    for box, colour in zip(boxes["boxes"], LINES * len(groups), strict=False):
        box.set(facecolor=colour, alpha=0.55, lw=0)
    for place, scores in enumerate(groups.values(), 1):
        axes.text(place + 0.3, np.mean(scores), f"{np.mean(scores):.1f}", va="center")
    axes.axhline(0, color=INK, **DASHED)
    axes.set(ylabel="score of a problem")
    axes.set_xticks(range(1, 1 + len(groups)), list(groups))
    axes.grid(**GRID)
    axes.set_title(title, loc="left", fontweight="bold", pad=14)
    figure.savefig(path)
    return Path(path)


def inheritance_curves(
    runs: Mapping[str, Sequence[np.ndarray]], path: str | Path, title: str = "Fitness by what children inherit"
) -> Path:
    """Draw the population's mean fitness by generation: one thin line a run, a thick one for the runs' mean.

    Args:
        runs: by name, lineages of runs with the same number of generations.
        path: the file to write; its suffix says the format.
        title: what stands above.
    """
    figure, axes = canvas(4.8)
    ends, colours = [], []
    for (name, lineages), colour in zip(runs.items(), LINES, strict=False):
        means = np.array([np.nanmean(by_generation(lineage)["fitness"], axis=1) for lineage in lineages])
        generations = np.arange(1, 1 + means.shape[1])
        axes.plot(generations, means.T, color=colour, lw=0.8, alpha=0.5)
        axes.plot(generations, means.mean(axis=0), color=colour, lw=2.4)
        ends.append((means[:, -1].mean(), name))
        colours.append(colour)
    axes.set(xlabel="generation (thin: each run; thick: mean)", ylabel="mean fitness of the population")
    axes.margins(x=0)
    axes.grid(**GRID)
    low, high = axes.get_ylim()
    order = sorted(range(len(ends)), key=lambda i: ends[i][0])
    for i, height in zip(order, apart(np.array([ends[i][0] for i in order]), 0.06 * (high - low)), strict=True):
        where = {"transform": axes.get_yaxis_transform(), "va": "center"}
        axes.text(1.01, height, f"{ends[i][1]} {round(ends[i][0])}", color=colours[i], **where)
    axes.set_title(title, loc="left", fontweight="bold", pad=14)
    figure.savefig(path)
    return Path(path)


def drift_figure(
    drift: np.ndarray, names: Sequence[str], path: str | Path, title: str = "Hyperparameters, as they evolved"
) -> Path:
    """Draw how the members' hyperparameters drifted: mean, and from the smallest to the largest.

    Args:
        drift: (generations, hyperparameters, 3), a `Genetic`'s `drift`.
        names: of the hyperparameters.
        path: the file to write; its suffix says the format.
        title: what stands above.
    """
    figure = needed("matplotlib.figure").Figure(figsize=(WIDTH, 5), dpi=DPI, layout="constrained")
    generations = np.arange(1, 1 + len(drift))
    for i, name in enumerate(names):
        axes = figure.add_subplot(-(-len(names) // 2), 2, i + 1)
        axes.spines[["top", "right"]].set_visible(False)
        axes.fill_between(generations, drift[:, i, 1], drift[:, i, 2], color=PALE, lw=0)
        axes.plot(generations, drift[:, i, 0], color=ORANGE, lw=2)
        axes.set_title(name.replace("_", " "), loc="left", fontsize=10)
        axes.margins(x=0)
        axes.grid(**GRID)
    figure.supxlabel("generation (line: mean; band: all members)", fontsize=10)
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    figure.savefig(path)
    return Path(path)
