"""An LSTM between linear layers, compiled: many small networks, each with weights of its own, one step at a time.

The network is that of `RecurrentPolicy`. All that multiplies one vector lies in one matrix, (inputs, outputs), and
biases are the weights of inputs that are always 1: three matrices a network, and few loops, all over numbers that lie
together in memory. One core then trains some 50 networks of 20 units as fast as memory lets it.
"""

from typing import NamedTuple

import numpy as np

from popagents.common.compiling import njit
from popagents.common.parameters import Parameters
from popagents.networks.kernels import FAST, ONE, add_outer, add_product, add_scaled, dot, product, sigmoid, tanh

DECAY, EPSILON = 0.99, 1e-5  # RMSprop's
DEPTH = 16  # steps for which a tape has room at first


class Weights(NamedTuple):
    """Rows of weights, float32 (n features, e embedding, u units, a outputs); or of gradients, or of their squares."""

    embedding: np.ndarray  # (rows, n + 1, e): of the features, the bias
    cell: np.ndarray  # (rows, e + 2 + u, 4u): of the embedding, two biases, of h before; gates: i, f, g, o
    heads: np.ndarray  # (rows, a + 1, 1 + u): the actor's outputs and the critic's; the bias, of h

    @classmethod
    def of(cls, parameters: Parameters) -> "Weights":
        """Copy a policy's parameters, (rows, *shape) by name."""

        def side_by_side(*names: str) -> np.ndarray:
            """Return matrices (rows, outputs, inputs) and biases as one matrix."""
            parts = [parameters[name] for name in names]
            return np.concatenate([part if part.ndim == 3 else part[:, :, None] for part in parts], axis=2)

        cell = [f"policy_net.cell.{name}" for name in ("weight_ih", "bias_ih", "bias_hh", "weight_hh")]
        return cls(
            side_by_side("policy_net.embedding.weight", "policy_net.embedding.bias").swapaxes(1, 2).copy(),
            side_by_side(*cell).swapaxes(1, 2).copy(),
            np.concatenate(
                [side_by_side(f"{net}.bias", f"{net}.weight") for net in ("action_net", "value_net")], axis=1
            ),
        )

    def parameters(self) -> Parameters:
        """Return the policy's parameters by name."""
        embedding, cell = self.embedding.swapaxes(1, 2), self.cell.swapaxes(1, 2)
        e = embedding.shape[1]
        views = {
            "policy_net.embedding.weight": embedding[:, :, :-1],
            "policy_net.embedding.bias": embedding[:, :, -1],
            "policy_net.cell.weight_ih": cell[:, :, :e],
            "policy_net.cell.bias_ih": cell[:, :, e],
            "policy_net.cell.bias_hh": cell[:, :, e + 1],
            "policy_net.cell.weight_hh": cell[:, :, e + 2 :],
            "action_net.weight": self.heads[:, :-1, 1:],
            "action_net.bias": self.heads[:, :-1, 0],
            "value_net.weight": self.heads[:, -1:, 1:],
            "value_net.bias": self.heads[:, -1:, 0],
        }
        return {name: view.copy() for name, view in views.items()}


class Tape(NamedTuple):
    """What an episode leaves behind for backpropagation, float32, for every life and step."""

    features: np.ndarray  # (lives, steps, n + 1), the network's, 1
    inputs: np.ndarray  # (lives, steps + 1, e + 2 + u), the cell's: the embedding, 1, 1, the hidden state h before
    c: np.ndarray  # (lives, steps + 1, u), the cell state before each step
    gates: np.ndarray  # (lives, steps, 4u), after their sigmoids and tanh
    tanh_c: np.ndarray  # (lives, steps, u), tanh of the cell state after the step
    outputs: np.ndarray  # (lives, steps, a + 1), the actor's, and the value

    @classmethod
    def blank(cls, weights: Weights, lives: int, steps: int) -> "Tape":
        """Make room for episodes of some steps, with h and c of 0."""
        features, e = weights.embedding.shape[1:]
        inputs, gates = weights.cell.shape[1:]
        u, outputs = gates // 4, weights.heads.shape[1]
        rooms = [(steps, features), (steps + 1, inputs), (steps + 1, u), (steps, gates), (steps, u), (steps, outputs)]
        tape = cls(*(np.zeros((lives, *room), np.float32) for room in rooms))
        tape.features[:, :, -1] = tape.inputs[:, :, e : e + 2] = 1
        return tape

    def longer(self, weights: Weights) -> "Tape":
        """Return a tape of twice the steps, with what stands on this one."""
        longer = Tape.blank(weights, len(self.outputs), 2 * self.outputs.shape[1])
        for old, new in zip(self, longer, strict=True):
            new[:, : old.shape[1]] = old
        return longer


@njit(cache=True, fastmath=FAST, error_model="numpy")
def forward(who, features, w, tape, steps, lives_each):  # type: ignore[no-untyped-def]
    """Play one step.

    Args:
        who: int64, (k,), the lives that play; nobody twice.
        features: float32, (k, n), of what each sees.
        w: `Weights`.
        tape: `Tape`; what happens in step `steps[life]` is written there.
        steps: int64, (lives,), steps that each life has played in this episode; one more afterwards.
        lives_each: lives that share weights: life i has those of row i // lives_each.

    Returns:
        float32, (k, a), outputs.
    """
    n, e, a = features.shape[1], w.embedding.shape[2], w.heads.shape[1] - 1
    out = np.empty((len(who), a), np.float32)
    for row in range(len(who)):
        life = who[row]
        own, t = life // lives_each, steps[life]
        steps[life] += 1
        x, gates, outputs = tape.inputs[life, t], tape.gates[life, t], tape.outputs[life, t]
        x[:e] = w.embedding[own, n]
        for i in range(n):
            tape.features[life, t, i] = features[row, i]
            if features[row, i] != 0:
                add_scaled(x[:e], features[row, i], w.embedding[own, i])
        known = len(x) if t > 0 else e + 2  # h is 0 before the first step
        gates[:] = 0
        add_product(gates, x[:known], w.cell[own])
        after = tape.inputs[life, t + 1, e + 1 :]  # 1, h
        cell_forward(gates, tape.c[life, t], tape.c[life, t + 1], tape.tanh_c[life, t], after[1:])
        for j in range(a + 1):
            outputs[j] = dot(w.heads[own, j], after)
        out[row] = outputs[:a]
    return out


