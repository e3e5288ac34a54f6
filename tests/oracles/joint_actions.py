"""The averages of the learning dynamics by brute force: plain loops over every joint action, one number at a time."""

import itertools
import math

import numpy as np


def averages(transitions, rewards, X):
    """Return T_i[i][s, a, t], R_i[i][s, a] and P[s, t].

    Args:
        transitions: (S, A_1, ..., A_N, S).
        rewards: (N, S, A_1, ..., A_N, S).
        X: strategies, (N, S, A), read only as far as a player has actions.
    """
    states, *counts, _ = transitions.shape
    n = len(counts)
    to = [np.zeros((states, counts[i], states)) for i in range(n)]
    pay = [np.zeros((states, counts[i])) for i in range(n)]
    chain = np.zeros((states, states))
    for s, t in itertools.product(range(states), repeat=2):
        for joint in itertools.product(*map(range, counts)):
            probability = transitions[s, *joint, t]
            chain[s, t] += math.prod(X[k, s, joint[k]] for k in range(n)) * probability
            for i in range(n):
                others = math.prod(X[k, s, joint[k]] for k in range(n) if k != i)
                to[i][s, joint[i], t] += others * probability
                pay[i][s, joint[i]] += others * probability * rewards[i, s, *joint, t]
    return to, pay, chain
