"""Analysis of the dynamics: fixed points and basins of attraction, Jacobians and stability, Lyapunov exponents.

Derivatives are those of `step`, by complex steps: exact to rounding. Coordinates are the free ones: of every strategy
all probabilities but that of the player's last action, which the others determine.

Sources: W. Squire, G. Trapp (1998), "Using complex variables to estimate derivatives of real functions", SIAM Review
40; G. Benettin et al. (1980), "Lyapunov characteristic exponents for smooth dynamical systems", Meccanica 15.
"""

from typing import Any, NamedTuple

import numpy as np

from popagents.common.checks import positive
from popagents.dynamics.learner import Learner

H = 1e-100  # the complex step; no difference is taken, so that it can be this small
CHUNK = 1000  # points whose derivatives are computed together
NEUTRAL = 1e-6  # moduli of eigenvalues this close to 1 count as 1


class FixedPoints(NamedTuple):
    """The fixed points that many starts end in, by the size of their basins, the largest first."""

    points: np.ndarray  # (k, N, Z, A)
    shares: np.ndarray  # (k,): of all starts, those that end there
    labels: np.ndarray  # int64, (starts,): the point that a start ends in; -1 for none


def fixed_points(
    learner: Learner, starts: Any, max_steps: int = 10_000, tolerance: float = 1e-7, radius: float = 1e-3
) -> FixedPoints:
    """Find the fixed points that many starts end in.

    Args:
        learner: any.
        starts: (n, N, Z, A).
        max_steps: see `Learner.trajectory`, as for `tolerance`.
        tolerance: of a fixed point.
        radius: ends whose probabilities all differ by less are one point.
    """
    run = learner.trajectory(starts, max_steps, tolerance, keep="ends")
    ends = run.final.reshape(-1, *learner.shape)
    labels = clusters(ends, np.ravel(run.converged), radius)
    _, first, counts = np.unique(labels[labels >= 0], return_index=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rank = np.append(np.argsort(order), -1)  # the last for -1
    return FixedPoints(ends[labels >= 0][first[order]], counts[order] / max(len(labels), 1), rank[labels])


def clusters(ends: np.ndarray, converged: np.ndarray, radius: float) -> np.ndarray:
    """Number clusters of ends (n, N, Z, A) from 0: all within a radius of their first; -1 where not converged."""
    labels = np.full(len(ends), -1)
    left = np.flatnonzero(converged)
    while len(left):
        near = abs(ends[left] - ends[left[0]]).max(axis=(1, 2, 3)) < radius
        labels[left[near]] = labels.max() + 1
        left = left[~near]
    return labels


def basins(learner: Learner, n: int = 1000, seed: int = 0, **settings: Any) -> FixedPoints:
    """Find the fixed points that random starts end in; their shares are the sizes of their basins of attraction.

    Args:
        learner: any.
        n: random starts.
        seed: of their draw.
        **settings: of `fixed_points`.
    """
    positive("n", n)
    return fixed_points(learner, learner.random_strategies(n, seed), **settings)


def rest_points(learner: Learner, starts: Any, radius: float = 1e-3, max_steps: int = 50) -> np.ndarray:
    """Find fixed points, stable or not, by Newton's method: (k, N, Z, A).

    Args:
        learner: any, without batch axes.
        starts: (n, N, Z, A); those that leave the strategy space, or meet a singular Jacobian, are dropped.
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
    """Return the Jacobian of a step in free coordinates, (..., D, D): row = coordinate after, column = before.

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
    """Return the linear stability of a fixed point X (N, Z, A).

    Returns:
        "stable" if all eigenvalues are within the unit circle, "unstable" if one is outside, else "neutral".
    """
    size = abs(eigenvalues(learner, X)).max(initial=0)
    return "stable" if size < 1 - NEUTRAL else "unstable" if size > 1 + NEUTRAL else "neutral"


def lyapunov(learner: Learner, X: Any, n_steps: int = 10_000) -> Any:
    """Return the largest Lyapunov exponent, natural logarithm per step: how fast neighbouring trajectories diverge.

    Above 0 learning is chaotic; on a cycle it is 0; at a stable fixed point it is the log of the largest eigenvalue.

    Args:
        learner: any.
        X: strategies past the transient, (..., N, Z, A), such as `trajectory(...).final`.
        n_steps: length of the trajectory.

    Returns:
        float, or (...); NaN where learning diverged.
    """
    positive("n_steps", n_steps)
    path = learner.trajectory(X, n_steps, tolerance=0).strategies[:-1]
    rng = np.random.default_rng(0)  # random, so that no symmetry of the game confines the deviation
    deviation: Any = rng.normal(size=len(learner.directions()))
    deviation, growth = deviation / np.linalg.norm(deviation), 0.0
    for begin in range(0, n_steps, CHUNK):
        for derivative in jacobian(learner, path[begin : begin + CHUNK]):
            deviation = (derivative @ deviation[..., None])[..., 0]
            size = np.linalg.norm(deviation, axis=-1, keepdims=True)
            with np.errstate(divide="ignore"):
                growth = growth + np.log(size[..., 0])
            deviation = deviation / np.where(size > 0, size, 1.0)
    exponent = growth / n_steps
    return float(exponent) if np.ndim(exponent) == 0 else exponent
