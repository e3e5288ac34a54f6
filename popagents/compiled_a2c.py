"""Advantage actor-critic for `RecurrentPolicy`, compiled: the same steps as `popagents.a2c.TorchMinds` up to rounding.

The gradient of the loss by the network's outputs is NumPy's, for all lives and steps at once; the way back through the
LSTM, and RMSprop, are `popagents.lstm`'s, life by life, while a life's weights lie in the processor's cache.
"""

import numpy as np
import torch
from stable_baselines3.common.torch_layers import FlattenExtractor

from popagents import lstm
from popagents.a2c import Hyperparameters, Minds, TorchMinds
from popagents.actions import Actions
from popagents.dense import Parameters
from popagents.lstm import DEPTH, Tape, Weights
from popagents.population import Stack
from popagents.recurrent import RecurrentPolicy


class CompiledMinds(Minds):
    """The networks of many lives of a `RecurrentPolicy`; see `Minds`."""

    def __init__(self, stack: Stack, rows: np.ndarray, how: Hyperparameters, lanes: int = 1) -> None:
        super().__init__(stack, rows, how, lanes)
        own = {name: values[rows] for name, values in stack.parameters.items()}
        self.weights = Weights.of(own)
        self.squares = Weights(*(np.zeros_like(values) for values in self.weights))
        self.gradient = Weights(*(np.zeros_like(values[:1]) for values in self.weights))
        self.tape = Tape.blank(self.weights, len(self.steps), DEPTH)
        self.log_std = own.get("log_std")
        self._log_std_squares = None if self.log_std is None else np.zeros_like(self.log_std)

    def learned(self) -> Parameters:
        """Return every life's parameters as they are now."""
        learned = self.weights.parameters()
        return learned if self.log_std is None else learned | {"log_std": self.log_std.copy()}

    def _log_std(self, who: np.ndarray) -> np.ndarray | None:
        return None if self.log_std is None else self.log_std[who // self.lanes]

    def _step(self, who: np.ndarray, seen: np.ndarray) -> np.ndarray:
        return lstm.forward(who, self._features(seen), self.weights, self.tape, self.steps, self.lanes)

    def _features(self, seen: np.ndarray) -> np.ndarray:
        """Return what the policy's features extractor makes of observations: float32, (k, n)."""
        extractor = self.stack.template.features_extractor
        if type(extractor) is FlattenExtractor:
            return np.ascontiguousarray(self.stack.flat(seen), np.float32)
        with torch.no_grad():
            return extractor(self.stack.actor.prepare(seen)).numpy()

    def _make_room(self) -> None:
        super()._make_room()
        self.tape = self.tape.longer(self.weights)

    def _descend(self, done: np.ndarray, returns: np.ndarray, shares: np.ndarray) -> None:
        longest = done.shape[1]
        outputs, values = self.tape.outputs[:, :longest], self.tape.values[:, :longest]
        spread = self._log_std(np.arange(len(self.steps)))
        spread = None if spread is None else spread[:, None, :]
        d_outputs, d_values, d_spread = loss_gradient(
            self.actions, outputs, values, done, returns, shares, self.costs, spread
        )
        networks = (self.weights, self.tape, self.gradient, self.squares)
        lstm.descend(self.steps, d_outputs, d_values, *networks, self.how.learning_rate)
        if self.log_std is not None:
            d_own = d_spread.reshape(len(self.log_std), self.lanes, -1).sum(axis=1)  # type: ignore[union-attr]
            for row, rate in enumerate(self.how.learning_rate):
                lstm.rmsprop(self.log_std[row], d_own[row], self._log_std_squares[row], rate)  # type: ignore[index]


def minds_of(stack: Stack, rows: np.ndarray, how: Hyperparameters, lanes: int = 1) -> Minds:
    """Return minds for some members (see `Minds`): compiled where the policy is recurrent, PyTorch's elsewhere."""
    kind = CompiledMinds if isinstance(stack.template, RecurrentPolicy) else TorchMinds
    return kind(stack, rows, how, lanes)


def loss_gradient(
    actions: Actions,
    outputs: np.ndarray,
    values: np.ndarray,
    done: np.ndarray,
    returns: np.ndarray,
    shares: np.ndarray,
    costs: np.ndarray,
    log_std: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return the gradient of each life's loss (see `popagents.a2c`) by what its network gave.

    Args:
        actions: the action space.
        outputs: float32, (lives, steps, n_outputs).
        values: float32, (lives, steps).
        done: (lives, steps, ...), actions.
        returns: float32, (lives, steps), R_t.
        shares: (lives, steps), each step's share of the mean; 0 behind its end.
        costs: float32, (2, lives), value costs and entropy costs.
        log_std: float32, (lives, 1, n_outputs), for a Box.

    Returns:
        By the outputs, by the values, and by `log_std` (lives, n_outputs) for a Box.
    """
    shares = shares.astype(np.float32)
    advantages = returns - values
    entropy_cost = (costs[1][:, None] * shares)[:, :, None]
    error, spread = actions.gradient(outputs, done, log_std)
    weights = (advantages * shares)[:, :, None]
    d_values = -2 * costs[0][:, None] * shares * advantages
    if spread is not None:
        return error * weights, d_values, (spread * weights - entropy_cost).sum(axis=1)
    return error * weights - entropy_cost * entropy_slope(actions, outputs), d_values, None


def entropy_slope(actions: Actions, outputs: np.ndarray) -> np.ndarray:
    """Return the gradient of the entropy by logits (..., n_outputs): -p (log p + H), for each component."""
    slopes = []
    for logits in np.split(outputs, np.cumsum(actions.sizes)[:-1], axis=-1):
        logs = logits - logits.max(axis=-1, keepdims=True)
        logs = logs - np.log(np.exp(logs).sum(axis=-1, keepdims=True))
        p = np.exp(logs)
        slopes.append(p * ((p * logs).sum(axis=-1, keepdims=True) - logs))
    return slopes[0] if len(slopes) == 1 else np.concatenate(slopes, axis=-1)