@njit(cache=True, fastmath=FAST, error_model="numpy")
def cell_forward(gates, c, c_after, tanh_c, h_after):  # type: ignore[no-untyped-def]
    """Put the gates (4u,) through their sigmoids and tanh in place; write the cell state and h after the step."""
    u = len(c)
    for j in range(2 * u):
        gates[j] = sigmoid(gates[j])
    for j in range(2 * u, 3 * u):
        gates[j] = tanh(gates[j])
    for j in range(3 * u, 4 * u):
        gates[j] = sigmoid(gates[j])
    for j in range(u):
        c_after[j] = gates[u + j] * c[j] + gates[j] * gates[2 * u + j]
        tanh_c[j] = tanh(c_after[j])
        h_after[j] = gates[3 * u + j] * tanh_c[j]


@njit(cache=True, fastmath=FAST, error_model="numpy")
def backward(life, own, steps, d_outputs, w, tape, g):  # type: ignore[no-untyped-def]
    """Backpropagate through one life's episode.

    Args:
        life: whose.
        own: the row of its weights.
        steps: how many.
        d_outputs: float32, (steps, a + 1), the gradient of the loss by the actor's outputs and the value.
        w: `Weights` of all lives.
        tape: what `forward` left.
        g: `Weights` of one life, zeros; gradients are added.
    """
    e, u = w.embedding.shape[2], w.heads.shape[2] - 1
    inputs = tape.inputs[life]
    d_inputs, d_c = np.zeros(inputs.shape[1], np.float32), np.zeros(u, np.float32)
    d_gates = np.empty((steps, 4 * u), np.float32)
    for t in range(steps - 1, -1, -1):
        add_product(d_inputs[e + 1 :], d_outputs[t], w.heads[own])
        cell_backward(tape.gates[life, t], tape.c[life, t], tape.tanh_c[life, t], d_inputs[e + 2 :], d_c, d_gates[t])
        product(w.cell[own], d_gates[t], d_inputs)
        for i in range(tape.features.shape[2]):
            if tape.features[life, t, i] != 0:
                add_scaled(g.embedding[0, i], tape.features[life, t, i], d_inputs[:e])
    add_outer(g.heads[0], d_outputs[:steps], inputs[1 : steps + 1, e + 1 :])
    add_outer(g.cell[0], inputs[:steps], d_gates)


@njit(cache=True, fastmath=FAST, error_model="numpy")
def cell_backward(gates, c, tanh_c, d_h, d_c, d_gates):  # type: ignore[no-untyped-def]
    """Write the gradient by the gates' inputs (4u,), and turn that by the cell state into the step before's."""
    u = len(c)
    for j in range(u):
        i, f, g, o = gates[j], gates[u + j], gates[2 * u + j], gates[3 * u + j]
        d = d_c[j] + d_h[j] * o * (ONE - tanh_c[j] * tanh_c[j])
        d_gates[j] = d * g * i * (ONE - i)
        d_gates[u + j] = d * c[j] * f * (ONE - f)
        d_gates[2 * u + j] = d * i * (ONE - g * g)
        d_gates[3 * u + j] = d_h[j] * tanh_c[j] * o * (ONE - o)
        d_c[j] = d * f


@njit(cache=True, fastmath=FAST, error_model="numpy")
def rmsprop(weights, gradients, squares, rate):  # type: ignore[no-untyped-def]
    """Update one life's parameter in place (flat), and leave the gradients zero."""
    decay, epsilon = np.float32(DECAY), np.float32(EPSILON)
    for i in range(len(weights)):
        squares[i] = decay * squares[i] + (ONE - decay) * gradients[i] * gradients[i]
        weights[i] -= rate * gradients[i] / (np.sqrt(squares[i]) + epsilon)
        gradients[i] = 0


@njit(cache=True, fastmath=FAST, error_model="numpy")
def descend(steps, d_outputs, w, tape, g, squares, rates):  # type: ignore[no-untyped-def]
    """Move all weights by one step of RMSprop.

    Args:
        steps: int64, (lives,), how many each has played.
        d_outputs: float32, (lives, longest, a + 1), the gradient of each life's loss by outputs and value.
        w: `Weights`; they change.
        tape: what `forward` left.
        g: `Weights` of one life, zeros; to compute with.
        squares: `Weights`, running means of the gradients' squares; they change.
        rates: float32, (rows of weights,), learning rates; lives share weights evenly.
    """
    lives_each = len(steps) // len(rates)
    for own in range(len(rates)):
        for life in range(own * lives_each, (own + 1) * lives_each):
            backward(life, own, steps[life], d_outputs[life], w, tape, g)
        rmsprop(w.embedding[own].ravel(), g.embedding.ravel(), squares.embedding[own].ravel(), rates[own])
        rmsprop(w.cell[own].ravel(), g.cell.ravel(), squares.cell[own].ravel(), rates[own])
        rmsprop(w.heads[own].ravel(), g.heads.ravel(), squares.heads[own].ravel(), rates[own])
