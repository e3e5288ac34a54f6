"""An LSTM between linear layers, compiled: many small networks, each with weights of its own, one step at a time.

The network is that of `popagents.recurrent`. Weights lie transposed, (lives, inputs, outputs), so that the inner loops
run over outputs, which lie together in memory. One core then trains some 50 networks of 20 units as fast as memory lets
it.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from popagents.dense import Parameters
from popagents.kernels import FAST, HALF, ONE, add_outer, add_product, add_scaled, dot, product, tanh

DECAY, EPSILON = 0.99, 1e-5  # RMSprop's
DEPTH = 16  # steps for which a tape has room at first

NAMES = {  # each array below: the policy's parameter, and whether it is transposed
    "embedding": ("policy_net.embedding.weight", True),
    "embedding_bias": ("policy_net.embedding.bias", False),
    "inputs": ("policy_net.cell.weight_ih", True),
    "memory": ("policy_net.cell.weight_hh", True),
    "inputs_bias": ("policy_net.cell.bias_ih", False),
    "memory_bias": ("policy_net.cell.bias_hh", False),
    "actor": ("action_net.weight", False),
    "actor_bias": ("action_net.bias", False),
    "critic": ("value_net.weight", False),
    "critic_bias": ("value_net.bias", False),
}


class Weights(NamedTuple):
    """Rows of weights, float32 (n inputs, e embedding, h hidden, a outputs); or their gradients' squares."""

    embedding: np.ndarray  # (rows, n, e)
    embedding_bias: np.ndarray  # (rows, e)
    inputs: np.ndarray  # (rows, e, 4h); gates: input, forget, cell, output
    memory: np.ndarray  # (rows, h, 4h)
    inputs_bias: np.ndarray  # (rows, 4h)
    memory_bias: np.ndarray  # (rows, 4h)
    actor: np.ndarray  # (rows, a, h)
    actor_bias: np.ndarray  # (rows, a)
    critic: np.ndarray  # (rows, 1, h)
    critic_bias: np.ndarray  # (rows, 1)

    @classmethod
    def of(cls, parameters: Parameters) -> "Weights":
        """Copy a policy's parameters, (lives, *shape) by name."""
        laid = {
            field: parameters[name].swapaxes(1, 2) if transposed else parameters[name]
            for field, (name, transposed) in NAMES.items()
        }
        return cls(**{field: np.array(values, order="C") for field, values in laid.items()})

    def parameters(self) -> Parameters:
        """Return the policy's parameters by name."""
        fields = self._asdict()
        return {
            name: fields[field].swapaxes(1, 2).copy() if transposed else fields[field].copy()
            for field, (name, transposed) in NAMES.items()
        }


class Tape(NamedTuple):
    """What an episode leaves behind for backpropagation, float32, for every life and step."""

    seen: np.ndarray  # (lives, steps, n)
    embedded: np.ndarray  # (lives, steps, e)
    shown: np.ndarray  # (lives, steps + 1, h), before each step: what the cell shows
    held: np.ndarray  # (lives, steps + 1, h), before each step: what it holds
    gates: np.ndarray  # (lives, steps, 4h), squashed
    squashed: np.ndarray  # (lives, steps, h), tanh of what it holds after the step
    outputs: np.ndarray  # (lives, steps, a)
    values: np.ndarray  # (lives, steps)

    @classmethod
    def blank(cls, weights: Weights, lives: int, steps: int) -> "Tape":
        """Make room for episodes of some steps, with empty memories."""
        n, e = weights.embedding.shape[1:]
        _, a, h = weights.actor.shape
        at_steps = [(steps, width) for width in (4 * h, h, a)]
        widths = [(steps, n), (steps, e), (steps + 1, h), (steps + 1, h), *at_steps, (steps,)]
        return cls(*(np.zeros((lives, *width), np.float32) for width in widths))

    def longer(self, weights: Weights) -> "Tape":
        """Return a tape of twice the steps, with what stands on this one."""
        longer = Tape.blank(weights, *np.multiply(self.values.shape, (1, 2)))
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
    n, e = w.embedding.shape[1:]
    a, h = w.actor.shape[1:]
    out = np.empty((len(who), a), np.float32)
    for row in range(len(who)):
        life = who[row]
        own = life // lanes
        t = steps[life]
        steps[life] += 1
        tape.seen[life, t] = seen[row]
        x, gates = tape.embedded[life, t], tape.gates[life, t]
        for j in range(e):
            x[j] = w.embedding_bias[own, j]
        for i in range(n):
            if seen[row, i] != 0:
                add_scaled(x, seen[row, i], w.embedding[own, i])
        for j in range(4 * h):
            gates[j] = w.inputs_bias[own, j] + w.memory_bias[own, j]
        add_product(gates, x, w.inputs[own])
        if t > 0:
            add_product(gates, tape.shown[life, t], w.memory[own])
        squash(gates, tape.held[life, t], tape.held[life, t + 1], tape.squashed[life, t], tape.shown[life, t + 1])
        for j in range(a):
            out[row, j] = w.actor_bias[own, j] + dot(w.actor[own, j], tape.shown[life, t + 1])
            tape.outputs[life, t, j] = out[row, j]
        tape.values[life, t] = w.critic_bias[own, 0] + dot(w.critic[own, 0], tape.shown[life, t + 1])
    return out


