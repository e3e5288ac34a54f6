"""Replicator dynamics: the share of an action grows in proportion to its payoff less the average.

One population that plays against itself: dx_a / dt = x_a (f_a(x) - sum_b x_b f_b(x)), where f_a is the mean payoff of
action a against others drawn from x. With one population for each player: the same for each, against the others'. The
latter is the limit of `ActorCritic` with discount 0 and small learning rates.

Sources: P. Taylor, L. Jonker (1978), "Evolutionary stable strategies and game dynamics", Mathematical Biosciences 40;
P. Taylor (1979), "Evolutionarily stable strategies with two types of player", J. Applied Probability 16.
"""

from typing import Any

import numpy as np

from popagents.common.checks import positive
from popagents.dynamics.averages import state_averages
from popagents.dynamics.tensors import CLOSE, Tensors


class Replicator:
    """Replicator dynamics of a game with one state.

    Args:
        game: see `popagents.dynamics.learner.Learner`.
        single: one population that plays against itself; the game must be symmetric. Otherwise one for each player.

    Attributes:
        shape: of a table of shares, (A,) or (N, A).

    Raises:
        ValueError: the game has several states, or is to be played by one population and is not symmetric.
    """

    def __init__(self, game: Any, single: bool = False) -> None:
        self.game = game
        self.tensors = Tensors(game)
        self.single = single
        if self.tensors.n_states > 1:
            raise ValueError(f"the game has {self.tensors.n_states} states; replicator dynamics need a game with one")
        if single:
            symmetric_payoffs(self.tensors)
        self.shape = self.tensors.available.shape[int(single) :]

    def payoffs(self, X: np.ndarray) -> np.ndarray:
        """Return the mean payoff of each action, of the shape of X."""
        n, width = self.tensors.available.shape
        if self.single:
            X = np.broadcast_to(X[..., None, :], (*X.shape[:-1], n, width))
        rewards = state_averages(self.tensors, X[..., None, :]).rewards[..., 0, :]
        return rewards[..., 0, :] if self.single else rewards

    def derivative(self, X: Any) -> np.ndarray:
        """Return the time derivative of shares X, (..., A) or (..., N, A).

        Raises:
            ValueError: X holds anything but shares that sum to 1.
        """
        X = np.asarray(X, np.float64)
        if X.shape[-len(self.shape) :] != self.shape or not (abs(X.sum(-1) - 1) <= CLOSE).all() or (X < 0).any():
            expected = f"(..., {', '.join(map(str, self.shape))})"
            raise ValueError(f"shares of shape {X.shape} are no probabilities of shape {expected} that sum to 1")
        return self._derivative(X)

    def _derivative(self, X: np.ndarray) -> np.ndarray:
        payoffs = self.payoffs(X)
        return X * (payoffs - (X * payoffs).sum(-1, keepdims=True))

    def trajectory(self, X: Any, n_steps: int, dt: float = 0.01) -> np.ndarray:
        """Integrate by the classical Runge-Kutta method.

        Args:
            X: the first shares, (..., A) or (..., N, A).
            n_steps: number of steps.
            dt: length of a step (units of time).

        Returns:
            The shares before the first step and after each, (n_steps + 1, ...).
        """
        positive("n_steps", n_steps)
        self.derivative(X)
        path = np.empty((n_steps + 1, *np.shape(X)))
        path[0] = x = np.asarray(X, np.float64)
        for n in range(n_steps):
            k1 = self._derivative(x)
            k2 = self._derivative(x + dt / 2 * k1)
            k3 = self._derivative(x + dt / 2 * k2)
            k4 = self._derivative(x + dt * k3)
            path[n + 1] = x = x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return path


def replicator(game: Any, single: bool = False) -> Replicator:
    """Return the replicator dynamics of a game; see `Replicator`."""
    return Replicator(game, single)


def symmetric_payoffs(tensors: Tensors) -> np.ndarray:
    """Return the payoffs of player 0 by joint action, (A, ..., A), in a symmetric game.

    Raises:
        ValueError: the players differ in payoffs or in actions, or the game has several states.
    """
    n, width = tensors.available.shape
    if tensors.available.all() and tensors.n_states == 1 and not tensors.batch:
        tables = tensors.rewards[:, 0].reshape(n, *[width] * n)
        swaps = [np.r_[k, 1:k, 0, k + 1 : n] for k in range(1, n)]  # of player 0 and another: all else follows
        if all(np.allclose(tables[swap].transpose(0, *(1 + swap)), tables) for swap in swaps):
            return tables[0]
    raise ValueError(
        "the game is not symmetric in one state: what a player gets must not depend on who it is or on which of the "
        "others does what; give a population to each player"
    )
