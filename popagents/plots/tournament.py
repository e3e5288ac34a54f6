"""The scores of a round-robin tournament as a heat map."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from popagents.plots.style import INK, canvas, figure_headline, save

GAP = 0.3  # between the scores and their means (columns)


def tournament_table(
    names: Sequence[str], scores: Any, path: str | Path, title: str = "What the row scores against the column"
) -> Path:
    """Draw the scores of a round robin as a heat map, the best player on top.

    Args:
        names: of the players.
        scores: (players, players): the mean score of the row's player in a match with the column's.
        path: the file to write; its suffix says the format.
        title: written above.

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
    figure, axes = canvas(1.6 + 0.5 * len(names))
    places = np.append(np.arange(len(names)), len(names) + GAP)
    for column, place in enumerate(places):
        draw_column(axes, place, shown[:, column], (table.min(), table.max()), bold=column == len(names))
    name_players(axes, places, [names[i].replace("_", " ") for i in order])
    figure_headline(figure, title)
    return save(figure, path)


def draw_column(axes: Any, place: float, scores: np.ndarray, bounds: tuple[float, float], bold: bool) -> None:
    """Draw a column of scores (players,) at a place, coloured between bounds, each with its number."""
    low, high = bounds
    edges = ([place - 0.5, place + 0.5], np.arange(len(scores) + 1) - 0.5)
    axes.pcolormesh(*edges, scores[:, None], cmap="YlGnBu", vmin=low, vmax=high, ec="white", lw=1.5)
    for row, score in enumerate(scores):
        colour = "white" if score > (low + high) / 2 else INK
        where = {"ha": "center", "va": "center", "color": colour, "fontweight": "bold" if bold else "normal"}
        axes.text(place, row, f"{score:.2f}" if abs(high) < 100 else f"{score:.0f}", **where)


def name_players(axes: Any, places: np.ndarray, labels: Sequence[str]) -> None:
    """Write the players' names beside the rows and above the columns; the last column is the mean."""
    axes.set(xticks=places, yticks=np.arange(len(labels)), ylim=(len(labels) - 0.5, -0.5))
    axes.set_xticklabels([*labels, "mean"], rotation=35, ha="left", rotation_mode="anchor")
    axes.set_yticklabels(labels)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
