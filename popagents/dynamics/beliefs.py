"""What players can expect who see observations instead of states, compiled; see `popagents.dynamics.averages`."""

from typing import Any

import numpy as np

from popagents.dynamics.equations import clear, compiled
from popagents.dynamics.stationary import occupy


@compiled
def occupation(live: int, chain: Any, shares: Any) -> None:
    """Fill in the share of time spent in each state, (S, lanes)."""
    for lane in range(live):
        occupied = np.empty(len(shares))
        occupy(chain[:, :, lane].copy(), occupied)
        for s in range(len(shares)):
            shares[s, lane] = occupied[s]


@compiled
def believe(i: int, live: int, see: Any, shares: Any, beliefs: Any) -> None:
    """Fill in how likely each state is given an observation, (O, S, lanes); see `averages.belief`."""
    views, states, _ = beliefs.shape
    for o in range(views):
        for lane in range(live):
            total = 0.0
            for fallback in range(3):
                for s in range(states):
                    likelihood = see[i, s, o] if fallback < 2 else 1.0
                    beliefs[o, s, lane] = likelihood * shares[s, lane] if fallback == 0 else likelihood
                    total += beliefs[o, s, lane]
                if total != 0:
                    break
            for s in range(states):
                beliefs[o, s, lane] /= total


@compiled
def look(i: int, live: int, see: Any, beliefs: Any, to: Any, pay: Any, seen: Any, seen_to: Any, seen_pay: Any) -> None:
    """Fill in what player i can expect after an observation: `seen_to` (N, O, A, O, ...), `seen_pay` (N, O, A, ...)."""
    clear(seen_to[i])
    clear(seen_pay[i])
    views, states, _ = beliefs.shape
    for s in range(states):
        for a in range(pay.shape[2]):
            clear(seen)
            for p in range(views):
                for t in range(states):
                    for lane in range(live):
                        seen[p, lane] += to[i, s, a, t, lane] * see[i, t, p]
            for o in range(views):
                for lane in range(live):
                    seen_pay[i, o, a, lane] += beliefs[o, s, lane] * pay[i, s, a, lane]
                for p in range(views):
                    for lane in range(live):
                        seen_to[i, o, a, p, lane] += beliefs[o, s, lane] * seen[p, lane]


@compiled
def follow_as_published(i: int, live: int, see: Any, between: Any, beliefs: Any, chain: Any) -> None:
    """Fill in the chain (O, O, lanes) between observations as if what players do depended on states."""
    clear(chain)
    views, states, _ = beliefs.shape
    for o in range(views):
        for p in range(views):
            for s in range(states):
                for t in range(states):
                    for lane in range(live):
                        chain[o, p, lane] += beliefs[o, s, lane] * between[s, t, lane] * see[i, t, p]
