"""A plane through the strategy space: the direction of learning at each point, and the fixed point reached from it.

An axis is a choice (player, state, action), or observation instead of state: the probability of that action. All other
strategies are those of a background.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from popagents.common.checks import choice, positive
from popagents.dynamics.agents import ValueSarsa
from popagents.dynamics.analysis import FixedPoints, fixed_points
from popagents.dynamics.learner import Learner

Choice = tuple[int, int, int]
EDGE = 0.01  # distance of grids from the border, where learning stands still
ARROWS = "step", "error"


@dataclass(frozen=True)
class Flow:
    """A vector field on a plane; row j, column i belongs to the point (points[i], points[j])."""

    x: Choice
    y: Choice
    points: np.ndarray  # (n,)
    dx: np.ndarray  # (n, n); NaN where the two probabilities are of one strategy and sum to more than one
    dy: np.ndarray  # likewise


@dataclass(frozen=True)
class BasinMap:
    """The fixed point that learning reaches from each point of a plane; rows and columns as in `Flow`."""

    x: Choice
    y: Choice
    points: np.ndarray  # (n,)
    labels: np.ndarray  # int64, (n, n): index into `ends.points`; -1 where no fixed point was reached
    ends: FixedPoints


def flow(
    learner: Learner,
    x: Choice = (0, 0, 0),
    y: Choice = (1, 0, 0),
    grid: Any = 9,
    arrows: str = "step",
    background: Any = None,
) -> Flow:
    """Return the direction of learning on a plane through the strategy space.

    Args:
        learner: any that learns strategies.
        x: the horizontal axis.
        y: the vertical axis.
        grid: points an axis, from 0.01 to 0.99, or the points themselves, (n,).
        arrows: "step", the change in one step, or "error", the centered prediction error, also large at the border.
        background: all other strategies, (..., N, Z, A); the arrows are averages over leading axes. Uniform by default.

    Raises:
        ValueError: an axis is not a choice of the game, both are the same, or the learner learns values.
    """
    choice("arrows", arrows, ARROWS)
    points = grid_points(grid)
    X = plane(learner, x, y, points, background)
    change = learner.prediction_error(X, centered=True) if arrows == "error" else learner.step(X) - X
    dx, dy = (change[..., i, z, a].reshape(len(points), len(points), -1).mean(-1) for i, z, a in (x, y))
    return Flow(x, y, points, dx, dy)


def basin_map(
    learner: Learner,
    x: Choice = (0, 0, 0),
    y: Choice = (1, 0, 0),
    grid: Any = 101,
    background: Any = None,
    **settings: Any,
) -> BasinMap:
    """Return the fixed point that learning reaches from each point of a plane.

    Args:
        learner: see `flow`, as for the next four.
        x: the horizontal axis.
        y: the vertical axis.
        grid: points an axis, or the points themselves.
        background: all other strategies, (N, Z, A).
        **settings: of `fixed_points`.

    Raises:
        ValueError: see `flow`.
    """
    points = grid_points(grid)
    X = plane(learner, x, y, points, background)
    ends = fixed_points(learner, X.reshape(-1, *learner.shape), **settings)
    return BasinMap(x, y, points, ends.labels.reshape(len(points), len(points)), ends)


def grid_points(grid: Any) -> np.ndarray:
    """Return the points of a grid, float64, (n,).

    Raises:
        ValueError: they are not probabilities.
    """
    if np.ndim(grid) == 0:
        positive("grid", grid)
        return np.linspace(EDGE, 1 - EDGE, grid)
    points = np.asarray(grid, np.float64)
    if points.ndim != 1 or not ((points >= 0) & (points <= 1)).all():
        raise ValueError(f"grid is {grid!r}; it must be a number of points, or probabilities (n,)")
    return points


def plane(learner: Learner, x: Choice, y: Choice, points: np.ndarray, background: Any = None) -> np.ndarray:
    """Return strategies at every point of a plane, (n, n, ..., N, Z, A); NaN where probabilities exceed 1.

    Raises:
        ValueError: see `flow`.
    """
    check_axes(learner, x, y)
    background = learner.checked(uniform_strategies(learner) if background is None else background)
    X = np.broadcast_to(background, (len(points), len(points), *background.shape)).copy()
    across, up = np.meshgrid(points, points)
    if x[:2] == y[:2]:
        X[..., x[0], x[1], :] = mixed(learner, background, x[:2], {x[2]: across, y[2]: up})
    else:
        X[..., x[0], x[1], :] = mixed(learner, background, x[:2], {x[2]: across})
        X[..., y[0], y[1], :] = mixed(learner, background, y[:2], {y[2]: up})
    return X


def mixed(
    learner: Learner, background: np.ndarray, place: tuple[int, int], chosen: dict[int, np.ndarray]
) -> np.ndarray:
    """Return one player's strategy in one state, (n, n, ..., A), with given probabilities of some actions.

    Its other actions share the rest as in the background, or evenly if they have probability zero there.

    Args:
        learner: whose strategies they are.
        background: (..., N, Z, A).
        place: player, and state or observation.
        chosen: by action, probabilities (n, n).
    """
    others = np.array([a not in chosen and learner.available[place[0], a] for a in range(learner.shape[2])], float)
    own = background[..., place[0], place[1], :] * others
    own = np.where(own.sum(-1, keepdims=True) > 0, own, others)
    rest = 1 - sum(chosen.values())
    rest = np.where(rest > -1e-12, np.maximum(rest, 0), np.nan)
    spread = (..., *[None] * own.ndim)  # axes of the background behind those of the plane
    row = rest[spread] * own / own.sum(-1, keepdims=True)
    for a, probability in chosen.items():
        row[..., a] = probability[spread[:-1]]
    return row


def uniform_strategies(learner: Learner) -> np.ndarray:
    """Return strategies that take all actions which a player has equally often: (N, Z, A)."""
    available = np.broadcast_to(learner.available[:, None, :], learner.shape)
    return available / available.sum(-1, keepdims=True)


def check_axes(learner: Learner, x: Choice, y: Choice) -> None:
    """Refuse axes that do not span a plane of strategies.

    Raises:
        ValueError: see `flow`.
    """
    if isinstance(learner, ValueSarsa):
        raise ValueError("ValueSarsa learns values, not strategies; draw a learner of strategies, such as Sarsa")
    if x == y:
        raise ValueError(f"x and y are both {x}; choose another player, state or action for one of them")
    for name, axis in (("x", x), ("y", y)):
        check_axis(learner, name, axis, 2 if x[:2] == y[:2] else 1)


def check_axis(learner: Learner, name: str, axis: Choice, drawn: int) -> None:
    """Refuse an axis that a game does not have.

    Args:
        learner: of the game.
        name: of the axis.
        axis: player, state or observation, action.
        drawn: how many actions of this player in this state are axes.

    Raises:
        ValueError: there is no such axis, or the player has no other action.
    """
    (i, z, a), (players, seen, _), counts = axis, learner.shape, learner.available.sum(-1)
    if not (0 <= i < players and 0 <= z < seen and 0 <= a < counts[i]):
        raise ValueError(
            f"{name} is {axis}; it must be (player, state, action), and the game has {players} players, "
            f"{seen} states or observations, and {counts.tolist()} actions"
        )
    if counts[i] <= drawn:
        raise ValueError(f"{name} is {axis}, and the axes leave player {i} no action; choose others")
