"""Returns on single problems as box plots."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from popagents.plots.style import DASHED, INK, LINES, canvas, headline, horizontal_grid, save

LOOK: dict[str, Any] = {
    "whis": (0, 100),
    "widths": 0.5,
    "patch_artist": True,
    "showmeans": True,
    "meanprops": {"marker": "o", "ms": 8, "mfc": INK, "mec": "white", "ls": ""},
    "medianprops": {"color": INK, "lw": 1.6},
}


def task_boxes(groups: Mapping[str, Any], path: str | Path, title: str = "Returns on single problems") -> Path:
    """Draw a box for each group: median, quartiles, whiskers over all returns, and a dot at the mean.

    Args:
        groups: by name, returns (lives,).
        path: the file to write; its suffix says the format.
        title: written above.

    Returns:
        The path.
    """
    returns = [np.asarray(each, float) for each in groups.values()]
    figure, axes = canvas(4.4)
    boxes = axes.boxplot(returns, **LOOK)
    for i, (box, each) in enumerate(zip(boxes["boxes"], returns, strict=True)):
        box.set(facecolor=LINES[i % len(LINES)], alpha=0.55, lw=0)
        axes.text(i + 1.3, each.mean(), f"{each.mean():.1f}", va="center")
    axes.axhline(0, color=INK, **DASHED)
    axes.set(ylabel="return on a problem")
    axes.set_xticks(range(1, 1 + len(groups)), list(groups))
    horizontal_grid(axes)
    headline(axes, title)
    return save(figure, path)
