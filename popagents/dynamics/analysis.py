"""Where learning leads and how: fixed points and their basins, derivatives and stability, Lyapunov exponents.

Derivatives are those of `step`, by complex steps: exact to rounding. Coordinates are the free ones: of every strategy
all probabilities but that of the player's last action, which makes up the sum.

Sources: W. Squire, G. Trapp (1998), "Using complex variables to estimate derivatives of real functions", SIAM Review
40; G. Benettin et al. (1980), "Lyapunov characteristic exponents for smooth dynamical systems", Meccanica 15.
"""

from typing import Any, NamedTuple

import numpy as np

from popagents.common.checks import positive
from popagents.dynamics.learner import Learner

H = 1e-100  # a complex step: nothing is subtracted, so it can be this small
CHUNK = 1000  # points whose derivatives are worked out together
NEUTRAL = 1e-6  # how far from 1 an eigenvalue tells


class FixedPoints(NamedTuple):
    """Holds where many starts end.

    The points stand in the order of their shares, the largest first.
    """

    points: np.ndarray  # (k, N, Z, A)
    shares: np.ndarray  # (k,): of all starts, which of them end there
    labels: np.ndarray  # int64, (starts,): in which point a start ends; -1 for none


def fixed_points(
    learner: Learner, starts: Any, max_steps: int = 10_000, tolerance: float = 1e-8, radius: float = 1e-3
) -> FixedPoints:
    """Find the fixed points in which many starts end.

    Args:
        learner: any.
        starts: (n, N, Z, A).
        max_steps: see `Learner.trajectory`, as for `tolerance`.
        tolerance: of a fixed point.
        radius: ends whose every probability differs by less are one point.
    """
    run = learner.trajectory(starts, max_steps, tolerance, keep="ends")
    ends = run.final.reshape(-1, *learner.shape)
    labels = clusters(ends, np.ravel(run.converged), radius)
    _, first, counts = np.unique(labels[labels >= 0], return_index=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rank = np.append(np.argsort(order), -1)  # the last for -1
    return FixedPoints(ends[labels >= 0][first[order]], counts[order] / max(len(labels), 1), rank[labels])


def clusters(ends: np.ndarray, settled: np.ndarray, radius: float) -> np.ndarray:
    """Number the points that are within a radius of one another's first, from 0; -1 for what is not settled."""
    labels = np.full(len(ends), -1)
    left = np.flatnonzero(settled)
    while len(left):
        near = abs(ends[left] - ends[left[0]]).max(axis=(1, 2, 3)) < radius
        labels[left[near]] = labels.max() + 1
        left = left[~near]
    return labels


def basins(learner: Learner, n: int = 1000, seed: int = 0, **settings: Any) -> FixedPoints:
    """Find the fixed points that random starts end in; their shares are the sizes of the basins.

    Args:
        learner: any.
        n: random starts.
        seed: of their draw.
        **settings: of `fixed_points`.
    """
    positive("n", n)
    return fixed_points(learner, learner.random_strategies(n, seed), **settings)


def rest_points(learner: Learner, starts: Any, radius: float = 1e-3, max_steps: int = 50) -> np.ndarray:
    """Find fixed points whether or not learning leads to them, by Newton's method: (k, N, Z, A).

    Args:
        learner: any, without batch axes.
        starts: (n, N, Z, A); those that leave the strategy space, or meet a singular derivative, are dropped.
        radius: see `fixed_points`.
        max_steps: of Newton's method.
    """
    X = learner.checked(starts).reshape(-1, *learner.shape)
    directions = learner.directions()
    for _ in range(max_steps):
        matrix = np.eye(len(directions)) - jacobian(learner, X)
        regular = np.isfinite(matrix).all(axis=(1, 2))
        regular[regular] = np.linalg.cond(matrix[regular]) < 1e12
        X, matrix = X[regular], matrix[regular]
        move = np.linalg.solve(matrix, learner.coordinates(learner.step(X) - X)[..., None])[..., 0]
        X = X + np.tensordot(move, directions, 1)
        X = X[learner.inside(X)]
    X = X[abs(learner.step(X) - X).max(axis=(1, 2, 3), initial=0) < 1e-12]
    labels = clusters(X, np.ones(len(X), bool), radius)
    return X[np.unique(labels, return_index=True)[1]]


def jacobian(learner: Learner, X: Any) -> np.ndarray:
    """Return the derivative of a step in free coordinates, (..., D, D): row = coordinate after, column = before.

    Args:
        learner: any.
        X: (..., N, Z, A).
    """
    X = learner.checked(X)
    directions = learner.directions()
    directions = directions.reshape(len(directions), *[1] * (X.ndim - 3), *learner.shape)
    with np.errstate(all="ignore"):  # on the border a derivative may be infinite
        after = learner.step(X + 1j * H * directions)
    return np.moveaxis(learner.coordinates(after.imag / H), 0, -1)


def eigenvalues(learner: Learner, X: Any) -> np.ndarray:
    """Return the eigenvalues of `jacobian`, the largest in modulus first: complex128, (..., D)."""
    values = np.linalg.eigvals(jacobian(learner, X)).astype(np.complex128)
    return np.take_along_axis(values, np.argsort(-abs(values), axis=-1, kind="stable"), -1)


def stability(learner: Learner, X: Any) -> str:
    """Tell what a small push away from a fixed point (N, Z, A) does.

    Returns:
        "stable" if all eigenvalues are within the unit circle, "unstable" if one is outside, else "neutral".
    """
    size = abs(eigenvalues(learner, X)).max(initial=0)
    return "stable" if size < 1 - NEUTRAL else "unstable" if size > 1 + NEUTRAL else "neutral"


def lyapunov(learner: Learner, X: Any, n_steps: int = 10_000) -> Any:
    """Return how fast neighbouring trajectories part: the largest Lyapunov exponent, natural logarithm a step.

    Above 0 learning is chaotic; on a cycle it is 0; at a stable fixed point it is the log of the largest eigenvalue.

    Args:
        learner: any.
        X: where to start, (..., N, Z, A); past the transient, such as `trajectory(...).final`.
        n_steps: how long to watch.

    Returns:
        float, or (...); NaN where learning diverged.
    """
    positive("n_steps", n_steps)
    path = learner.trajectory(X, n_steps, tolerance=0).strategies[:-1]
    push: Any = np.random.default_rng(0).normal(size=len(learner.directions()))  # in no symmetry of the game
    push, growth = push / np.linalg.norm(push), 0.0
    for begin in range(0, n_steps, CHUNK):
        for derivative in jacobian(learner, path[begin : begin + CHUNK]):
            push = (derivative @ push[..., None])[..., 0]
            size = np.linalg.norm(push, axis=-1, keepdims=True)
            with np.errstate(divide="ignore"):
                growth = growth + np.log(size[..., 0])
            push = push / np.where(size > 0, size, 1.0)
    exponent = growth / n_steps
    return float(exponent) if np.ndim(exponent) == 0 else exponent
