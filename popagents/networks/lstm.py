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
    """Rows of weights, float32 (n inputs, e embedding, h hidden, a outputs); or of gradients, or of their squares."""

    embedding: np.ndarray  # (rows, n + 1, e): of what is seen, the bias
    cell: np.ndarray  # (rows, e + 2 + h, 4h): of what is embedded, two biases, of what was shown; gates: i, f, c, o
    heads: np.ndarray  # (rows, a + 1, 1 + h): the actor's outputs and the critic's; the bias, of what is shown

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

    seen: np.ndarray  # (lives, steps, n + 1), what is seen, 1
    inputs: np.ndarray  # (lives, steps + 1, e + 2 + h), the cell's: what is embedded, 1, 1, what it showed before
    held: np.ndarray  # (lives, steps + 1, h), before each step: what the cell holds
    gates: np.ndarray  # (lives, steps, 4h), squashed
    squashed: np.ndarray  # (lives, steps, h), tanh of what it holds after the step
    answers: np.ndarray  # (lives, steps, a + 1), outputs and value

    @classmethod
    def blank(cls, weights: Weights, lives: int, steps: int) -> "Tape":
        """Make room for episodes of some steps, with empty memories."""
        seen, e = weights.embedding.shape[1:]
        inputs, gates = weights.cell.shape[1:]
        h, answers = gates // 4, weights.heads.shape[1]
        rooms = [(steps, seen), (steps + 1, inputs), (steps + 1, h), (steps, gates), (steps, h), (steps, answers)]
        tape = cls(*(np.zeros((lives, *room), np.float32) for room in rooms))
        tape.seen[:, :, -1] = tape.inputs[:, :, e : e + 2] = 1
        return tape

    def longer(self, weights: Weights) -> "Tape":
        """Return a tape of twice the steps, with what stands on this one."""
        longer = Tape.blank(weights, len(self.answers), 2 * self.answers.shape[1])
        for old, new in zip(self, longer, strict=True):
            new[:, : old.shape[1]] = old
        return longer


@njit(cache=True, fastmath=FAST, error_model="numpy")
def forward(who, seen, w, tape, steps, lanes):  # type: ignore[no-untyped-def]
    """Play one step.

    Args:
        who: int64, (k,), the lives that play; nobody twice.
        seen: float32, (k, n), what each sees.
        w: `Weights`.
        tape: `Tape`; what happens in step `steps[life]` is written there.
        steps: int64, (lives,), steps that each life has played in this episode; one more afterwards.
        lanes: lives that share weights: life i has those of row i // lanes.

    Returns:
        float32, (k, a), outputs.
    """
    n, e, a = seen.shape[1], w.embedding.shape[2], w.heads.shape[1] - 1
    out = np.empty((len(who), a), np.float32)
    for row in range(len(who)):
        life = who[row]
        own, t = life // lanes, steps[life]
        steps[life] += 1
        x, gates, answers = tape.inputs[life, t], tape.gates[life, t], tape.answers[life, t]
        x[:e] = w.embedding[own, n]
        for i in range(n):
            tape.seen[life, t, i] = seen[row, i]
            if seen[row, i] != 0:
                add_scaled(x[:e], seen[row, i], w.embedding[own, i])
        known = len(x) if t > 0 else e + 2  # nothing was shown before the first step
        gates[:] = 0
        add_product(gates, x[:known], w.cell[own])
        after = tape.inputs[life, t + 1, e + 1 :]  # 1, what is shown
        squash(gates, tape.held[life, t], tape.held[life, t + 1], tape.squashed[life, t], after[1:])
        for j in range(a + 1):
            answers[j] = dot(w.heads[own, j], after)
        out[row] = answers[:a]
    return out


@njit(cache=True, fastmath=FAST, error_model="numpy")
def squash(gates, held, held_after, squashed, shown_after):  # type: ignore[no-untyped-def]
    """Squash the gates (4h,) in place, and move the memory on."""
    h = len(held)
    for j in range(2 * h):
        gates[j] = sigmoid(gates[j])
    for j in range(2 * h, 3 * h):
        gates[j] = tanh(gates[j])
    for j in range(3 * h, 4 * h):
        gates[j] = sigmoid(gates[j])
    for j in range(h):
        held_after[j] = gates[h + j] * held[j] + gates[j] * gates[2 * h + j]
        squashed[j] = tanh(held_after[j])
        shown_after[j] = gates[3 * h + j] * squashed[j]


