"""Imitation: members maximise the likelihood of what their teachers did, by minibatches and Adam.

`imitate` chooses between two forms that give the same weights up to rounding. `linear` is compiled, for a single
linear layer and discrete actions; it passes over the zeros of the observations. `stacked` serves every policy, all
pupils of a stack at once; its gradients come from `dense` where the network is dense layers, from autograd otherwise.

Source of the optimiser: D. Kingma and J. Ba (2015), "Adam: a method for stochastic optimization", arXiv:1412.6980.
"""

from dataclasses import dataclass

import numpy as np
import torch
from gymnasium import spaces
from numba import njit
from torch.func import functional_call

from popagents.dense import Parameters, forward
from popagents.dense import backward as backpropagate
from popagents.population import Stack
from popagents.randomness import shuffles

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
Pairs = tuple[np.ndarray, np.ndarray]  # observations (pairs, *shape) and actions (pairs, ...)


@dataclass
class Adam:
    """Adam's memory for every member of a stack.

    Attributes:
        first, second: running means of gradients and of their squares, shaped like the stack's parameters.
        steps: int64, (members,), updates that each member has made.
    """

    first: Parameters
    second: Parameters
    steps: np.ndarray

    @classmethod
    def blank(cls, stack: Stack) -> "Adam":
        """Make the memory of members that have never learned."""
        first, second = ({k: np.zeros_like(v) for k, v in stack.parameters.items()} for _ in range(2))
        return cls(first, second, np.zeros(stack.size, np.int64))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything under one name each, for saving."""
        first = {f"first/{k}": v for k, v in self.first.items()}
        return first | {f"second/{k}": v for k, v in self.second.items()} | {"steps": self.steps}

    def set_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Take back what `arrays` returned."""
        self.first = {k: arrays[f"first/{k}"] for k in self.first}
        self.second = {k: arrays[f"second/{k}"] for k in self.second}
        self.steps = arrays["steps"]


def imitate(
    stack: Stack,
    adam: Adam,
    rows: np.ndarray,
    lessons: list[Pairs],
    shuffle_keys: np.ndarray,
    learning_rate: float,
    n_epochs: int,
    batch_size: int,
) -> tuple[Parameters, Adam]:
    """Let some members of a stack learn, each from its own lesson.

    Args:
        stack: the members.
        adam: their optimisers' memory.
        rows: int64, (pupils,), who learns; nobody twice.
        lessons: one a pupil.
        shuffle_keys: uint64, (pupils,): the order of a pupil's pairs is a function of its key.
        learning_rate: step size.
        n_epochs: passes over each lesson.
        batch_size: pairs per update; the last batch of an epoch may be smaller.

    Returns:
        The stack's new parameters and memory; `stack` and `adam` stay as they are, so that an interrupt loses nothing.
    """
    parameters = {k: v.copy() for k, v in stack.parameters.items()}
    state = Adam(
        {k: v.copy() for k, v in adam.first.items()}, {k: v.copy() for k, v in adam.second.items()}, adam.steps.copy()
    )
    if len(rows):
        learn = linear if is_linear(stack) else stacked
        learn(stack, parameters, state, rows, lessons, shuffle_keys, learning_rate, n_epochs, batch_size)
    return parameters, state


def is_linear(stack: Stack) -> bool:
    """Tell whether the compiled form serves a stack."""
    return isinstance(stack.actions.space, spaces.Discrete) and stack.layers is not None and len(stack.layers) == 1


def linear(
    stack: Stack,
    parameters: Parameters,
    state: Adam,
    rows: np.ndarray,
    lessons: list[Pairs],
    shuffle_keys: np.ndarray,
    learning_rate: float,
    n_epochs: int,
    batch_size: int,
) -> None:
    """Change `parameters` and `state` in place; a single linear layer and discrete actions."""
    weight, bias, _ = stack.layers[0]  # type: ignore[index]
    for row, (observations, actions), key in zip(rows, lessons, shuffle_keys, strict=True):
        order = shuffles(key, len(actions), n_epochs)
        state.steps[row] = learn_linear(
            parameters[weight][row],
            parameters[bias][row],
            state.first[weight][row],
            state.first[bias][row],
            state.second[weight][row],
            state.second[bias][row],
            state.steps[row],
            stack.flat(observations),
            actions,
            order,
            batch_size,
            learning_rate,
        )