@njit(cache=True, fastmath=FAST, error_model="numpy")
def squash(gates, held, held_after, squashed, shown_after):  # type: ignore[no-untyped-def]
    """Squash the gates (4h,) in place, and move the memory on."""
    h = len(held)
    for j in range(2 * h):
        gates[j] = HALF + HALF * tanh(HALF * gates[j])
    for j in range(2 * h, 3 * h):
        gates[j] = tanh(gates[j])
    for j in range(3 * h, 4 * h):
        gates[j] = HALF + HALF * tanh(HALF * gates[j])
    for j in range(h):
        held_after[j] = gates[h + j] * held[j] + gates[j] * gates[2 * h + j]
        squashed[j] = tanh(held_after[j])
        shown_after[j] = gates[3 * h + j] * squashed[j]


@njit(cache=True, fastmath=FAST, error_model="numpy")
def backward(life, own, steps, d_outputs, d_values, w, tape, g):  # type: ignore[no-untyped-def]
    """Backpropagate through one life's episode.

    Args:
        life: whose.
        own: the row of its weights.
        steps: how many.
        d_outputs: float32, (steps, a), the gradient of the loss by the outputs.
        d_values: float32, (steps,), and by the values.
        w: `Weights` of all lives.
        tape: what `forward` left.
        g: `Weights` of one life, zeros; gradients are added.
    """
    e, h = w.embedding.shape[2], w.actor.shape[2]
    d_shown, d_held = np.zeros(h, np.float32), np.zeros(h, np.float32)
    d_gates, d_x = np.empty((steps, 4 * h), np.float32), np.empty((steps, e), np.float32)
    for t in range(steps - 1, -1, -1):
        add_product(d_shown, d_outputs[t], w.actor[own])
        add_scaled(d_shown, d_values[t], w.critic[own, 0])
        through_gates(tape.gates[life, t], tape.held[life, t], tape.squashed[life, t], d_shown, d_held, d_gates[t])
        product(w.inputs[own], d_gates[t], d_x[t])
        product(w.memory[own], d_gates[t], d_shown)
    shown = tape.shown[life]
    add_outer(g.actor[0], d_outputs[:steps], shown[1 : steps + 1])
    add_outer(g.inputs[0], tape.embedded[life, :steps], d_gates)
    add_outer(g.memory[0], shown[:steps], d_gates)
    for t in range(steps):
        add_scaled(g.actor_bias[0], ONE, d_outputs[t])
        add_scaled(g.critic[0, 0], d_values[t], shown[t + 1])
        g.critic_bias[0, 0] += d_values[t]
        add_scaled(g.inputs_bias[0], ONE, d_gates[t])
        add_scaled(g.memory_bias[0], ONE, d_gates[t])
        add_scaled(g.embedding_bias[0], ONE, d_x[t])
        for i in range(tape.seen.shape[2]):
            if tape.seen[life, t, i] != 0:
                add_scaled(g.embedding[0, i], tape.seen[life, t, i], d_x[t])


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
def descend(steps, d_outputs, d_values, w, tape, g, squares, rates):  # type: ignore[no-untyped-def]
    """Move all weights by one step of RMSprop.

    Args:
        steps: int64, (lives,), how many each has played.
        d_outputs: float32, (lives, longest, a), the gradient of each life's loss by the outputs.
        d_values: float32, (lives, longest), and by the values.
        w: `Weights`; they change.
        tape: what `forward` left.
        g: `Weights` of one life, zeros; to compute with.
        squares: `Weights`, running means of the gradients' squares; they change.
        rates: float32, (rows of weights,), learning rates; lives share weights evenly.
    """
    lanes = len(steps) // len(rates)
    for own in range(len(rates)):
        for life in range(own * lanes, (own + 1) * lanes):
            backward(life, own, steps[life], d_outputs[life], d_values[life], w, tape, g)
        rate = rates[own]
        rmsprop(w.embedding[own].ravel(), g.embedding.ravel(), squares.embedding[own].ravel(), rate)
        rmsprop(w.embedding_bias[own], g.embedding_bias[0], squares.embedding_bias[own], rate)
        rmsprop(w.inputs[own].ravel(), g.inputs.ravel(), squares.inputs[own].ravel(), rate)
        rmsprop(w.memory[own].ravel(), g.memory.ravel(), squares.memory[own].ravel(), rate)
        rmsprop(w.inputs_bias[own], g.inputs_bias[0], squares.inputs_bias[own], rate)
        rmsprop(w.memory_bias[own], g.memory_bias[0], squares.memory_bias[own], rate)
        rmsprop(w.actor[own].ravel(), g.actor.ravel(), squares.actor[own].ravel(), rate)
        rmsprop(w.actor_bias[own], g.actor_bias[0], squares.actor_bias[own], rate)
        rmsprop(w.critic[own].ravel(), g.critic.ravel(), squares.critic[own].ravel(), rate)
        rmsprop(w.critic_bias[own], g.critic_bias[0], squares.critic_bias[own], rate)
