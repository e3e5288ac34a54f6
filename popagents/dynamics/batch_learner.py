"""Learners that only see samples: with larger and larger batches they do what the equations say.

With all strategies fixed, the players play a batch of rounds; then each one updates, by the rule of the equations, from
the rewards and transitions that it saw instead of from exact averages. Errors fall as 1 / sqrt(batch_size).

Source: W. Barfuss (2020), "Reinforcement learning dynamics in the infinite memory limit", AAMAS.
"""

from typing import Any

import numpy as np

from popagents.common.checks import positive
from popagents.dynamics.agents import ActorCritic
from popagents.dynamics.averages import Averages, under
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
        learner: which equations to follow.
        seed: of all that is random.
        **settings: further settings of the learner.

    Attributes:
        dynamics: the equations, on the same game.

    Raises:
        ValueError: a setting is out of its range, or the game or the settings carry batch axes.
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
        self.see = self.dynamics.views().cumsum(-1)
        self.to = tensors.transitions.cumsum(-1)

    def sampled_averages(self, X: np.ndarray) -> tuple[Averages, np.ndarray]:
        """Play a batch with strategies X (N, Z, A).

        Returns:
            What the players saw on average, zero for what never happened; and how often each did what, (N, Z, A).
        """
        learner = self.dynamics
        n, z, a = learner.shape
        own = learner.own_strategies(X)
        pay, moves = np.zeros((n, z, a)), np.zeros((n, z, a, z))
        dice = self.rng.random((self.batch_size + 1, 2 * n + 1))
        self.state = play(
            self.state, dice, self.see, own.cumsum(-1), self.to, self.rewards, learner.available.sum(-1), pay, moves
        )
        counts = moves.sum(-1)
        often = np.maximum(counts, 1)
        transitions = moves / often[..., None]
        return Averages(transitions, pay / often, under(own, transitions)), counts

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
def play(state: int, dice: Any, see: Any, act: Any, to: Any, rewards: Any, width: Any, pay: Any, moves: Any) -> int:
    """Play rounds from a state, and return the state after the last.

    Args:
        state: before the first round.
        dice: uniform numbers, (rounds + 1, 2 N + 1).
        see: cumulative probabilities of what a player sees of a state, (N, S, Z).
        act: of what it then does, (N, Z, A).
        to: of the next state, (S, J, S).
        rewards: (N, S, J, S).
        width: how many actions each player has, (N,).
        pay: (N, Z, A), to which rewards are added.
        moves: (N, Z, A, Z), in which rounds are counted by what was seen, done and seen next.
    """
    n = len(act)
    seen, done = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        seen[i] = draw(see[i, state], dice[0, i])
    for die in dice[1:]:
        joint = 0
        for i in range(n):
            done[i] = draw(act[i, seen[i]], die[i])
            joint = joint * width[i] + done[i]
        after = draw(to[state, joint], die[2 * n])
        for i in range(n):
            next_seen = draw(see[i, after], die[n + i])
            pay[i, seen[i], done[i]] += rewards[i, state, joint, after]
            moves[i, seen[i], done[i], next_seen] += 1
            seen[i] = next_seen
        state = after
    return state


@compiled
def draw(cumulative: Any, die: float) -> int:
    """Return the first entry whose cumulative probability exceeds the die, the last of them at most."""
    k = 0
    while k < len(cumulative) - 1 and not die * cumulative[-1] < cumulative[k]:
        k += 1
    return k
