"""Averages over the others' strategies: the game from each player's view while all strategies are fixed.

Indices: player i, state s, action a, joint action j, next state t, observation o. Leading axes are batches.

    choices[i, s, a, j]      = [j_i = a] prod_{k != i} X[k, s, j_k]
    transitions[i, s, a, t]  = sum_j choices[i, s, a, j] T[s, j, t]
    rewards[i, s, a]         = sum_j choices[i, s, a, j] R[i, s, j]

Source: W. Barfuss, J. Donges, J. Kurths (2019), "Deterministic limit of temporal difference reinforcement learning for
stochastic games", Physical Review E 99; under partial observation W. Barfuss, R. Mann (2022), "Modeling the effects of
environmental and perceptual uncertainty using deterministic reinforcement learning dynamics with partial
observability", Physical Review E 105. pyCRLD (W. Barfuss and contributors) calls them Tisas and Risa, Tioao and Rioa.
"""

from typing import NamedTuple

import numpy as np

from popagents.dynamics.tensors import Tensors


class Averages(NamedTuple):
    """Transitions and rewards that a player expects; Z counts states, or observations where it sees these."""

    transitions: np.ndarray  # (..., N, Z, A, Z), zero for actions that a player does not have
    rewards: np.ndarray  # (..., N, Z, A), likewise
    chain: np.ndarray  # (..., N, Z, Z): transitions averaged over the player's own strategy


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
    return Averages(transitions, rewards, own_average(X, transitions))


def own_average(X: np.ndarray, transitions: np.ndarray) -> np.ndarray:
    """Average transitions (..., N, Z, A, Z) over each player's own strategy X (..., N, Z, A): (..., N, Z, Z)."""
    return (X[..., None, :] @ transitions)[..., 0, :]


def belief(observations: np.ndarray, occupation: np.ndarray) -> np.ndarray:
    """Return the probability of each state given an observation, by Bayes' rule: (..., N, O, S).

    An observation of probability zero under this occupation is given the belief of a uniform occupation; one that no
    state produces, a uniform belief.

    Args:
        observations: (N, S, O).
        occupation: share of time spent in each state, (..., S).
    """
    likelihood = np.swapaxes(observations, -1, -2)
    joint = likelihood * occupation[..., None, None, :]
    for fallback in (likelihood, np.ones_like(likelihood)):
        joint = np.where(joint.sum(-1, keepdims=True) == 0, fallback, joint)
    return joint / joint.sum(-1, keepdims=True)


def observed_averages(tensors: Tensors, X: np.ndarray, occupation: np.ndarray, states: Averages) -> Averages:
    """Average over the states that an observation may come from.

    Args:
        tensors: the game.
        X: strategies by observation, (..., N, O, A).
        occupation: share of time spent in each state, (..., S).
        states: the averages by state.
    """
    beliefs = belief(tensors.observations, occupation)
    rewards = beliefs @ states.rewards
    seen = states.transitions @ tensors.observations[:, None]  # (..., N, S, A, O)
    transitions = np.einsum("...ios,...isap->...ioap", beliefs, seen)
    return Averages(transitions, rewards, own_average(X, transitions))
