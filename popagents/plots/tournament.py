"""Who scores what against whom."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from popagents.plots.animations import INK
from popagents.plots.page import canvas


def tournament_table(
    names: Sequence[str], scores: Any, path: str | Path, title: str = "What the row scores against the column"
) -> Path:
    """Draw the scores of a round robin as a heat map, the best player on top.

    Args:
        names: of the players.
        scores: (players, players): what the one of the row gets, on average, from a match with that of the column.
        path: the file to write; its suffix says the format.
        title: what stands above.

    Returns:
        The path.

    Raises:
        ValueError: the scores are not a finite number for every pair.
    """
    table = np.asarray(scores, float)
    if not names or table.shape != (len(names), len(names)) or not np.isfinite(table).all():
        raise ValueError(f"scores have shape {table.shape} and must have ({len(names)}, {len(names)}), all finite")
    order = np.argsort(-table.mean(axis=1), kind="stable")
    shown = np.column_stack([table[np.ix_(order, order)], table[order].mean(axis=1)])
    labels = [names[i].replace("_", " ") for i in order]
    figure, axes = canvas(1.6 + 0.5 * len(names))
    low, high = table.min(), table.max()
    places = np.append(np.arange(len(names)), len(names) + 0.3)  # the means stand apart
    for column, place in enumerate(places):
        edges = ([place - 0.5, place + 0.5], np.arange(len(names) + 1) - 0.5)
        axes.pcolormesh(*edges, shown[:, [column]], cmap="YlGnBu", vmin=low, vmax=high, ec="white", lw=1.5)
        for row, score in enumerate(shown[:, column]):
            dark = score > (low + high) / 2
            weight = "bold" if column == len(names) else "normal"
            where = {"ha": "center", "va": "center", "color": "white" if dark else INK, "fontweight": weight}
            axes.text(place, row, f"{score:.2f}" if abs(high) < 100 else f"{score:.0f}", **where)
    axes.set(xticks=places, yticks=np.arange(len(names)), ylim=(len(names) - 0.5, -0.5))
    axes.set_xticklabels([*labels, "mean"], rotation=35, ha="left", rotation_mode="anchor")
    axes.set_yticklabels(labels)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    figure.savefig(path)
    return Path(path)
