"""Every figure, from data that any learner leaves behind: a lineage (`popagents.lineage.ROW`), or what can `predict`.

Their numbers are pure functions (`fitness_curve`, `sources`, `ancestry`); what draws returns the file it wrote.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from popagents.animations import INK, needed
from popagents.lineage import Transmission

BLUE, ORANGE, PALE, GREY = "#0072B2", "#D55E00", "#f5cfae", "#c4c4c4"  # told apart by every eye
LINES = BLUE, ORANGE, "#009E73", "#CC79A7"  # of curves beside each other
DASHED: dict[str, Any] = {"ls": (0, (5, 4)), "lw": 1}
WIDTH, DPI = 9, 130  # of a figure (inches, pixels an inch): shown 900 pixels wide, its text is as large as a page's
POINTS = 60  # generations from which on a curve is smoothed
SHOWN, MOST = 16, 64  # generations in a graph unless told otherwise; members of each
TAUGHT = "Who learned from whom", "A row is a member, a dot one of its generations; curves lead from teacher to pupil."
BORN = "Who was born of whom", "A column is a generation, the fittest on top; curves lead from parent to child."
ORANGE_MEANS = "Orange: all whose behaviour flowed into the champion ★; their number stands on top."


class Curve(NamedTuple):
    """Holds how the fitness of a population moved: float64 arrays, (generations,)."""

    timesteps: np.ndarray
    mean: np.ndarray
    lowest: np.ndarray
    tenth: np.ndarray  # a tenth of the members did worse
    ninetieth: np.ndarray  # a tenth of the members did better
    best: np.ndarray


def by_generation(lineage: np.ndarray) -> np.ndarray:
    """View a lineage as a table, (generations, members).

    Raises:
        ValueError: it is empty, or generations differ in size.
    """
    generations, sizes = np.unique(lineage["generation"], return_counts=True)
    if len(generations) == 0 or (sizes != sizes[0]).any():
        raise ValueError(
            f"lineage has {len(lineage)} rows in {len(generations)} generations; it must have at least one generation, "
            "with a row for every member: call learn first, and choose generations that were lived"
        )
    return lineage.reshape(len(generations), sizes[0])


def fitness_curve(lineage: np.ndarray, window: int = 1) -> Curve:
    """Sum up each generation's fitness; members without one (NaN) do not count.

    Args:
        lineage: `popagents.lineage.ROW`s, all members of every generation.
        window: each statistic is the mean over so many neighbouring generations, fewer at the ends.
    """
    table = by_generation(lineage)
    low, tenth, ninetieth, high = np.nanquantile(table["fitness"], [0, 0.1, 0.9, 1], axis=1)
    statistics = [np.nanmean(table["fitness"], axis=1), low, tenth, ninetieth, high]
    kernel = np.ones(min(window, len(table)))
    weights = np.convolve(np.ones(len(table)), kernel, "same")
    smooth = [np.convolve(values, kernel, "same") / weights for values in statistics]
    return Curve(table["timesteps"][:, 0].astype(float), *smooth)


def sources(table: np.ndarray) -> np.ndarray:
    """Return from whom each member has what it is in the next generation.

    Args:
        table: a lineage, (generations, members).

    Returns:
        int64, (3, generations, members): the member itself, its parent, its second parent; -1 for none.
    """
    itself = np.where(table["transmission"] == Transmission.BIRTH, -1, np.arange(table.shape[1]))
    return np.stack([itself, table["parent"], table["second_parent"]]).astype(np.int64)


def ancestry(lineage: np.ndarray, member: int) -> np.ndarray:
    """Find all whose behaviour flowed into a member of the last generation, by imitation, birth or staying alive.

    Args:
        lineage: `popagents.lineage.ROW`s, all members of every generation.
        member: whose ancestors are sought.

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


