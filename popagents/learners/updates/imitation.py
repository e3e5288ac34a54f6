"""Imitation: members maximise the likelihood of what their teachers did, by minibatches and Adam.

`imitate` chooses between two forms that give the same weights up to rounding. `linear` is compiled, for a single
linear layer and discrete actions; it passes over the zeros of the observations. `stacked` serves every policy, all
pupils of a stack at once; its gradients come from `dense` where the network is dense layers, from autograd otherwise.

Source of the optimiser: D. Kingma and J. Ba (2015), "Adam: a method for stochastic optimization", arXiv:1412.6980.
"""

import numpy as np
import torch
from gymnasium import spaces

from popagents.common.randomness import shuffles
from popagents.learners.updates.adam import Adam, adam_rows
from popagents.learners.updates.linear_imitation import Pairs, linear
from popagents.networks.dense import Parameters, forward
from popagents.networks.dense import backward as backpropagate
from popagents.population.policies import call
from popagents.population.population import Stack


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
        outputs = call(stack.actor, own, x)
        logs = stack.actions.log_likelihood(outputs, torch.from_numpy(done), own.get("log_std"))
        gradients = torch.autograd.grad(-(logs * torch.from_numpy(share)).sum(), list(own.values()))
        for name, gradient in zip(own, gradients, strict=True):
            found[name][i] = gradient.numpy()
    return found
