"""The learners: the update of each in the limit of an infinite batch between two updates, as equations.

X[i, z, a] are strategies of player i in state (or after observation) z; V, Q, T, R, scale and discount are those of
`popagents.dynamics.learner`.

Source: W. Barfuss, J. Donges, J. Kurths (2019), "Deterministic limit of temporal difference reinforcement learning for
stochastic games", Physical Review E 99; and pyCRLD, "Collective Reinforcement Learning Dynamics in Python", by W.
Barfuss and contributors, whose classes are `stratAC`, `stratSARSA` and `valSARSA`.
Differs from the source:
- any number of players, each with its own number of actions;
- strategies on the border of the simplex are allowed: a probability of zero stays zero.
"""

from typing import Any

import numpy as np

from popagents.dynamics import equations
from popagents.dynamics.averages import Averages, belief, observed_averages, state_averages
from popagents.dynamics.learner import Learner
from popagents.dynamics.stationary import stationary


class ActorCritic(Learner):
    """Actor-critic: the critic's temporal difference error moves the actor.

    error = choice_intensity (Q[i, z, a] - V[i, z]); its average over one's own strategy is 0.
    """

    rule = equations.ACTOR_CRITIC

    def unscaled_error(self, X: np.ndarray, averages: Averages) -> np.ndarray:
        """Return Q - V, (..., N, Z, A)."""
        values = self.state_values(X, averages)
        return self.backup(averages, values) - values[..., None]


class Sarsa(Learner):
    """SARSA: strategies are the softmax of learned action values.

    error = choice_intensity Q[i, z, a] - ln X[i, z, a], for the average over next actions sum_a X Q is V.
    """

    rule = equations.SARSA

    def unscaled_error(self, X: np.ndarray, averages: Averages) -> np.ndarray:
        """Return Q, (..., N, Z, A)."""
        return self.backup(averages, self.state_values(X, averages))

    def cost(self, X: np.ndarray) -> np.ndarray:
        """Return ln X, finite also where X is zero."""
        return np.log(np.where(X.real > equations.TINY, X, equations.TINY))


class QLearning(Sarsa):
    """Q-learning: as SARSA, but with the value of the best next action in place of the average over next actions.

    error = choice_intensity (scale R + discount sum_y T max_b Q[i, y, b]) - ln X[i, z, a]
    """

    rule = equations.Q_LEARNING

    def unscaled_error(self, X: np.ndarray, averages: Averages) -> np.ndarray:
        """Return the backup of the best next actions' values, (..., N, Z, A)."""
        Q = super().unscaled_error(X, averages)
        best = np.where(self.available[:, None, :], Q.real, -np.inf).argmax(-1)
        return self.backup(averages, np.take_along_axis(Q, best[..., None], -1)[..., 0])