def learning_curve(
    lineage: np.ndarray,
    path: str | Path,
    reference_scores: Mapping[str, float] | None = None,
    title: str = "Fitness of the population",
) -> Path:
    """Draw the population's fitness over the environment steps it has taken.

    Args:
        lineage: a learner's `lineage`.
        path: the file to write; its suffix says the format.
        reference_scores: scores to compare with, by name.
        title: what stands above.
    """
    window = max(1, len(by_generation(lineage)) // POINTS)
    curve = fitness_curve(lineage, window)
    figure, axes = canvas(4.4)
    x = curve.timesteps
    axes.fill_between(x, curve.lowest, curve.best, color=BLUE, alpha=0.14, lw=0, label="all members")
    axes.fill_between(x, curve.tenth, curve.ninetieth, color=BLUE, alpha=0.28, lw=0, label="10 to 90 % of them")
    axes.plot(x, curve.mean, color=BLUE, lw=2.2, label="mean")
    axes.plot(x, curve.best, color=ORANGE, lw=1, label="best member")
    axes.set_axisbelow(True)
    axes.grid(axis="y", color="#e6e6e6", lw=0.8)
    axes.margins(x=0)
    draw_references(axes, reference_scores or {})
    axes.xaxis.set_major_formatter(needed("matplotlib.ticker").EngFormatter(sep=" "))
    smoothed = f" (each point: mean of {window} generations)" if window > 1 else ""
    axes.set(xlabel=f"environment steps, all members together{smoothed}", ylabel="fitness (mean return)")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=4, frameon=False, borderaxespad=0.2)
    axes.set_title(title, loc="left", fontweight="bold", pad=28)
    figure.savefig(path)
    return Path(path)


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


def learning_set_curve(
    curves: Mapping[str, Any],
    path: str | Path,
    references: Mapping[str, Any] | None = None,
    title: str = "Right choices, trial by trial",
) -> Path:
    """Draw the share of right choices by trial number, as Harlow (1949) drew his learning sets.

    Args:
        curves: by name, the share of right choices in each trial: (trials,), from 0 to 1.
        path: the file to write; its suffix says the format.
        references: curves to compare with, likewise; drawn dashed.
        title: what stands above.

    Raises:
        ValueError: there is no curve, two differ in length, or a share lies outside 0 to 1.
    """
    names = [*curves, *(references or {})]
    shares = checked_shares([*curves.values(), *(references or {}).values()])
    trials = np.arange(1, 1 + shares.shape[1])
    colours = [LINES[i % len(LINES)] if name in curves else INK for i, name in enumerate(names)]
    figure, axes = canvas(4.4)
    for name, colour, percent in zip(names, colours, 100 * shares, strict=True):
        dots = {"marker": "o", "ms": 7, "mec": "white", "lw": 2.2, "zorder": 3}
        axes.plot(trials, percent, color=colour, clip_on=False, **(dots if name in curves else DASHED))
    lowest = 10 * min(4, int(10 * shares.min()))
    axes.set(xlabel="trial", ylabel="right choices (%)", xticks=trials, ylim=(lowest, 100))
    axes.grid(axis="y", color="#e6e6e6", lw=0.8)
    order = np.argsort(shares[:, -1], kind="stable")
    heights = apart(100 * shares[order, -1], 0.06 * (100 - lowest))
    for i, height in zip(order, heights, strict=True):
        where = {"transform": axes.get_yaxis_transform(), "va": "center"}
        axes.text(1.01, height, f"{names[i]} {100 * shares[i, -1]:.3g}", color=colours[i], **where)
    axes.set_title(title, loc="left", fontweight="bold", pad=14)
    figure.savefig(path)
    return Path(path)


def checked_shares(curves: Sequence[Any]) -> np.ndarray:
    """Return curves of one length as float64, (curves, trials); raise ValueError for others."""
    lengths = {len(curve) for curve in curves}
    if len(lengths) == 1 and lengths != {0}:
        shares = np.array(list(curves), float)
        if ((shares >= 0) & (shares <= 1)).all():
            return shares
    raise ValueError(
        f"curves are {curves}; there must be one or more, all of one length, and each a share of right choices from 0 "
        "to 1 for every trial"
    )


