"""Learners from samples, which approach the equations as their batches grow.

The players play a batch of rounds with fixed strategies; then each one updates, by the rule of the equations, from
sampled averages of rewards and transitions instead of exact ones. Errors fall as 1 / sqrt(batch_size).

Source: W. Barfuss (2020), "Reinforcement learning dynamics in the infinite memory limit", AAMAS.
"""

from typing import Any

import numpy as np

from popagents.common.checks import positive
from popagents.dynamics.agents import ActorCritic
from popagents.dynamics.averages import Averages, own_average
from popagents.dynamics.equations import compiled
from popagents.dynamics.learner import Learner
from popagents.dynamics.trajectory import batch_axes


class BatchLearner:
    """Learns from sampled play.

    Args:
        game: see `popagents.dynamics.learner.Learner`.
        batch_size: rounds between two updates.
        learning_rate: of the learner.
        discount: of the learner.
        learner: the class whose equations are used.
        seed: of the sampled rounds.
        **settings: further settings of the learner.

    Attributes:
        dynamics: the equations, on the same game.

    Raises:
        ValueError: a setting is out of its range, or the game or the settings have batch axes.
    """

    def __init__(
        self,
        game: Any,
        batch_size: int,
        learning_rate: Any,
        discount: Any,
        *,
        learner: type[Learner] = ActorCritic,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        positive("batch_size", batch_size)
        self.dynamics = learner(game, learning_rate, discount, **settings)
        self.batch_size = batch_size
        tensors = self.dynamics.tensors
        if batch_axes(self.dynamics, np.empty(self.dynamics.shape)):
            raise ValueError("game or settings have batch axes; a BatchLearner takes one game and one setting a player")
        self.rng = np.random.default_rng(seed)
        self.state = int(self.rng.integers(tensors.n_states))
        n, s = tensors.rewards.shape[:2]
        self.rewards = np.array(game.rewards, np.float64).reshape(n, s, -1, s)
        self.observe = self.dynamics.views().cumsum(-1)
        self.move = tensors.transitions.cumsum(-1)

    def sampled_averages(self, X: np.ndarray) -> tuple[Averages, np.ndarray]:
        """Play a batch with strategies X (N, Z, A).

        Returns:
            The sampled averages, zero where there is no sample; and the number of samples, (N, Z, A).
        """
        learner = self.dynamics
        n, z, a = learner.shape
        own = learner.own_strategies(X)
        rewards, moves = np.zeros((n, z, a)), np.zeros((n, z, a, z))
        uniform = self.rng.random((self.batch_size + 1, 2 * n + 1))
        game = self.observe, own.cumsum(-1), self.move, self.rewards, learner.available.sum(-1)
        self.state = play(self.state, uniform, *game, rewards, moves)
        counts = moves.sum(-1)
        samples = np.maximum(counts, 1)
        transitions = moves / samples[..., None]
        return Averages(transitions, rewards / samples, own_average(own, transitions)), counts

    def prediction_error(self, X: Any) -> np.ndarray:
        """Return the sampled error of a batch, (N, Z, A): 0 where there is no sample."""
        X = self.dynamics.checked(X)
        averages, counts = self.sampled_averages(X)
        return np.where(counts > 0, self.dynamics.error(X, averages), 0.0)

    def step(self, X: Any) -> np.ndarray:
        """Play a batch with strategies X (N, Z, A) and return the strategies after the update."""
        return self.dynamics.update(self.dynamics.checked(X), self.prediction_error(X))

    def trajectory(self, X: Any, n_steps: int) -> np.ndarray:
        """Play and update n_steps times: (n_steps + 1, N, Z, A)."""
        positive("n_steps", n_steps)
        path = [self.dynamics.checked(X)]
        for _ in range(n_steps):
            path.append(self.step(path[-1]))
        return np.stack(path)


@compiled
def play(
    state: int,
    uniform: Any,
    observe: Any,
    act: Any,
    move: Any,
    game_rewards: Any,
    n_actions: Any,
    rewards: Any,
    moves: Any,
) -> int:
    """Play rounds from a state, and return the state after the last.

    Args:
        state: before the first round.
        uniform: random numbers from 0 to 1, (rounds + 1, 2 N + 1).
        observe: cumulative probabilities of a player's observation in a state, (N, S, Z).
        act: of its action after an observation, (N, Z, A).
        move: of the next state, (S, J, S).
        game_rewards: (N, S, J, S).
        n_actions: how many actions each player has, (N,).
        rewards: (N, Z, A), to which rewards are added.
        moves: (N, Z, A, Z), where rounds are counted by observation, action and next observation.
    """
    n = len(act)
    seen, action = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        seen[i] = draw(observe[i, state], uniform[0, i])
    for numbers in uniform[1:]:
        joint = 0
        for i in range(n):
            action[i] = draw(act[i, seen[i]], numbers[i])
            joint = joint * n_actions[i] + action[i]
        next_state = draw(move[state, joint], numbers[2 * n])
        for i in range(n):
            next_seen = draw(observe[i, next_state], numbers[n + i])
            rewards[i, seen[i], action[i]] += game_rewards[i, state, joint, next_state]
            moves[i, seen[i], action[i], next_seen] += 1
            seen[i] = next_seen
        state = next_state
    return state


@compiled
def draw(cumulative: Any, number: float) -> int:
    """Return the first entry whose cumulative probability exceeds a number from 0 to 1, or else the last entry."""
    k = 0
    while k < len(cumulative) - 1 and not number * cumulative[-1] < cumulative[k]:
        k += 1
    return k