class ValueSarsa(Learner):
    """SARSA in value space: a table Q of action values, (..., N, S, A), changes; strategies are epsilon-greedy in it.

    error = Q_true(X)[i, s, a] - Q[i, s, a];  Q' = Q + learning_rate error

    Args:
        game: see `Learner`, as for the learning rate and the discount.
        learning_rate: above 0.
        discount: from 0 to below 1.
        epsilon: the probability of a uniformly random action, 0 to 1; equally good actions share the rest.
        prefactor: see `Learner`.

    Raises:
        ValueError: a number is out of its range, or the game is not one.
    """

    rule = equations.VALUE_SARSA

    def __init__(
        self, game: Any, learning_rate: Any, discount: Any, epsilon: Any = 0.1, prefactor: bool = False
    ) -> None:
        super().__init__(game, learning_rate, discount, prefactor=prefactor)
        self.epsilon = self.setting("epsilon", epsilon, lambda x: (x >= 0) & (x <= 1), "from 0 to 1")

    def state_strategies(self, X: np.ndarray) -> np.ndarray:
        """Return the strategies in each state, epsilon-greedy in the table: (..., N, S, A)."""
        have = self.available[:, None, :]
        Q = np.where(have, X.real, -np.inf)
        greedy = Q.max(-1, keepdims=True) == Q
        epsilon = self.epsilon[..., None, None]
        return epsilon * have / have.sum(-1, keepdims=True) + (1 - epsilon) * greedy / greedy.sum(-1, keepdims=True)

    def unscaled_error(self, X: np.ndarray, averages: Averages) -> np.ndarray:
        """Return Q_true - Q, (..., N, S, A)."""
        return self.backup(averages, self.state_values(X, averages)) - X

    def update(self, X: np.ndarray, error: np.ndarray) -> np.ndarray:
        """Return the table after a step towards the true values of the strategies played."""
        return X + self.learning_rate[..., None, None] * error

    def directions(self) -> np.ndarray:
        """Return the change of a table with each of its D coordinates, all of them free: (D, N, S, A)."""
        return np.eye(self.free().size).reshape(-1, *self.shape)[self.free().ravel()]

    def free(self) -> np.ndarray:
        """Return which entries of a table are free, those of actions that a player has: bool, (N, S, A)."""
        return np.broadcast_to(self.available[:, None, :], self.shape)

    def inside(self, X: np.ndarray) -> np.ndarray:
        """Return which tables are valid, all of them: bool, (...)."""
        return np.ones(X.shape[:-3], bool)

    def random_strategies(self, n: int, seed: int = 0) -> np.ndarray:
        """Draw tables of values, standard normal: float64, (n, N, S, A)."""
        return np.random.default_rng(seed).normal(size=(n, *self.shape)) * self.available[:, None, :]

    def checked(self, X: Any) -> np.ndarray:
        """Return a table of values as an array; NaN is accepted.

        Raises:
            ValueError: it has the wrong shape, or a value for an action that a player does not have.
        """
        X = self.table(X)
        if (X != 0)[..., ~np.broadcast_to(self.available[:, None, :], self.shape)].any():
            raise ValueError("a table holds a value for an action that its player does not have; it must be 0")
        return X


class PartiallyObservableActorCritic(ActorCritic):
    """Actor-critic that sees observations, not states: X (..., N, O, A), one row for each observation.

    The error is that of `ActorCritic`, all averages taken under the belief that an observation leaves, in proportion to
    observations[i, s, o] times the share of time spent in state s.

    Args:
        game: see `Learner`, as for the next four.
        learning_rate: above 0.
        discount: from 0 to below 1.
        choice_intensity: 0 or more.
        prefactor: see `Learner`.
        consistent: average transitions between observations, like rewards, over the player's strategy after each
            observation. If False, as published: over its strategy in each state, so that the average error is not 0.

    Source: W. Barfuss, R. Mann (2022), "Modeling the effects of environmental and perceptual uncertainty using
    deterministic reinforcement learning dynamics with partial observability", Physical Review E 105; `POstratAC`
    in pyCRLD.

    Raises:
        ValueError: a number is out of its range, or the game is not one.
    """

    def __init__(
        self,
        game: Any,
        learning_rate: Any,
        discount: Any,
        choice_intensity: Any = 1.0,
        prefactor: bool = False,
        consistent: bool = True,
    ) -> None:
        super().__init__(game, learning_rate, discount, choice_intensity, prefactor)
        self.consistent = consistent
        self.rule = equations.PARTIAL if consistent else equations.PARTIAL_AS_PUBLISHED

    def views(self) -> np.ndarray:
        """Return the probability of each observation in each state: (N, S, O)."""
        return self.tensors.observations

    def state_strategies(self, X: np.ndarray) -> np.ndarray:
        """Return the strategies in each state, averaged over observations: (..., N, S, A)."""
        return self.views() @ X

    def own_strategies(self, X: np.ndarray) -> np.ndarray:
        """Return the strategies after each observation: X itself."""
        return X

    def averages(self, X: np.ndarray) -> Averages:
        """Average the game over the others' strategies, and over the states that an observation may come from."""
        states = state_averages(self.tensors, self.state_strategies(X))
        occupation = stationary(states.chain[..., 0, :, :])
        seen = observed_averages(self.tensors, X, occupation, states)
        if self.consistent:
            return seen
        between = states.chain @ self.tensors.observations  # (..., N, S, O)
        chain = belief(self.tensors.observations, occupation) @ between
        return Averages(seen.transitions, seen.rewards, chain)