def catch_map(caught: np.ndarray, path: str | Path, first_basket: int = 1, title: str | None = None) -> Path:
    """Draw from which starts the fruit is caught: a column for each fruit, a row for each place of the basket.

    Args:
        caught: bool, (fruit columns, basket centres).
        path: the file to write; its suffix says the format.
        first_basket: the column of the leftmost basket centre.
        title: what stands above; by default how many are caught.

    Raises:
        ValueError: `caught` is no table of truths.
    """
    caught = np.asarray(caught)
    if caught.ndim != 2 or caught.dtype != bool or not caught.size:
        raise ValueError(f"caught is {caught.dtype} of shape {caught.shape}; it must be bool, (fruit columns, baskets)")
    fruits, baskets = np.arange(caught.shape[0]), first_basket + np.arange(caught.shape[1])
    figure, axes = canvas(6.4)
    colours = needed("matplotlib.colors").ListedColormap([ORANGE, BLUE])
    axes.pcolormesh(fruits, baskets, caught.T, cmap=colours, vmin=0, vmax=1, ec="white", lw=1.5)
    axes.set(xlabel="column of the fruit", ylabel="where the basket starts (column of its centre)", aspect="equal")
    axes.set(xticks=fruits, yticks=baskets)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    patch = needed("matplotlib.patches").Patch
    handles = [
        patch(color=BLUE, label=f"caught {caught.sum()}"),
        patch(color=ORANGE, label=f"missed {(~caught).sum()}"),
    ]
    axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    axes.set_title(title or f"{caught.sum()} of {caught.size} starts are caught", loc="left", fontweight="bold", pad=12)
    figure.savefig(path)
    return Path(path)


def lineage_graph(
    lineage: np.ndarray,
    path: str | Path,
    generations: tuple[int, int] | None = None,
    champion: int | None = None,
    title: str | None = None,
) -> Path:
    """Draw who learned from whom, or was born of whom, and all who had a part in one champion.

    Args:
        lineage: a learner's `lineage`.
        path: the file to write; its suffix says the format.
        generations: the first and the last to show; the last 16 by default.
        champion: the member of the last generation shown whose ancestry stands out; the fittest by default.
        title: what stands above.
    """
    last = int(lineage["generation"].max(initial=0))
    first, last = generations or (last - SHOWN + 1, last)
    shown = lineage[(lineage["generation"] >= first) & (lineage["generation"] <= last)]
    table = by_generation(shown)
    champion = int(np.nanargmax(table["fitness"][-1])) if champion is None else champion
    found = ancestry(shown, champion).reshape(table.shape)
    births = bool((table["transmission"] == Transmission.BIRTH).any())
    row = rows(table, found, births)
    members = table.shape[1]
    figure, axes = canvas(float(np.clip(2 + 0.13 * members, 3.2, 5.6)))
    draw_links(axes, table, found, row)
    draw_members(figure, axes, table, found, row)
    axes.set(xlabel="generation", ylabel="members" if members <= MOST else f"members ({MOST} of {members})", yticks=[])
    heading, caption = BORN if births else TAUGHT
    figure.suptitle(title or heading, x=0.026, ha="left", fontweight="bold")
    axes.set_title(f"{caption}\n{ORANGE_MEANS}", loc="left", fontsize=10, pad=22)
    figure.savefig(path)
    return Path(path)


def rows(table: np.ndarray, found: np.ndarray, births: bool) -> np.ndarray:
    """Give every member a row of the graph in each generation, (generations, members), from 0, the top.

    Where members live on, each keeps its row, and who has long been an ancestor lies on top, so that the ancestry is a
    tree with a clean edge. With births the fittest of each generation lies on top.
    """
    key = np.nan_to_num(table["fitness"], nan=-np.inf) if births else np.broadcast_to(found.sum(axis=0), table.shape)
    return np.argsort(np.argsort(-key, axis=1, kind="stable"), axis=1)


def draw_links(axes: Any, table: np.ndarray, found: np.ndarray, row: np.ndarray) -> None:
    """Draw who stayed, taught or gave birth; from every ancestor one strong line leads on, to its nearest heir."""
    came_from = sources(table)[:, :-1]
    kind, g, heir = np.nonzero(came_from >= 0)
    source = came_from[kind, g, heir]
    start, end = row[g, source], row[g + 1, heir]
    into, distance = found[g + 1, heir], abs(end - start)
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
    axes.xaxis.set_major_locator(needed("matplotlib.ticker").MaxNLocator(integer=True))
    axes.margins(y=0.6 / min(MOST, table.shape[1]))
    axes.set_xlim(numbers[0] - 0.3, numbers[-1] + 0.3)
    axes.spines["left"].set_visible(False)
    axes.invert_yaxis()


def canvas(height: float) -> tuple[Any, Any]:
    """Return an empty figure and its axes; no window and no state of `pyplot` is touched."""
    figure = needed("matplotlib.figure").Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
