"""The averages under partial observation, compiled; the same as `popagents.dynamics.averages`, which names the source.

Lanes and indices are those of `popagents.dynamics.equations`; o and p are observations, O of them.
"""

from typing import Any

import numpy as np

from popagents.dynamics.equations import clear, compiled
from popagents.dynamics.stationary import occupy


@compiled
def occupation(active: int, chain: Any, shares: Any) -> None:
    """Fill in the share of time that a chain (S, S, lanes) spends in each state, (S, lanes)."""
    for lane in range(active):
        occupied = np.empty(len(shares))
        occupy(chain[:, :, lane].copy(), occupied)
        for s in range(len(shares)):
            shares[s, lane] = occupied[s]


@compiled
def state_beliefs(i: int, active: int, observations: Any, shares: Any, beliefs: Any) -> None:
    """Fill in player i's probability of each state after an observation, (O, S, lanes); see `averages.belief`."""
    seen, states, _ = beliefs.shape
    for o in range(seen):
        for lane in range(active):
            total = 0.0
            for fallback in range(3):
                for s in range(states):
                    likelihood = observations[i, s, o] if fallback < 2 else 1.0
                    beliefs[o, s, lane] = likelihood * shares[s, lane] if fallback == 0 else likelihood
                    total += beliefs[o, s, lane]
                if total != 0:
                    break
            for s in range(states):
                beliefs[o, s, lane] /= total


@compiled
def observed_averages(
    i: int,
    active: int,
    observations: Any,
    beliefs: Any,
    transitions: Any,
    rewards: Any,
    next_seen: Any,
    seen_transitions: Any,
    seen_rewards: Any,
) -> None:
    """Fill in player i's expected transitions and rewards by observation.

    Args:
        i: the player.
        active: lanes in use.
        observations: (N, S, O).
        beliefs: (O, S, lanes).
        transitions: by state, (N, S, A, S, lanes).
        rewards: by state, (N, S, A, lanes).
        next_seen: (O, lanes), working memory.
        seen_transitions: (N, O, A, O, lanes), to be filled.
        seen_rewards: (N, O, A, lanes), to be filled.
    """
    clear(seen_transitions[i])
    clear(seen_rewards[i])
    seen, states, _ = beliefs.shape
    for s in range(states):
        for a in range(rewards.shape[2]):
            clear(next_seen)
            for p in range(seen):
                for t in range(states):
                    for lane in range(active):
                        next_seen[p, lane] += transitions[i, s, a, t, lane] * observations[i, t, p]
            for o in range(seen):
                for lane in range(active):
                    seen_rewards[i, o, a, lane] += beliefs[o, s, lane] * rewards[i, s, a, lane]
                for p in range(seen):
                    for lane in range(active):
                        seen_transitions[i, o, a, p, lane] += beliefs[o, s, lane] * next_seen[p, lane]


@compiled
def published_chain(i: int, active: int, observations: Any, state_chain: Any, beliefs: Any, chain: Any) -> None:
    """Fill in the chain (O, O, lanes) between observations as published: with the strategies in states."""
    clear(chain)
    seen, states, _ = beliefs.shape
    for o in range(seen):
        for p in range(seen):
            for s in range(states):
                for t in range(states):
                    for lane in range(active):
                        chain[o, p, lane] += beliefs[o, s, lane] * state_chain[s, t, lane] * observations[i, t, p]
