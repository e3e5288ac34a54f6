"""Averages over what the others do: the game as each player meets it while all strategies stand still.

Indices: player i, state s, action a, joint action j, next state t, observation o. Leading axes are batches.

    choices[i, s, a, j]      = [j_i = a] prod_{k != i} X[k, s, j_k]
    transitions[i, s, a, t]  = sum_j choices[i, s, a, j] T[s, j, t]
    rewards[i, s, a]         = sum_j choices[i, s, a, j] R[i, s, j]

Source: W. Barfuss, J. Donges, J. Kurths (2019), "Deterministic limit of temporal difference reinforcement learning for
stochastic games", Physical Review E 99; under partial observation W. Barfuss, R. Mann (2022), "Modeling the effects of
environmental and perceptual uncertainty using deterministic reinforcement learning dynamics with partial
observability", Physical Review E 105.
"""

from typing import NamedTuple

import numpy as np

from popagents.dynamics.tensors import Tensors


class Averages(NamedTuple):
    """Holds what a player can expect; Z counts what it can tell apart, states or observations."""

    transitions: np.ndarray  # (..., N, Z, A, Z), zero for actions that a player does not have
    rewards: np.ndarray  # (..., N, Z, A), likewise
    chain: np.ndarray  # (..., N, Z, Z): transitions under the player's own strategy


def choices(tensors: Tensors, X: np.ndarray) -> np.ndarray:
    """Return the probability that the others complete an action to a joint action: (..., N, S, A, J)."""
    n = tensors.n_players
    played = np.stack([np.take(X[..., k, :, :], tensors.actions[:, k], axis=-1) for k in range(n)])  # (N, ..., S, J)
    by_others = [np.delete(played, i, axis=0).prod(axis=0) for i in range(n)]  # N times (..., S, J)
    completes = tensors.actions.T[:, None, None, :] == np.arange(X.shape[-1])[:, None]  # (N, 1, A, J)
    return np.stack(by_others, axis=-3)[..., None, :] * completes


def state_averages(tensors: Tensors, X: np.ndarray) -> Averages:
    """Average over the others' strategies X (..., N, S, A)."""
    weights = choices(tensors, X)
    transitions = weights @ tensors.transitions[..., None, :, :, :]
    rewards = (weights * tensors.rewards[..., None, :]).sum(-1)
    return Averages(transitions, rewards, under(X, transitions))


def under(X: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Average over one's own actions: values (..., N, Z, A, Z) under strategies (..., N, Z, A)."""
    return (X[..., None, :] @ values)[..., 0, :]


def belief(observations: np.ndarray, occupation: np.ndarray) -> np.ndarray:
    """Return how likely each state is, given what a player sees: (..., N, O, S).

    What is never seen while the states are occupied as they are tells of the states as it would if all were occupied
    alike; what can never be seen at all tells nothing.

    Args:
        observations: (N, S, O).
        occupation: of the states, (..., S).
    """
    likelihood = np.swapaxes(observations, -1, -2)
    joint = likelihood * occupation[..., None, None, :]
    for fallback in (likelihood, np.ones_like(likelihood)):
        joint = np.where(joint.sum(-1, keepdims=True) == 0, fallback, joint)
    return joint / joint.sum(-1, keepdims=True)


def observed_averages(tensors: Tensors, X: np.ndarray, occupation: np.ndarray, states: Averages) -> Averages:
    """Average over the states that a player believes to be in.

    Args:
        tensors: the game.
        X: strategies by observation, (..., N, O, A).
        occupation: of the states, (..., S).
        states: what a player could expect if it knew the state.
    """
    beliefs = belief(tensors.observations, occupation)
    rewards = beliefs @ states.rewards
    seen = states.transitions @ tensors.observations[:, None]  # (..., N, S, A, O)
    transitions = np.einsum("...ios,...isap->...ioap", beliefs, seen)
    return Averages(transitions, rewards, under(X, transitions))