@njit(cache=True, fastmath=FAST, error_model="numpy")
def backward(life, own, steps, d_answers, w, tape, g):  # type: ignore[no-untyped-def]
    """Backpropagate through one life's episode.

    Args:
        life: whose.
        own: the row of its weights.
        steps: how many.
        d_answers: float32, (steps, a + 1), the gradient of the loss by outputs and value.
        w: `Weights` of all lives.
        tape: what `forward` left.
        g: `Weights` of one life, zeros; gradients are added.
    """
    e, h = w.embedding.shape[2], w.heads.shape[2] - 1
    inputs = tape.inputs[life]
    d_inputs, d_held = np.zeros(inputs.shape[1], np.float32), np.zeros(h, np.float32)
    d_gates = np.empty((steps, 4 * h), np.float32)
    for t in range(steps - 1, -1, -1):
        add_product(d_inputs[e + 1 :], d_answers[t], w.heads[own])
        through_gates(
            tape.gates[life, t], tape.held[life, t], tape.squashed[life, t], d_inputs[e + 2 :], d_held, d_gates[t]
        )
        product(w.cell[own], d_gates[t], d_inputs)
        for i in range(tape.seen.shape[2]):
            if tape.seen[life, t, i] != 0:
                add_scaled(g.embedding[0, i], tape.seen[life, t, i], d_inputs[:e])
    add_outer(g.heads[0], d_answers[:steps], inputs[1 : steps + 1, e + 1 :])
    add_outer(g.cell[0], inputs[:steps], d_gates)


@njit(cache=True, fastmath=FAST, error_model="numpy")
def through_gates(gates, held, squashed, d_shown, d_held, d_gates):  # type: ignore[no-untyped-def]
    """Write the gradient by the gates before squashing (4h,), and turn that by what is held into the step before's."""
    h = len(held)
    for j in range(h):
        i, f, c, o = gates[j], gates[h + j], gates[2 * h + j], gates[3 * h + j]
        d = d_held[j] + d_shown[j] * o * (ONE - squashed[j] * squashed[j])
        d_gates[j] = d * c * i * (ONE - i)
        d_gates[h + j] = d * held[j] * f * (ONE - f)
        d_gates[2 * h + j] = d * i * (ONE - c * c)
        d_gates[3 * h + j] = d_shown[j] * squashed[j] * o * (ONE - o)
        d_held[j] = d * f


@njit(cache=True, fastmath=FAST, error_model="numpy")
def rmsprop(weights, gradients, squares, rate):  # type: ignore[no-untyped-def]
    """Update one life's parameter in place (flat), and leave the gradients zero."""
    decay, epsilon = np.float32(DECAY), np.float32(EPSILON)
    for i in range(len(weights)):
        squares[i] = decay * squares[i] + (ONE - decay) * gradients[i] * gradients[i]
        weights[i] -= rate * gradients[i] / (np.sqrt(squares[i]) + epsilon)
        gradients[i] = 0


@njit(cache=True, fastmath=FAST, error_model="numpy")
def descend(steps, d_answers, w, tape, g, squares, rates):  # type: ignore[no-untyped-def]
    """Move all weights by one step of RMSprop.

    Args:
        steps: int64, (lives,), how many each has played.
        d_answers: float32, (lives, longest, a + 1), the gradient of each life's loss by outputs and value.
        w: `Weights`; they change.
        tape: what `forward` left.
        g: `Weights` of one life, zeros; to compute with.
        squares: `Weights`, running means of the gradients' squares; they change.
        rates: float32, (rows of weights,), learning rates; lives share weights evenly.
    """
    lanes = len(steps) // len(rates)
    for own in range(len(rates)):
        for life in range(own * lanes, (own + 1) * lanes):
            backward(life, own, steps[life], d_answers[life], w, tape, g)
        rmsprop(w.embedding[own].ravel(), g.embedding.ravel(), squares.embedding[own].ravel(), rates[own])
        rmsprop(w.cell[own].ravel(), g.cell.ravel(), squares.cell[own].ravel(), rates[own])
        rmsprop(w.heads[own].ravel(), g.heads.ravel(), squares.heads[own].ravel(), rates[own])
