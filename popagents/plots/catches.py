"""The starts from which a falling fruit is caught."""

from pathlib import Path
from typing import Any

import numpy as np

from popagents.common.optional import needed
from popagents.plots.style import BLUE, ORANGE, canvas, headline, save


def catch_map(caught: np.ndarray, path: str | Path, first_basket: int = 1, title: str | None = None) -> Path:
    """Draw the starts from which the fruit is caught: a column for each fruit, a row for each place of the basket.

    Args:
        caught: bool, (fruit columns, basket centres).
        path: the file to write; its suffix says the format.
        first_basket: the column of the leftmost basket centre.
        title: written above; by default how many are caught.

    Returns:
        The path.

    Raises:
        ValueError: `caught` is not a boolean table.
    """
    caught = np.asarray(caught)
    check_caught(caught)
    fruits, baskets = np.arange(caught.shape[0]), first_basket + np.arange(caught.shape[1])
    figure, axes = canvas(6.4)
    colours = needed("matplotlib.colors").ListedColormap([ORANGE, BLUE])
    axes.pcolormesh(fruits, baskets, caught.T, cmap=colours, vmin=0, vmax=1, ec="white", lw=1.5)
    axes.set(xlabel="column of the fruit", ylabel="where the basket starts (column of its centre)", aspect="equal")
    axes.set(xticks=fruits, yticks=baskets)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    legend(axes, caught)
    headline(axes, title or f"{caught.sum()} of {caught.size} starts are caught", pad=12)
    return save(figure, path)


def check_caught(caught: np.ndarray) -> None:
    """Check that starts are told by a table.

    Raises:
        ValueError: `caught` is not a boolean table.
    """
    if caught.ndim != 2 or caught.dtype != bool or not caught.size:
        raise ValueError(f"caught is {caught.dtype} of shape {caught.shape}; it must be bool, (fruit columns, baskets)")


def legend(axes: Any, caught: np.ndarray) -> None:
    """Write beside the map what its colours mean, and how many starts each has."""
    patch = needed("matplotlib.patches").Patch
    handles = [
        patch(color=BLUE, label=f"caught {caught.sum()}"),
        patch(color=ORANGE, label=f"missed {(~caught).sum()}"),
    ]
    axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
