"""The base of all learners of the dynamics: settings, checks, values, and learning in strategy space.

Indices: player i, state or observation z, action a, next one y; leading axes are batches. Averages T and R over
the others' strategies are those of `popagents.dynamics.averages`. The methods are the equations, in NumPy and for any
batch; `trajectory` runs the same ones compiled (`popagents.dynamics.loop`).

    V[i, z]     = scale_i (1 - discount_i P_i)^-1 sum_a X R,    P_i[z, y] = sum_a X[i, z, a] T[i, z, a, y]
    Q[i, z, a]  = scale_i R[i, z, a] + discount_i sum_y T[i, z, a, y] V[i, y]

Complex strategies carry a derivative in their imaginary parts: comparisons use real parts only.

Sources: those of `popagents.dynamics.agents`.
"""

from typing import Any

import numpy as np

from popagents.dynamics.averages import Averages, state_averages
from popagents.dynamics.stationary import stationary
from popagents.dynamics.tensors import CLOSE, Tensors
from popagents.dynamics.trajectory import Trajectory, run


class Learner:
    """Learning in strategy space: strategies X (..., N, Z, A) change in proportion to exp(learning_rate error).

    Args:
        game: anything with `transitions`, `rewards` and `observations`, such as `popenvs.dilemmas.Game`.
        learning_rate: above 0.
        discount: from 0 to below 1.
        choice_intensity: factor of the temporal difference error; 0 or more.
        prefactor: multiply rewards by 1 - discount, so that values have the scale of rewards.

    Every number may be an array (..., N) or (..., 1): one a player, after batch axes. Transitions and rewards may have
    batch axes too.

    Attributes:
        shape: of a table of strategies, (N, Z, A).
        available: bool, (N, A): the actions that a player has; strategies are 0 for others.

    Raises:
        ValueError: a number is out of its range, or the game is not one.
    """

    rule = -1

    def __init__(
        self,
        game: Any,
        learning_rate: Any,
        discount: Any,
        choice_intensity: Any = 1.0,
        prefactor: bool = False,
    ) -> None:
        self.game = game
        self.tensors = Tensors(game)
        self.available = self.tensors.available
        self.shape = (self.tensors.n_players, self.views().shape[-1], self.available.shape[1])
        self.learning_rate = self.setting("learning_rate", learning_rate, lambda x: x > 0, "above 0")
        self.discount = self.setting("discount", discount, lambda x: (x >= 0) & (x < 1), "from 0 to below 1")
        self.intensity = self.setting("choice_intensity", choice_intensity, lambda x: x >= 0, "0 or more")
        self.scale = 1 - self.discount if prefactor else np.ones_like(self.discount)
        self.epsilon = np.zeros(self.tensors.n_players)  # of `ValueSarsa`

    def views(self) -> np.ndarray:
        """Return the probability of each table row in each state, (N, S, Z); here rows are the states themselves."""
        n, states = self.tensors.n_players, self.tensors.n_states
        return np.broadcast_to(np.eye(states), (n, states, states))

    def setting(self, name: str, value: Any, good: Any, range_: str) -> np.ndarray:
        """Return a setting as one number a player, float64, (..., N).

        Raises:
            ValueError: it is out of its range, or its last axis does not count players.
        """
        array = np.asarray(value, np.float64)
        n = self.tensors.n_players
        if not (good(array) & np.isfinite(array)).all():
            raise ValueError(f"{name} is {value!r}; it must be {range_}")
        if array.ndim and array.shape[-1] not in (1, n):
            raise ValueError(
                f"{name} has shape {array.shape}; it must be one number, or (..., {n}): one a player, or (..., 1); "
                f"for a batch of settings add an axis: {name}[:, None]"
            )
        return np.broadcast_to(array, np.broadcast_shapes(array.shape, (n,)))

    def averages(self, X: np.ndarray) -> Averages:
        """Average the game over the others' strategies."""
        return state_averages(self.tensors, self.state_strategies(X))

    def state_strategies(self, X: np.ndarray) -> np.ndarray:
        """Return the strategies in each state, (..., N, S, A)."""
        return X

    def own_strategies(self, X: np.ndarray) -> np.ndarray:
        """Return the strategies in each state or observation, (..., N, Z, A)."""
        return self.state_strategies(X)

    def values(self, X: Any) -> np.ndarray:
        """Return the values V of states or observations under fixed strategies X, (..., N, Z)."""
        X = self.checked(X)
        return self.state_values(X, self.averages(X))

    def state_values(self, X: np.ndarray, averages: Averages) -> np.ndarray:
        """Return V under given averages, exact or sampled: (..., N, Z)."""
        expected = self.scale[..., None] * (self.own_strategies(X) * averages.rewards).sum(-1)
        matrix = np.eye(self.shape[1]) - self.discount[..., None, None] * averages.chain
        return np.linalg.solve(matrix, expected[..., None])[..., 0]

    def action_values(self, X: Any) -> np.ndarray:
        """Return the action values Q under fixed strategies X, (..., N, Z, A)."""
        X = self.checked(X)
        averages = self.averages(X)
        return self.backup(averages, self.state_values(X, averages))

    def stationary(self, X: Any) -> np.ndarray:
        """Return the share of time spent in each state, (..., S); see `popagents.dynamics.stationary`."""
        return stationary(state_averages(self.tensors, self.state_strategies(self.checked(X))).chain[..., 0, :, :])

    def mean_rewards(self, X: Any) -> np.ndarray:
        """Return each player's mean reward per step, over the stationary distribution: (..., N)."""
        played = self.state_strategies(self.checked(X))
        rewards = (played * state_averages(self.tensors, played).rewards).sum(-1)
        return (self.stationary(X)[..., None, :] * rewards).sum(-1)

    def backup(self, averages: Averages, values: np.ndarray) -> np.ndarray:
        """Return scaled reward plus discounted value of the next state or observation, (..., N, Z, A)."""
        later = (averages.transitions @ values[..., None, :, None])[..., 0]
        return self.scale[..., None, None] * averages.rewards + self.discount[..., None, None] * later

    def prediction_error(self, X: Any, centered: bool = False) -> np.ndarray:
        """Return the prediction error, (..., N, Z, A); 0 for actions that a player does not have.

        Args:
            X: strategies, (..., N, Z, A).
            centered: subtract the mean over actions.
        """
        X = self.checked(X)
        error = self.error(X, self.averages(X))
        if not centered:
            return error
        have = self.available[:, None, :]
        return np.where(have, error - error.sum(-1, keepdims=True) / have.sum(-1, keepdims=True), 0.0)

    def error(self, X: np.ndarray, averages: Averages) -> np.ndarray:
        """Return the prediction error that follows from averages, exact or sampled."""
        error = self.intensity[..., None, None] * self.unscaled_error(X, averages)
        return np.where(self.available[:, None, :], error - self.cost(X), 0.0)

    def unscaled_error(self, X: np.ndarray, averages: Averages) -> np.ndarray:
        """Return the error before choice intensity and cost, (..., N, Z, A); each learner defines its own."""
        raise NotImplementedError(f"{type(self).__name__} defines no unscaled_error; use one of its subclasses")

    def cost(self, X: np.ndarray) -> np.ndarray | float:
        """Return the term that is subtracted from the error: ln X for softmax strategies, else 0."""
        return 0.0

    def step(self, X: Any) -> np.ndarray:
        """Return the strategies after one update."""
        X = self.checked(X)
        return self.update(X, self.error(X, self.averages(X)))

    def update(self, X: np.ndarray, error: np.ndarray) -> np.ndarray:
        """Return strategies in proportion to X exp(learning_rate error); a probability of zero stays zero."""
        push = self.learning_rate[..., None, None] * error
        top = np.where(X.real > 0, push.real, -np.inf).max(-1, keepdims=True)
        weights = np.where(X != 0, X * np.exp(np.where(X != 0, push - top, 0.0)), 0.0)
        return weights / weights.sum(-1, keepdims=True)

    def trajectory(self, X: Any, max_steps: int = 10_000, tolerance: float = 1e-7, keep: str = "all") -> Trajectory:
        """Iterate the learning steps until a fixed point.

        Args:
            X: the first strategies, (..., N, Z, A); leading axes are a batch, as are those of settings and game.
            max_steps: at most so many steps.
            tolerance: a fixed point is where the 2-norm of a step, over each player's learning rate, is below it.
            keep: "all" strategies, or "ends": the first and the last, in memory that does not grow with steps.

        Raises:
            ValueError: X holds anything but strategies, or a setting is out of its range.
        """
        return run(self, self.checked(X), max_steps, tolerance, keep)

    def random_strategies(self, n: int, seed: int = 0) -> np.ndarray:
        """Draw strategies uniformly from the simplex: float64, (n, N, Z, A)."""
        drawn = np.random.default_rng(seed).exponential(size=(n, *self.shape)) * self.available[:, None, :]
        return drawn / drawn.sum(-1, keepdims=True)

    def directions(self) -> np.ndarray:
        """Return the change of a table with each of its D free coordinates, (D, N, Z, A)."""
        moves = np.eye(self.free().size).reshape(-1, *self.shape)
        last = self.available.sum(-1)[:, None, None] - 1 == np.arange(self.shape[2])
        moves = moves - moves.sum(-1, keepdims=True) * last
        return moves[self.free().ravel()]

    def free(self) -> np.ndarray:
        """Return which entries of a table are free, all but those of each player's last action: bool, (N, Z, A)."""
        later = np.arange(1, self.shape[2] + 1) < self.available.sum(-1)[:, None]
        return np.broadcast_to(later[:, None, :], self.shape)

    def coordinates(self, X: np.ndarray) -> np.ndarray:
        """Return the free coordinates of tables, (..., D)."""
        return X[..., self.free()]

    def inside(self, X: np.ndarray) -> np.ndarray:
        """Return which tables, (..., N, Z, A), hold strategies: bool, (...)."""
        return np.asarray((X >= 0).all(axis=(-3, -2, -1)))

    def checked(self, X: Any) -> np.ndarray:
        """Return strategies as an array, float64 (or complex128, to carry a derivative); NaN is accepted.

        Raises:
            ValueError: they have the wrong shape, do not sum to one, or are negative.
        """
        X = self.table(X)
        proper = ~((abs(X.sum(-1) - 1) > CLOSE) | (X.real < 0).any(-1))
        missing = ~self.available[:, None, :] & (X != 0) & ~np.isnan(X)
        for place in np.argwhere(~proper | missing.any(-1))[:1]:
            row = X[tuple(place)]
            have = self.available[place[-2]].sum()
            raise ValueError(
                f"strategies{place.tolist()} are {row.tolist()}, which sum to {row.sum():g}; they must be {have} "
                "probabilities that sum to 1" + (", then zeros" if have < len(row) else "")
            )
        return X

    def table(self, X: Any) -> np.ndarray:
        """Return an array of the shape (..., N, Z, A).

        Raises:
            ValueError: it has another.
        """
        X = np.asarray(X)
        X = X.astype(np.result_type(X, np.float64), copy=False)
        if X.shape[-3:] != self.shape:
            raise ValueError(
                f"strategies have shape {X.shape}; they must have (..., players, states or observations, actions) = "
                f"(..., {', '.join(map(str, self.shape))})"
            )
        return X
