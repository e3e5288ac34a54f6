"""The style of every figure: sizes, colours, empty axes, titles, legends, names at the end of curves, and the file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from popagents.common.optional import needed

# Okabe and Ito (2008), "Color universal design": told apart by colour-blind readers.
BLUE, ORANGE, GREEN, PINK, YELLOW, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
LINES = BLUE, ORANGE, GREEN, PINK, YELLOW, SKY  # curves of one figure, in this order
INK, GREY, FAINT, PALE = "#222222", "#c4c4c4", "#e6e6e6", "#f5cfae"  # text, secondary lines, grids, pale orange
DASHED: dict[str, Any] = {"ls": (0, (5, 4)), "lw": 1}
WIDTH, SIDE, DPI = 9, 4.4, 130  # of a figure, of a square panel (inches); pixels an inch
SPACING = 0.06  # between names in the right margin (share of the axis)


class End(NamedTuple):
    """The name of a curve, written in the right margin at the height where the curve ends."""

    height: float  # in data coordinates
    text: str
    colour: str


def empty_figure(height: float) -> Any:
    """Return a figure of the common width; no window and no state of `pyplot` is touched.

    Args:
        height: of the figure (inches).
    """
    return needed("matplotlib.figure").Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")


def canvas(height: float) -> tuple[Any, Any]:
    """Return an empty figure of the common width and its axes.

    Args:
        height: of the figure (inches).
    """
    figure = empty_figure(height)
    axes = figure.add_subplot()
    open_frame(axes)
    return figure, axes


def squares(count: int = 1) -> tuple[Any, list[Any]]:
    """Return a figure of square panels side by side, and their axes.

    Args:
        count: number of panels.
    """
    figure = needed("matplotlib.figure").Figure(figsize=(SIDE * count, SIDE), dpi=DPI)
    needed("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    axes = list(figure.subplots(1, count, squeeze=False)[0])
    left, right = 0.65 / (SIDE * count), 0.2 / (SIDE * count)
    figure.subplots_adjust(left, 0.13, 1 - right, 0.9, wspace=0.3)
    for each in axes:
        open_frame(each)
    return figure, axes


def open_frame(axes: Any) -> None:
    """Hide the upper and the right edge of axes."""
    axes.spines[["top", "right"]].set_visible(False)


def headline(axes: Any, title: str, pad: float = 14) -> None:
    """Write a title above the left edge of axes.

    Args:
        axes: where to write.
        title: the text.
        pad: distance from the axes (points).
    """
    axes.set_title(title, loc="left", fontweight="bold", pad=pad)


def figure_headline(figure: Any, title: str, x: float = 0.01) -> None:
    """Write a title above all panels of a figure, beginning at `x` (share of the width)."""
    figure.suptitle(title, x=x, ha="left", fontweight="bold")


def headline_and_legend(axes: Any, title: str, columns: int = 5) -> None:
    """Write a title above axes, and the legend between the two, in so many columns."""
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=columns, frameon=False, borderaxespad=0.2)
    headline(axes, title, pad=28)


def horizontal_grid(axes: Any) -> None:
    """Draw faint horizontal lines below the curves."""
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=FAINT, lw=0.8)


def step_counts(axes: Any) -> None:
    """Write the numbers of the horizontal axis with SI prefixes: 20 k, 1 M."""
    axes.xaxis.set_major_formatter(needed("matplotlib.ticker").EngFormatter(sep=" "))


def draw_references(axes: Any, scores: Mapping[str, float]) -> None:
    """Draw a dashed line for each reference score, with name and score in the right margin."""
    for score in scores.values():
        axes.axhline(score, color=INK, **DASHED)
    name_ends(axes, [End(score, f"{name} {score:.4g}", INK) for name, score in scores.items()])


def name_ends(axes: Any, ends: Sequence[End]) -> None:
    """Write the names of curves in the right margin, moved apart where they overlap; the axis keeps its bounds."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    ends = sorted(ends, key=lambda end: end.height)
    heights = apart(np.array([end.height for end in ends], float), SPACING * (high - low))
    for end, height in zip(ends, heights, strict=True):
        where = {"transform": axes.get_yaxis_transform(), "va": "center"}
        axes.text(1.01, height, end.text, color=end.colour, **where)


def apart(heights: np.ndarray, least: float) -> np.ndarray:
    """Move ascending heights (k,) until neighbours are `least` apart, or nearly, as little as that takes."""
    heights = heights.copy()
    for _ in range(100):
        overlap = np.maximum(0, least - np.diff(heights)) / 2
        heights[1:] += overlap
        heights[:-1] -= overlap
    return heights


def save(figure: Any, path: str | Path) -> Path:
    """Write a figure to a file, whose suffix says the format, and return its path."""
    figure.savefig(path)
    return Path(path)
