"""The learning equations of `learner` and `agents`, compiled; tests hold the two together.

Up to LANES batch elements stand side by side in the last axis of every array, so that the innermost loops are long and
of one form; `active` counts the lanes in use. A table is (N, Z, A, lanes): strategies (or values) by player, by state
or observation, by action. Rules differ in the strategies that a table stands for, in the error, and in the update.
"""

from typing import Any

import numpy as np

from popagents.common.compiling import njit

ACTOR_CRITIC, SARSA, Q_LEARNING, VALUE_SARSA, PARTIAL, PARTIAL_AS_PUBLISHED = range(6)
RATE, DISCOUNT, INTENSITY, SCALE, EPSILON = range(5)  # rows of settings, (5, N, lanes)
LANES = 64
TINY = np.finfo(np.float64).tiny  # smaller probabilities have the logarithm of this one
compiled = njit(cache=True, error_model="numpy")  # divisions by zero are NaN, and found at the end of a step


@compiled
def clear(array: Any) -> None:
    """Fill an array with zeros."""
    flat = array.reshape(-1)
    for k in range(len(flat)):
        flat[k] = 0


@compiled
def state_strategies(
    rule: int, active: int, table: Any, observations: Any, available: Any, settings: Any, X: Any
) -> None:
    """Fill in the strategy of each player in each state, X (N, S, A, lanes)."""
    for i in range(X.shape[0]):
        for s in range(X.shape[1]):
            if rule == VALUE_SARSA:
                epsilon_greedy(i, s, active, table, available, settings, X)
                continue
            for a in range(X.shape[2]):
                if rule < VALUE_SARSA:
                    for lane in range(active):
                        X[i, s, a, lane] = table[i, s, a, lane]
                    continue
                for lane in range(active):
                    X[i, s, a, lane] = 0
                for o in range(table.shape[1]):
                    for lane in range(active):
                        X[i, s, a, lane] += observations[i, s, o] * table[i, o, a, lane]


@compiled
def epsilon_greedy(i: int, s: int, active: int, table: Any, available: Any, settings: Any, X: Any) -> None:
    """Fill in player i's epsilon-greedy strategy in state s; equally good actions share."""
    for lane in range(active):
        epsilon, highest, equals, count = settings[EPSILON, i, lane], -np.inf, 0, 0
        for a in range(X.shape[2]):
            if available[i, a]:
                count += 1
                if table[i, s, a, lane] > highest:
                    highest, equals = table[i, s, a, lane], 0
                if table[i, s, a, lane] == highest:
                    equals += 1
        for a in range(X.shape[2]):
            X[i, s, a, lane] = epsilon / count if available[i, a] else 0.0
            if available[i, a] and table[i, s, a, lane] == highest:
                X[i, s, a, lane] += (1 - epsilon) / equals


@compiled
def state_averages(
    active: int,
    X: Any,
    game_transitions: Any,
    game_rewards: Any,
    actions: Any,
    weight: Any,
    transitions: Any,
    rewards: Any,
) -> None:
    """Average transitions and rewards over the strategies of the others.

    Args:
        active: lanes in use.
        X: (N, S, A, lanes).
        game_transitions: (S, J, S).
        game_rewards: (N, S, J).
        actions: (J, N), each player's action in a joint action.
        weight: (lanes), working memory: the probability that the others complete an action to a joint action.
        transitions: (N, S, A, S, lanes), to be filled.
        rewards: (N, S, A, lanes), to be filled.
    """
    n, states, _, _ = X.shape
    clear(transitions)
    clear(rewards)
    for i in range(n):
        for s in range(states):
            for j in range(len(actions)):
                for lane in range(active):
                    weight[lane] = 1
                for k in range(n):
                    if k != i:
                        for lane in range(active):
                            weight[lane] *= X[k, s, actions[j, k], lane]
                a = actions[j, i]
                for lane in range(active):
                    rewards[i, s, a, lane] += weight[lane] * game_rewards[i, s, j]
                for t in range(states):
                    probability = game_transitions[s, j, t]
                    if probability != 0:
                        for lane in range(active):
                            transitions[i, s, a, t, lane] += weight[lane] * probability


@compiled
def own_chain(i: int, active: int, X: Any, transitions: Any, chain: Any) -> None:
    """Fill in the Markov chain (Z, Z, lanes) of player i under its own strategy."""
    clear(chain)
    for z in range(len(chain)):
        for a in range(X.shape[2]):
            for y in range(len(chain)):
                for lane in range(active):
                    chain[z, y, lane] += X[i, z, a, lane] * transitions[i, z, a, y, lane]


@compiled
def expected_rewards(i: int, active: int, X: Any, rewards: Any, settings: Any, expected: Any) -> None:
    """Fill in player i's expected next reward in each state or observation, (Z, lanes)."""
    clear(expected)
    for z in range(len(expected)):
        for a in range(X.shape[2]):
            for lane in range(active):
                expected[z, lane] += settings[SCALE, i, lane] * X[i, z, a, lane] * rewards[i, z, a, lane]


