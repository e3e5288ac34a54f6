"""Imitation by a single linear layer with discrete actions, compiled: it passes over the zeros of the observations.

The same updates as `imitation.stacked`, up to rounding, and some ten times faster on boards that are mostly
empty.
"""

import numpy as np

from popagents.common.compiling import njit
from popagents.common.parameters import Parameters
from popagents.learners.updates.adam import Adam, adam_step
from popagents.networks.sparse import nonzeros
from popagents.population.design import Design

Pairs = tuple[np.ndarray, np.ndarray]  # observations (pairs, *shape) and actions (pairs, ...)


def linear(
    design: Design,
    parameters: Parameters,
    adam: Adam,
    rows: np.ndarray,
    lessons: list[Pairs],
    orders: list[np.ndarray],
    learning_rate: float,
    batch_size: int,
) -> None:
    """Change `parameters` and `adam` in place; a single linear layer and discrete actions.

    `orders` holds the order of each pupil's pairs in every epoch: int64, (epochs, pairs).
    """
    weight, bias, _ = design.layers[0]  # type: ignore[index]
    for row, (observations, actions), order in zip(rows, lessons, orders, strict=True):
        adam.steps[row] = learn_linear(
            parameters[weight][row],
            parameters[bias][row],
            adam.first[weight][row],
            adam.first[bias][row],
            adam.second[weight][row],
            adam.second[bias][row],
            adam.steps[row],
            np.ascontiguousarray(design.flat(observations)),  # rows of a record lie far apart
            actions,
            order,
            batch_size,
            learning_rate,
        )


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
