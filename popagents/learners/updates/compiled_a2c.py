"""Advantage actor-critic for `RecurrentPolicy`, compiled: the same steps as `TorchLearners` up to rounding.

The gradient of the loss by the network's outputs is NumPy's, for all lives and steps at once; the way back through the
LSTM, and RMSprop, are `popagents.networks.lstm`'s, life by life, while a life's weights lie in the processor's cache.
"""

import numpy as np
import torch
from stable_baselines3.common.torch_layers import FlattenExtractor

from popagents.common.compiling import njit
from popagents.common.parameters import Parameters
from popagents.learners.updates.a2c import Hyperparameters, Learners, TorchLearners
from popagents.networks import lstm
from popagents.networks.lstm import DEPTH, Tape, Weights
from popagents.population.actions import Actions
from popagents.population.design import Design
from popagents.population.preparing import parted
from popagents.population.recurrent import RecurrentPolicy


class CompiledLearners(Learners):
    """The networks of many lives of a `RecurrentPolicy`; see `Learners`."""

    def __init__(
        self,
        design: Design,
        parameters: Parameters,
        rows: np.ndarray,
        hyperparameters: Hyperparameters,
        lives_each: int = 1,
    ) -> None:
        super().__init__(design, parameters, rows, hyperparameters, lives_each)
        own = {name: values[rows] for name, values in parameters.items()}
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
        return None if self.log_std is None else self.log_std[who // self.lives_each]

    def _step(self, who: np.ndarray, observations: np.ndarray) -> np.ndarray:
        return lstm.forward(who, self._features(observations), self.weights, self.tape, self.steps, self.lives_each)

    def _features(self, observations: np.ndarray) -> np.ndarray:
        """Return what the policy's features extractor makes of observations: float32, (k, n)."""
        extractor = self.design.template.features_extractor
        if type(extractor) is FlattenExtractor:
            return np.ascontiguousarray(self.design.flat(observations), np.float32)
        with torch.no_grad():
            return extractor(parted(self.design.template, self.design.actor.prepare(observations))).numpy()

    def _make_room(self) -> None:
        super()._make_room()
        self.tape = self.tape.longer(self.weights)

    def _descend(self, taken: np.ndarray, returns: np.ndarray, shares: np.ndarray) -> None:
        spread = self._log_std(np.arange(len(self.steps)))
        spread = None if spread is None else spread[:, None, :]
        outputs = self.tape.outputs[:, : taken.shape[1]]
        d_outputs, d_spread = loss_gradient(self.actions, outputs, taken, returns, shares, self.costs, spread)
        networks = (self.weights, self.tape, self.gradient, self.squares)
        lstm.descend(self.steps, d_outputs, *networks, self.hyperparameters.learning_rate)
        if self.log_std is not None:
            d_own = d_spread.reshape(len(self.log_std), self.lives_each, -1).sum(axis=1)  # type: ignore[union-attr]
            for row, rate in enumerate(self.hyperparameters.learning_rate):
                lstm.rmsprop(self.log_std[row], d_own[row], self._log_std_squares[row], rate)  # type: ignore[index]


def make_learners(
    design: Design, parameters: Parameters, rows: np.ndarray, hyperparameters: Hyperparameters, lives_each: int = 1
) -> Learners:
    """Return learners born as some members (see `Learners`): compiled for recurrent policies, PyTorch's elsewhere."""
    kind = CompiledLearners if isinstance(design.template, RecurrentPolicy) else TorchLearners
    return kind(design, parameters, rows, hyperparameters, lives_each)


def loss_gradient(
    actions: Actions,
    outputs: np.ndarray,
    taken: np.ndarray,
    returns: np.ndarray,
    shares: np.ndarray,
    costs: np.ndarray,
    log_std: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the gradient of each life's loss (see `popagents.learners.updates.a2c`) by its network's outputs.

    Args:
        actions: the action space.
        outputs: float32, (lives, steps, n_outputs + 1), the actor's, and the value.
        taken: (lives, steps, ...), actions.
        returns: float32, (lives, steps), R_t.
        shares: (lives, steps), each step's share of the mean; 0 behind its end.
        costs: float32, (2, lives), value costs and entropy costs.
        log_std: float32, (lives, 1, n_outputs), for a Box.

    Returns:
        By the outputs, and by `log_std` (lives, n_outputs) for a Box.
    """
    if log_std is None:
        chosen, sizes = taken.reshape(*returns.shape, len(actions.sizes)), np.array(actions.sizes)
        bits = sizes.sum() > actions.n_outputs  # whose second logit is a constant
        logits = np.dstack([actions.logits(outputs[:, :, :-1]), outputs[:, :, -1:]]) if bits else outputs
        by_logits = logits_gradient(logits, chosen, returns, shares, costs, sizes)
        return np.dstack([actions.by_outputs(by_logits[:, :, :-1]), by_logits[:, :, -1:]]) if bits else by_logits, None
    shares = shares.astype(np.float32)
    means, advantages = outputs[:, :, :-1], returns - outputs[:, :, -1]
    error, spread = actions.gradient(means, taken, log_std)
    weights = (advantages * shares)[:, :, None]
    d_values = -2 * costs[0][:, None] * shares * advantages
    entropy_cost = (costs[1][:, None] * shares)[:, :, None]
    return np.dstack([error * weights, d_values]), (spread * weights - entropy_cost).sum(axis=1)


@njit(cache=True)
def logits_gradient(
    outputs: np.ndarray,
    chosen: np.ndarray,
    returns: np.ndarray,
    shares: np.ndarray,
    costs: np.ndarray,
    sizes: np.ndarray,
) -> np.ndarray:
    """Do what `loss_gradient` does for discrete actions, whose components `chosen` (lives, steps, components) holds.

    The gradient of the entropy H by a component's logits is -p (log p + H).
    """
    d_outputs, logs = np.empty_like(outputs), np.empty(sizes.max(), np.float32)
    for life in range(returns.shape[0]):
        for t in range(returns.shape[1]):
            share, advantage = np.float32(shares[life, t]), returns[life, t] - outputs[life, t, -1]
            d_outputs[life, t, -1] = -2 * costs[0, life] * share * advantage
            first = 0
            for component, size in enumerate(sizes):
                negative_entropy = log_softmax(outputs[life, t, first : first + size], logs)
                for a in range(size):
                    p = np.exp(logs[a])
                    error = p - np.float32(a == chosen[life, t, component])
                    slope = p * (logs[a] - negative_entropy)
                    d_outputs[life, t, first + a] = share * (error * advantage + costs[1, life] * slope)
                first += size
    return d_outputs


@njit(cache=True)
def log_softmax(logits: np.ndarray, logs: np.ndarray) -> np.float32:
    """Write the logarithms of a softmax to the front of `logs`; return their mean under it, minus its entropy."""
    highest, total, mean = logits.max(), np.float32(0), np.float32(0)
    for a in range(len(logits)):
        total += np.exp(logits[a] - highest)
    for a in range(len(logits)):
        logs[a] = logits[a] - highest - np.log(total)
        mean += np.exp(logs[a]) * logs[a]
    return mean
