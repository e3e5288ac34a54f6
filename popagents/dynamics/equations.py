"""The learning equations of `learner` and `agents`, compiled; tests hold the two together.

Up to LANES batch elements stand side by side in the last axis of every array, so that the innermost loops are long and
of one form. Tables are (N, Z, A, lanes): strategies (or values) by player, by what it can tell apart, by action. Rules
differ in which strategies a table stands for, in the error, and in how it changes the table.
"""

from typing import Any

import numpy as np
from numba import njit

ACTOR_CRITIC, SARSA, Q_LEARNING, VALUE_SARSA, PARTIAL, PARTIAL_AS_PUBLISHED = range(6)
RATE, DISCOUNT, INTENSITY, SCALE, EPSILON = range(5)  # rows of settings, (5, N, lanes)
LANES = 64
TINY = np.finfo(np.float64).tiny  # logarithms of smaller probabilities are its own
compiled = njit(cache=True, error_model="numpy")  # divisions by zero are NaN, and found at the end of a step


@compiled
def clear(array: Any) -> None:
    """Fill an array with zeros."""
    flat = array.reshape(-1)
    for k in range(len(flat)):
        flat[k] = 0


@compiled
def play(rule: int, live: int, table: Any, observations: Any, available: Any, settings: Any, X: Any) -> None:
    """Fill in what the players do in each state, X (N, S, A, lanes)."""
    for i in range(X.shape[0]):
        for s in range(X.shape[1]):
            if rule == VALUE_SARSA:
                greedy(i, s, live, table, available, settings, X)
                continue
            for a in range(X.shape[2]):
                if rule < VALUE_SARSA:
                    for lane in range(live):
                        X[i, s, a, lane] = table[i, s, a, lane]
                    continue
                for lane in range(live):
                    X[i, s, a, lane] = 0
                for o in range(table.shape[1]):
                    for lane in range(live):
                        X[i, s, a, lane] += observations[i, s, o] * table[i, o, a, lane]


@compiled
def greedy(i: int, s: int, live: int, table: Any, available: Any, settings: Any, X: Any) -> None:
    """Fill in an epsilon-greedy strategy; equals share."""
    for lane in range(live):
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
def average(live: int, X: Any, transitions: Any, rewards: Any, actions: Any, weight: Any, to: Any, pay: Any) -> None:
    """Fill in `to` (N, S, A, S, lanes) and `pay` (N, S, A, lanes): transitions and rewards over what the others do."""
    n, states, _, _ = X.shape
    clear(to)
    clear(pay)
    for i in range(n):
        for s in range(states):
            for j in range(len(actions)):
                for lane in range(live):
                    weight[lane] = 1
                for k in range(n):
                    if k != i:
                        for lane in range(live):
                            weight[lane] *= X[k, s, actions[j, k], lane]
                a = actions[j, i]
                for lane in range(live):
                    pay[i, s, a, lane] += weight[lane] * rewards[i, s, j]
                for t in range(states):
                    probability = transitions[s, j, t]
                    if probability != 0:
                        for lane in range(live):
                            to[i, s, a, t, lane] += weight[lane] * probability


@compiled
def follow(i: int, live: int, X: Any, to: Any, chain: Any) -> None:
    """Fill in the chain (Z, Z, lanes) that player i meets under its own strategy."""
    clear(chain)
    for z in range(len(chain)):
        for a in range(X.shape[2]):
            for y in range(len(chain)):
                for lane in range(live):
                    chain[z, y, lane] += X[i, z, a, lane] * to[i, z, a, y, lane]


@compiled
def expect(i: int, live: int, X: Any, pay: Any, settings: Any, values: Any) -> None:
    """Fill in the next reward that player i expects in each situation, values (Z, lanes)."""
    clear(values)
    for z in range(len(values)):
        for a in range(X.shape[2]):
            for lane in range(live):
                values[z, lane] += settings[SCALE, i, lane] * X[i, z, a, lane] * pay[i, z, a, lane]


