"""The graph of a lineage: who learned from whom, or is whose offspring, and the ancestors of one champion."""

from pathlib import Path
from typing import Any

import numpy as np

from popagents.common.lineage import Transmission, by_generation
from popagents.common.now import Now
from popagents.common.optional import needed
from popagents.common.ranking import ranked
from popagents.plots.style import GREY, ORANGE, PALE, canvas, figure_headline, save

SHOWN, MOST = 16, 64  # generations in a graph unless told otherwise; members of each
TAUGHT = "Who learned from whom", "A row is a member, a dot one of its generations; curves lead from teacher to pupil."
BORN = "Who descends from whom", "A column is a generation, the fittest on top; curves lead from parent to child."
ORANGE_MEANS = "Orange: the ancestors of the champion ★; their number stands on top."


def sources(table: np.ndarray) -> np.ndarray:
    """Return the members of a generation from which each member of the next one comes.

    Args:
        table: a lineage, (generations, members).

    Returns:
        int64, (3, generations, members): the member itself, its parent, its second parent; -1 for none.
    """
    itself = np.where(table["transmission"] == Transmission.BIRTH, -1, np.arange(table.shape[1]))
    return np.stack([itself, table["parent"], table["second_parent"]]).astype(np.int64)


def ancestry(lineage: np.ndarray, member: int) -> np.ndarray:
    """Find the ancestors of a member of the last generation: by imitation, by birth, and itself where it lived on.

    Args:
        lineage: `popagents.common.lineage.ROW`s, all members of every generation.
        member: whose ancestors.

    Returns:
        bool, one for every row of the lineage; the member's own is True.
    """
    table = by_generation(lineage)
    came_from = sources(table)
    found = np.zeros(table.shape, bool)
    found[-1, member] = True
    for generation in range(len(table) - 2, -1, -1):
        before = came_from[:, generation, found[generation + 1]]
        found[generation, before[before >= 0]] = True
    return found.ravel()


def lineage_graph(
    lineage: np.ndarray,
    path: str | Path,
    generations: tuple[int, int] | None = None,
    champion: int | None = None,
    title: str | None = None,
) -> Path:
    """Draw who learned from whom, or is whose offspring, and the ancestors of one champion.

    Args:
        lineage: a learner's `lineage`.
        path: the file to write; its suffix says the format.
        generations: the first and the last to show; the last 16 by default.
        champion: the member of the last generation shown whose ancestors are highlighted; the fittest by default.
        title: written above.

    Returns:
        The path.

    Raises:
        ValueError: a generation asked for is not in the lineage.
    """
    shown = shown_rows(lineage, generations)
    table = by_generation(shown)
    champion = fittest(table[-1]) if champion is None else champion
    found = ancestry(shown, champion).reshape(table.shape)
    births = bool((table["transmission"] == Transmission.BIRTH).any())
    row = rows(table, found, births)
    members = table.shape[1]
    figure, axes = canvas(float(np.clip(2 + 0.13 * members, 3.2, 5.6)))
    draw_links(axes, table, found, row)
    draw_members(figure, axes, table, found, row)
    axes.set(xlabel="generation", ylabel="members" if members <= MOST else f"members ({MOST} of {members})", yticks=[])
    write_captions(figure, axes, births, title)
    return save(figure, path)


def shown_rows(lineage: np.ndarray, generations: tuple[int, int] | None) -> np.ndarray:
    """Return a lineage's rows from the first to the last of two generations; by default, of the last 16."""
    last = int(lineage["generation"].max(initial=0))
    first, last = generations or (last - SHOWN + 1, last)
    return lineage[(lineage["generation"] >= first) & (lineage["generation"] <= last)]


def write_captions(figure: Any, axes: Any, births: bool, title: str | None) -> None:
    """Write the title, and below it what lines and colours mean."""
    heading, caption = BORN if births else TAUGHT
    figure_headline(figure, title or heading, x=0.026)
    axes.set_title(f"{caption}\n{ORANGE_MEANS}", loc="left", fontsize=10, pad=22)


