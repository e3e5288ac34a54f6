"""Imitation: members maximise the likelihood of what their teachers did, by minibatches and Adam.

`imitate` chooses between two forms that give the same weights up to rounding. `linear` is compiled, for a single
linear layer and discrete actions; it passes over the zeros of the observations. `stacked` serves every policy, all
pupils of a design at once; its gradients come from `dense` where the network is dense layers, from autograd otherwise.

Source of the optimiser: D. Kingma and J. Ba (2015), "Adam: a method for stochastic optimization", arXiv:1412.6980.
"""

import numpy as np
import torch
from gymnasium import spaces

from popagents.common.parameters import Parameters
from popagents.common.randomness import shuffles
from popagents.learners.updates.adam import Adam, adam_rows
from popagents.learners.updates.linear_imitation import Pairs, linear
from popagents.networks.dense import backward as gradients_of
from popagents.networks.dense import forward
from popagents.population.design import Design
from popagents.population.policies import call


def imitate(
    design: Design,
    parameters: Parameters,
    adam: Adam,
    rows: np.ndarray,
    lessons: list[Pairs],
    shuffle_keys: np.ndarray,
    learning_rate: float,
    n_epochs: int,
    batch_size: int,
) -> tuple[Parameters, Adam]:
    """Let some members of a design learn, each from its own lesson.

    Args:
        design: the members'.
        parameters: theirs, (members, *shape) by name.
        adam: their optimisers' memory.
        rows: int64, (pupils,), who learns; nobody twice.
        lessons: one a pupil.
        shuffle_keys: uint64, (pupils,): the order of a pupil's pairs is a function of its key.
        learning_rate: step size.
        n_epochs: passes over each lesson.
        batch_size: pairs per update; the last batch of an epoch may be smaller.

    Returns:
        New parameters and memory; those given stay as they are.
    """
    parameters, adam = {k: v.copy() for k, v in parameters.items()}, adam.copy()
    if len(rows):
        orders = [shuffles(key, len(lesson[1]), n_epochs) for key, lesson in zip(shuffle_keys, lessons, strict=True)]
        learn = linear if is_linear(design) else stacked
        learn(design, parameters, adam, rows, lessons, orders, learning_rate, batch_size)
    return parameters, adam


def is_linear(design: Design) -> bool:
    """Tell whether the compiled form serves a design."""
    return isinstance(design.actions.space, spaces.Discrete) and design.layers is not None and len(design.layers) == 1


def stacked(
    design: Design,
    parameters: Parameters,
    adam: Adam,
    rows: np.ndarray,
    lessons: list[Pairs],
    orders: list[np.ndarray],
    learning_rate: float,
    batch_size: int,
) -> None:
    """Change `parameters` and `adam` in place; any policy, all pupils at once, each with its own minibatches.

    `orders` holds the order of each pupil's pairs in every epoch: int64, (epochs, pairs).
    """
    gradients = torch_gradients if design.layers is None else dense_gradients
    plans = [minibatches(order, batch_size) for order in orders]
    for update in range(max(map(len, plans))):
        pupils = [i for i, plan in enumerate(plans) if update < len(plan)]
        who = rows[pupils]
        batch = gathered(design, [lessons[i] for i in pupils], [plans[i][update] for i in pupils], batch_size)
        weights = {name: values[who] for name, values in parameters.items()}
        adam.steps[who] += 1
        descend(parameters, adam, gradients(design, weights, *batch), who, learning_rate)


def descend(parameters: Parameters, adam: Adam, gradients: Parameters, who: np.ndarray, learning_rate: float) -> None:
    """Let some members (int64, (k,)) step down their gradients, (k, *shape) by name, each at its own step count."""
    for name, gradient in gradients.items():
        size = len(parameters[name])
        adam_rows(
            parameters[name].reshape(size, -1),
            gradient.reshape(len(who), -1),
            adam.first[name].reshape(size, -1),
            adam.second[name].reshape(size, -1),
            who,
            learning_rate,
            adam.steps,
        )


def minibatches(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Cut each epoch's order (epochs, pairs) into minibatches."""
    return [epoch[start : start + batch_size] for epoch in order for start in range(0, len(epoch), batch_size)]


def gathered(
    design: Design, lessons: list[Pairs], batches: list[np.ndarray], batch_size: int
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
    prepared = design.actor.prepare(observations)
    return prepared.reshape(len(lessons), batch_size, *prepared.shape[1:]), actions, shares


def dense_gradients(
    design: Design, parameters: Parameters, prepared: torch.Tensor, actions: np.ndarray, shares: np.ndarray
) -> Parameters:
    """Return the gradients (pupils, *shape) of each pupil's loss, for a network of dense layers."""
    layers = design.layers or []
    values = forward(layers, parameters, prepared.flatten(2).numpy())
    log_std = parameters["log_std"][:, None, :] if "log_std" in parameters else None
    error, spread = design.actions.gradient(values[-1], actions, log_std)
    gradients = gradients_of(layers, parameters, values, error * shares[:, :, None])
    if spread is not None:
        gradients["log_std"] = (spread * shares[:, :, None]).sum(axis=1)
    return gradients


def torch_gradients(
    design: Design, parameters: Parameters, prepared: torch.Tensor, actions: np.ndarray, shares: np.ndarray
) -> Parameters:
    """Return the gradients (pupils, *shape) of each pupil's loss, for any policy; pupil by pupil, as `Stack` acts."""
    found = {name: np.empty_like(values) for name, values in parameters.items()}
    for i, (x, done, share) in enumerate(zip(prepared, actions, shares, strict=True)):
        own = {name: torch.from_numpy(np.asarray(values[i])).requires_grad_() for name, values in parameters.items()}
        outputs = call(design.actor, own, x)
        logs = design.actions.log_likelihood(outputs, torch.from_numpy(done), own.get("log_std"))
        gradients = torch.autograd.grad(-(logs * torch.from_numpy(share)).sum(), list(own.values()))
        for name, gradient in zip(own, gradients, strict=True):
            found[name][i] = gradient.numpy()
    return found