@compiled
def solve_values(i: int, active: int, settings: Any, chain: Any, factor: Any, values: Any) -> None:
    """Turn expected rewards, `values` (Z, lanes), into `(1 - discount chain)^-1 values`; the chain is overwritten.

    The matrix is diagonally dominant, so Gaussian elimination needs no pivots.
    """
    size = len(values)
    for z in range(size):
        for y in range(size):
            for lane in range(active):
                chain[z, y, lane] = (1.0 if y == z else 0.0) - settings[DISCOUNT, i, lane] * chain[z, y, lane]
    for k in range(size):
        for y in range(k + 1, size):
            for lane in range(active):
                factor[lane] = chain[y, k, lane] / chain[k, k, lane]
                values[y, lane] -= factor[lane] * values[k, lane]
            for z in range(k + 1, size):
                for lane in range(active):
                    chain[y, z, lane] -= factor[lane] * chain[k, z, lane]
    for k in range(size - 1, -1, -1):
        for z in range(k + 1, size):
            for lane in range(active):
                values[k, lane] -= chain[k, z, lane] * values[z, lane]
        for lane in range(active):
            values[k, lane] /= chain[k, k, lane]


@compiled
def backup(i: int, active: int, transitions: Any, rewards: Any, settings: Any, values: Any, targets: Any) -> None:
    """Fill in scaled reward plus discounted value of the next state or observation, (Z, A, lanes)."""
    for z in range(targets.shape[0]):
        for a in range(targets.shape[1]):
            for lane in range(active):
                targets[z, a, lane] = 0
            for y in range(targets.shape[0]):
                for lane in range(active):
                    targets[z, a, lane] += transitions[i, z, a, y, lane] * values[y, lane]
            for lane in range(active):
                targets[z, a, lane] *= settings[DISCOUNT, i, lane]
                targets[z, a, lane] += settings[SCALE, i, lane] * rewards[i, z, a, lane]


@compiled
def best_values(i: int, active: int, targets: Any, available: Any, values: Any) -> None:
    """Fill in the highest target over player i's actions, (Z, lanes)."""
    for z in range(len(values)):
        for lane in range(active):
            values[z, lane] = -np.inf
        for a in range(targets.shape[1]):
            if available[i, a]:
                for lane in range(active):
                    if not targets[z, a, lane] <= values[z, lane]:  # NaN passes, and spreads
                        values[z, lane] = targets[z, a, lane]


@compiled
def update(
    rule: int, i: int, active: int, values: Any, targets: Any, settings: Any, top: Any, table: Any, square: Any
) -> None:
    """Update player i's rows of the table, and add the squares of all changes over the rate to `square` (lanes)."""
    for z in range(targets.shape[0]):
        for a in range(targets.shape[1]):
            for lane in range(active):
                rate, old = settings[RATE, i, lane], table[i, z, a, lane]
                if rule == VALUE_SARSA:  # an action that a player does not have has value and target 0
                    difference = targets[z, a, lane] - old
                    table[i, z, a, lane] += rate * difference
                    square[lane] += difference * difference
                elif rule in (SARSA, Q_LEARNING):
                    cost = np.log(TINY if old <= TINY else old)
                    targets[z, a, lane] = rate * (settings[INTENSITY, i, lane] * targets[z, a, lane] - cost)
                else:
                    targets[z, a, lane] = rate * settings[INTENSITY, i, lane] * (targets[z, a, lane] - values[z, lane])
        if rule != VALUE_SARSA:
            update_strategies(i, z, active, targets, settings, top, table, square)


@compiled
def update_strategies(
    i: int, z: int, active: int, exponents: Any, settings: Any, top: Any, X: Any, square: Any
) -> None:
    """Make strategies proportional to X exp(exponents); a probability of zero stays zero."""
    width = X.shape[2]
    for lane in range(active):
        top[lane] = -np.inf
    for a in range(width):
        for lane in range(active):
            if X[i, z, a, lane] != 0 and not exponents[z, a, lane] <= top[lane]:  # NaN passes, and spreads
                top[lane] = exponents[z, a, lane]
    for a in range(width):
        for lane in range(active):
            exponent = exponents[z, a, lane] - top[lane] if X[i, z, a, lane] != 0 else 0.0
            exponents[z, a, lane] = X[i, z, a, lane] * np.exp(exponent)
    for lane in range(active):
        top[lane] = 0
    for a in range(width):
        for lane in range(active):
            top[lane] += exponents[z, a, lane]
    for a in range(width):
        for lane in range(active):
            new = exponents[z, a, lane] / top[lane]
            square[lane] += ((new - X[i, z, a, lane]) / settings[RATE, i, lane]) ** 2
            X[i, z, a, lane] = new