def fittest(generation: np.ndarray) -> int:
    """Return the fittest member of a generation (rows of a lineage); of equals one by a key, not by its number."""
    keys = Now(0, int(generation["generation"][0])).rank_keys(len(generation))
    return int(ranked(generation["fitness"], keys)[0])


def rows(table: np.ndarray, found: np.ndarray, births: bool) -> np.ndarray:
    """Give every member a row of the graph in each generation, (generations, members), from 0, the top.

    Where members live on, each keeps its row, and those that are ancestors in most generations lie on top, so that the
    lines of ancestry stay together. With births the fittest of each generation lies on top.
    """
    key = np.nan_to_num(table["fitness"], nan=-np.inf) if births else np.broadcast_to(found.sum(axis=0), table.shape)
    return np.argsort(np.argsort(-key, axis=1, kind="stable"), axis=1)


def draw_links(axes: Any, table: np.ndarray, found: np.ndarray, row: np.ndarray) -> None:
    """Draw a line from every member to each of its successors; the strongest leads from an ancestor to its nearest."""
    came_from = sources(table)[:, :-1]
    kind, g, successor = np.nonzero(came_from >= 0)
    source = came_from[kind, g, successor]
    start, end = row[g, source], row[g + 1, successor]
    into, distance = found[g + 1, successor], abs(end - start)
    nearest = np.full(table.shape, table.size)
    np.minimum.at(nearest, (g[into], source[into]), distance[into])
    strong = into & (distance == nearest[g, source])
    seen = np.maximum(start, end) < MOST
    lines = bends(table["generation"][g, 0], start, end)
    thin = min(1.0, 32 / table.shape[1])
    collection = needed("matplotlib.collections").LineCollection
    for which, colour, width in ((~into, GREY, 0.7), (into & ~strong, PALE, 0.8), (strong, ORANGE, 0.8 / thin + 0.6)):
        axes.add_collection(collection(lines[which & seen], colors=colour, linewidths=width * thin, zorder=1))


def bends(x: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return curves from (x, start) to (x + 1, end), level at both ends: float64, (curves, points, 2)."""
    t = np.linspace(0, 1, 20)
    height = start[:, None] + (end - start)[:, None] * t * t * (3 - 2 * t)
    return np.stack([x[:, None] + t, height], axis=-1)


def draw_members(figure: Any, axes: Any, table: np.ndarray, found: np.ndarray, row: np.ndarray) -> None:
    """Draw the members, coloured by fitness, and above each generation how many of it are ancestors."""
    seen = row < MOST
    side = min(8, 250 / min(MOST, table.shape[1]))  # of a dot (points)
    style = {"s": side**2, "lw": side / 8, "ec": np.where(found[seen], ORANGE, "white"), "cmap": "viridis", "zorder": 2}
    dots = axes.scatter(table["generation"][seen], row[seen], c=table["fitness"][seen], plotnonfinite=True, **style)
    figure.colorbar(dots, ax=axes, label="fitness (mean return)", pad=0.02)
    numbers = table["generation"][:, 0]
    axes.plot(numbers[-1], row[-1][found[-1]], "*", ms=17, color=ORANGE, mec="white", zorder=3)
    for generation, ancestors in zip(numbers, found.sum(axis=1), strict=True):
        where = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "ha": "center"}
        axes.annotate(ancestors, (generation, 1), (0, 4), **where, color=ORANGE)
    frame(axes, numbers, table.shape[1])


def frame(axes: Any, generations: np.ndarray, members: int) -> None:
    """Bound the axes closely around the generations (their numbers) and their members, row 0 on top."""
    axes.xaxis.set_major_locator(needed("matplotlib.ticker").MaxNLocator(integer=True))
    axes.margins(y=0.6 / min(MOST, members))
    axes.set_xlim(generations[0] - 0.3, generations[-1] + 0.3)
    axes.spines["left"].set_visible(False)
    axes.invert_yaxis()