@njit(cache=True)
def nonzeros(observations: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """List the cells that are not zero: where each observation's begin, their cells, their values."""
    begin = np.empty(len(observations) + 1, np.int64)
    count = 0
    for i in range(len(observations)):
        begin[i] = count
        for cell in range(observations.shape[1]):
            count += observations[i, cell] != 0
    begin[len(observations)] = count
    cells, values = np.empty(count, np.int64), np.empty(count, np.float32)
    k = 0
    for i in range(len(observations)):
        for cell in range(observations.shape[1]):
            if observations[i, cell] != 0:
                cells[k], values[k] = cell, observations[i, cell]
                k += 1
    return begin, cells, values


@njit(cache=True, error_model="numpy")  # a division that may raise is not vectorised
def softmax(logits: np.ndarray) -> None:
    """Turn logits into probabilities, in place."""
    top = logits.max()
    total = np.float32(0)
    for a in range(len(logits)):
        logits[a] = np.exp(logits[a] - top)
        total += logits[a]
    for a in range(len(logits)):
        logits[a] /= total


@njit(cache=True, error_model="numpy")
def adam_step(weight, gradient, first, second, learning_rate, steps):  # type: ignore[no-untyped-def]
    """Update flat arrays in place by update number `steps` (1 the first) of Adam; leave the gradient zero."""
    rate = np.float32(learning_rate / (1 - BETA1**steps))
    root = np.float32(1 / np.sqrt(1 - BETA2**steps))
    b1, b2, epsilon = np.float32(BETA1), np.float32(BETA2), np.float32(EPSILON)
    one = np.float32(1)
    for i in range(len(weight)):
        g = gradient[i]
        first[i] = b1 * first[i] + (one - b1) * g
        second[i] = b2 * second[i] + (one - b2) * g * g
        weight[i] -= rate * first[i] / (np.sqrt(second[i]) * root + epsilon)
        gradient[i] = 0


@njit(cache=True, error_model="numpy")
def learn_linear(  # type: ignore[no-untyped-def]
    weight, bias, first_w, first_b, second_w, second_b, steps, observations, actions, order, batch_size, learning_rate
):
    """Learn one lesson: weight (outputs, inputs), bias (outputs,) and Adam's memory change; return the step count."""
    begin, cells, values = nonzeros(observations)
    w, m, v = inputs_first(weight), inputs_first(first_w), inputs_first(second_w)
    g_weight, g_bias, error = np.zeros_like(w), np.zeros_like(bias), np.empty_like(bias)
    for epoch in range(len(order)):
        for start in range(0, len(actions), batch_size):
            end = min(start + batch_size, len(actions))
            for i in range(start, end):
                pair = order[epoch, i]
                first, last = begin[pair], begin[pair + 1]
                logits_of(w, bias, cells, values, first, last, error)
                softmax(error)
                error[actions[pair]] -= 1  # the gradient of minus log-likelihood by the logits
                backward(error, end - start, cells, values, first, last, g_weight, g_bias)
            steps += 1
            adam_step(w, g_weight, m, v, learning_rate, steps)
            adam_step(bias, g_bias, first_b, second_b, learning_rate, steps)
    put_back(w, weight)
    put_back(m, first_w)
    put_back(v, second_w)
    return steps


@njit(cache=True)
def inputs_first(matrix: np.ndarray) -> np.ndarray:
    """Copy (outputs, inputs) as one row, input by input: what one input touches then lies together."""
    n_outputs, n_inputs = matrix.shape
    row = np.empty(n_inputs * n_outputs, np.float32)
    for i in range(n_inputs):
        for a in range(n_outputs):
            row[i * n_outputs + a] = matrix[a, i]
    return row


@njit(cache=True)
def put_back(row: np.ndarray, matrix: np.ndarray) -> None:
    """Undo `inputs_first`, into `matrix`."""
    n_outputs, n_inputs = matrix.shape
    for i in range(n_inputs):
        for a in range(n_outputs):
            matrix[a, i] = row[i * n_outputs + a]


@njit(cache=True)
def logits_of(weight, bias, cells, values, first, last, out):  # type: ignore[no-untyped-def]
    """Write the logits (outputs,) for one observation, by its cells that are not zero: first to last - 1."""
    n = len(bias)
    for a in range(n):
        out[a] = bias[a]
    for k in range(first, last):
        for a in range(n):
            out[a] += values[k] * weight[cells[k] * n + a]


@njit(cache=True, error_model="numpy")
def backward(error, pairs, cells, values, first, last, g_weight, g_bias):  # type: ignore[no-untyped-def]
    """Add one pair's share of the gradient of a mean over `pairs`, for the error (outputs,) at its logits."""
    n = len(error)
    for a in range(n):
        error[a] /= np.float32(pairs)
        g_bias[a] += error[a]
    for k in range(first, last):
        for a in range(n):
            g_weight[cells[k] * n + a] += values[k] * error[a]


def stacked(
    stack: Stack,
    parameters: Parameters,
    state: Adam,
    rows: np.ndarray,
    lessons: list[Pairs],
    shuffle_keys: np.ndarray,
    learning_rate: float,
    n_epochs: int,
    batch_size: int,
) -> None:
    """Change `parameters` and `state` in place; any policy, all pupils at once, each with its own minibatches."""
    gradients = torch_gradients if stack.layers is None else dense_gradients
    plans = [
        minibatches(shuffles(key, len(actions), n_epochs), batch_size)
        for key, (_, actions) in zip(shuffle_keys, lessons, strict=True)
    ]
    for update in range(max(map(len, plans))):
        pupils = [i for i, plan in enumerate(plans) if update < len(plan)]
        who = rows[pupils]
        batch = gathered(stack, [lessons[i] for i in pupils], [plans[i][update] for i in pupils], batch_size)
        weights = {name: values[who] for name, values in parameters.items()}
        state.steps[who] += 1
        for name, gradient in gradients(stack, weights, *batch).items():
            adam_rows(
                parameters[name].reshape(stack.size, -1),
                gradient.reshape(len(who), -1),
                state.first[name].reshape(stack.size, -1),
                state.second[name].reshape(stack.size, -1),
                who,
                learning_rate,
                state.steps,
            )


def minibatches(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Cut each epoch's order (epochs, pairs) into minibatches."""
    return [epoch[start : start + batch_size] for epoch in order for start in range(0, len(epoch), batch_size)]


def gathered(
    stack: Stack, lessons: list[Pairs], batches: list[np.ndarray], batch_size: int
) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
    """Stack the pupils' minibatches.

    Returns:
        Prepared observations (pupils, batch, ...); actions (pupils, batch, ...); each pair's share of its minibatch's
        mean, float32, (pupils, batch): short minibatches are filled up with copies whose share is 0.
    """
    filled = [np.resize(batch, batch_size) for batch in batches]
    observations = np.concatenate([lesson[0][batch] for lesson, batch in zip(lessons, filled, strict=True)])
    actions = np.stack([lesson[1][batch] for lesson, batch in zip(lessons, filled, strict=True)])
    shares = np.stack([(np.arange(batch_size) < len(batch)) / len(batch) for batch in batches]).astype(np.float32)
    prepared = stack.actor.prepare(observations)
    return prepared.reshape(len(lessons), batch_size, *prepared.shape[1:]), actions, shares


def dense_gradients(
    stack: Stack, parameters: Parameters, prepared: torch.Tensor, actions: np.ndarray, shares: np.ndarray
) -> Parameters:
    """Return the gradients (pupils, *shape) of each pupil's loss, for a network of dense layers."""
    layers = stack.layers or []
    values = forward(layers, parameters, prepared.flatten(2).numpy())
    log_std = parameters["log_std"][:, None, :] if "log_std" in parameters else None
    error, spread = stack.actions.gradient(values[-1], actions, log_std)
    gradients = backpropagate(layers, parameters, values, error * shares[:, :, None])
    if spread is not None:
        gradients["log_std"] = (spread * shares[:, :, None]).sum(axis=1)
    return gradients


def torch_gradients(
    stack: Stack, parameters: Parameters, prepared: torch.Tensor, actions: np.ndarray, shares: np.ndarray
) -> Parameters:
    """Return the gradients (pupils, *shape) of each pupil's loss, for any policy; pupil by pupil, as `Stack` acts."""
    found = {name: np.empty_like(values) for name, values in parameters.items()}
    for i, (x, done, share) in enumerate(zip(prepared, actions, shares, strict=True)):
        own = {name: torch.from_numpy(values[i]).requires_grad_() for name, values in parameters.items()}
        outputs = functional_call(stack.actor, {f"policy.{name}": values for name, values in own.items()}, (x,))
        logs = stack.actions.log_likelihood(outputs, torch.from_numpy(done), own.get("log_std"))
        gradients = torch.autograd.grad(-(logs * torch.from_numpy(share)).sum(), list(own.values()))
        for name, gradient in zip(own, gradients, strict=True):
            found[name][i] = gradient.numpy()
    return found


@njit(cache=True)
def adam_rows(  # type: ignore[no-untyped-def]
    weights, gradients, first, second, rows, learning_rate, steps
):
    """Update some members' rows of one parameter (members, n) in place, each at its own step count."""
    for i in range(len(rows)):
        row = rows[i]
        adam_step(weights[row], gradients[i], first[row], second[row], learning_rate, steps[row])