@compiled
def solve(i: int, live: int, settings: Any, chain: Any, factor: Any, values: Any) -> None:
    """Turn expected rewards into `(1 - discount chain)^-1 values`, using up the chain.

    The matrix is dominated by its diagonal, so elimination needs no pivots.
    """
    size = len(values)
    for z in range(size):
        for y in range(size):
            for lane in range(live):
                chain[z, y, lane] = (1.0 if y == z else 0.0) - settings[DISCOUNT, i, lane] * chain[z, y, lane]
    for k in range(size):
        for y in range(k + 1, size):
            for lane in range(live):
                factor[lane] = chain[y, k, lane] / chain[k, k, lane]
                values[y, lane] -= factor[lane] * values[k, lane]
            for z in range(k + 1, size):
                for lane in range(live):
                    chain[y, z, lane] -= factor[lane] * chain[k, z, lane]
    for k in range(size - 1, -1, -1):
        for z in range(k + 1, size):
            for lane in range(live):
                values[k, lane] -= chain[k, z, lane] * values[z, lane]
        for lane in range(live):
            values[k, lane] /= chain[k, k, lane]


@compiled
def backup(i: int, live: int, to: Any, pay: Any, settings: Any, values: Any, targets: Any) -> None:
    """Fill in scaled reward plus discounted value of what comes next, (Z, A, lanes)."""
    for z in range(targets.shape[0]):
        for a in range(targets.shape[1]):
            for lane in range(live):
                targets[z, a, lane] = 0
            for y in range(targets.shape[0]):
                for lane in range(live):
                    targets[z, a, lane] += to[i, z, a, y, lane] * values[y, lane]
            for lane in range(live):
                targets[z, a, lane] *= settings[DISCOUNT, i, lane]
                targets[z, a, lane] += settings[SCALE, i, lane] * pay[i, z, a, lane]


@compiled
def best(i: int, live: int, targets: Any, available: Any, values: Any) -> None:
    """Fill in the highest target of each situation."""
    for z in range(len(values)):
        for lane in range(live):
            values[z, lane] = -np.inf
        for a in range(targets.shape[1]):
            if available[i, a]:
                for lane in range(live):
                    if not targets[z, a, lane] <= values[z, lane]:
                        values[z, lane] = targets[z, a, lane]


@compiled
def change(
    rule: int, i: int, live: int, values: Any, targets: Any, settings: Any, top: Any, table: Any, square: Any
) -> None:
    """Change player i's rows of the table, and add the squares of the changes to `square` (lanes)."""
    for z in range(targets.shape[0]):
        for a in range(targets.shape[1]):
            for lane in range(live):
                rate, old = settings[RATE, i, lane], table[i, z, a, lane]
                if rule == VALUE_SARSA:  # what a player cannot do has value and target 0
                    difference = rate * (targets[z, a, lane] - old)
                    table[i, z, a, lane] += difference
                    square[lane] += difference * difference
                elif rule in (SARSA, Q_LEARNING):
                    cost = np.log(TINY if old <= TINY else old)
                    targets[z, a, lane] = rate * (settings[INTENSITY, i, lane] * targets[z, a, lane] - cost)
                else:
                    targets[z, a, lane] = rate * settings[INTENSITY, i, lane] * (targets[z, a, lane] - values[z, lane])
        if rule != VALUE_SARSA:
            shift(i, z, live, targets, top, table, square)


@compiled
def shift(i: int, z: int, live: int, push: Any, top: Any, X: Any, square: Any) -> None:
    """Make strategies proportional to X exp(push); what has probability zero keeps it."""
    width = X.shape[2]
    for lane in range(live):
        top[lane] = -np.inf
    for a in range(width):
        for lane in range(live):
            if X[i, z, a, lane] != 0 and not push[z, a, lane] <= top[lane]:  # NaN passes, and spreads
                top[lane] = push[z, a, lane]
    for a in range(width):
        for lane in range(live):
            lift = push[z, a, lane] - top[lane] if X[i, z, a, lane] != 0 else 0.0
            push[z, a, lane] = X[i, z, a, lane] * np.exp(lift)
    for lane in range(live):
        top[lane] = 0
    for a in range(width):
        for lane in range(live):
            top[lane] += push[z, a, lane]
    for a in range(width):
        for lane in range(live):
            new = push[z, a, lane] / top[lane]
            square[lane] += (new - X[i, z, a, lane]) ** 2
            X[i, z, a, lane] = new
