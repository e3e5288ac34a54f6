"""What all figures share: colours, the empty figure, and names in the right margin."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from popagents.common.optional import needed
from popagents.plots.animations import INK

BLUE, ORANGE, PALE, GREY = "#0072B2", "#D55E00", "#f5cfae", "#c4c4c4"  # told apart by every eye
LINES = BLUE, ORANGE, "#009E73", "#CC79A7"  # of curves beside each other
DASHED: dict[str, Any] = {"ls": (0, (5, 4)), "lw": 1}
WIDTH, DPI = 9, 130  # of a figure (inches, pixels an inch): shown 900 pixels wide, its text is as large as a page's


def canvas(height: float) -> tuple[Any, Any]:
    """Return an empty figure and its axes; no window and no state of `pyplot` is touched."""
    figure = needed("matplotlib.figure").Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def draw_references(axes: Any, scores: Mapping[str, float]) -> None:
    """Draw dashed lines with their names in the right margin, moved apart where they would overlap."""
    names = sorted(scores, key=lambda name: scores[name])
    for name in names:
        axes.axhline(scores[name], color=INK, **DASHED)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    heights = apart(np.array([scores[name] for name in names], float), 0.06 * (high - low))
    for name, height in zip(names, heights, strict=True):
        where = {"transform": axes.get_yaxis_transform(), "va": "center"}
        axes.text(1.01, height, f"{name} {scores[name]:.4g}", color=INK, **where)


def apart(heights: np.ndarray, least: float) -> np.ndarray:
    """Move ascending heights (k,) until neighbours are `least` apart, or nearly, as little as that takes."""
    heights = heights.copy()
    for _ in range(100):
        overlap = np.maximum(0, least - np.diff(heights)) / 2
        heights[1:] += overlap
        heights[:-1] -= overlap
    return heights
