"""Random numbers as pure functions of where they are used.

Everything random in a generation is derived from a *key*: 64 bits mixed from (run seed, purpose, generation, member,
episode). So a resumed run continues bit for bit, and neither the number of slots nor the order in which episodes are
played changes a result.

Source of the mixing function: G. Steele, D. Lea, C. Flood (2014), "Fast splittable pseudorandom number generators".
"""

from enum import IntEnum
from typing import Any

import numpy as np

from popagents.common.compiling import njit

GAMMA = np.uint64(0x9E3779B97F4A7C15)
EPISODE_SEEDS = 2**31  # environments written in C take signed 32-bit seeds


class Purpose(IntEnum):
    """What random numbers are for; different purposes never share a key."""

    WEIGHTS = 0
    EPISODE = 1
    ACTION = 2
    TEACHER = 3
    SHUFFLE = 4
    EVALUATION = 5
    NOISE = 6
    BIRTH = 7
    MUTATION = 8
    MATCHMAKING = 9
    RANK = 10


def scrambled(bits: Any) -> Any:
    """Scramble 64 bits, or every element of a uint64 array, one-to-one."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


mix = njit(cache=True)(scrambled)  # for compiled loops, and for one number


@njit(cache=True)
def uniform(bits: np.uint64) -> float:
    """Turn 64 random bits into a number strictly between 0 and 1."""
    return (np.float64(bits >> np.uint64(11)) + 0.5) * 2.0**-53


@njit(cache=True)
def below(bits: np.uint64, n: int) -> Any:
    """Turn 64 random bits into a number from 0 to n - 1, for n up to 2**32."""
    return np.int64(((bits >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@njit(cache=True)
def run_key(run_seed: np.uint64, purpose: int, generation: int) -> np.uint64:
    """Derive the key of one purpose in one generation."""
    key = run_seed
    for part in (purpose, generation):
        key = mix(key + (np.uint64(part) + np.uint64(1)) * GAMMA)
    return key


def keys(run_seed: int, purpose: Purpose, generation: int, members: Any, episodes: Any = 0) -> np.ndarray:
    """Derive one key per (member, episode).

    Args:
        run_seed: the run's seed, 0 to 2**64 - 1.
        purpose: what the numbers are for.
        generation: the generation's number.
        members: member indices, int, (k,).
        episodes: episode numbers, int, (k,) or one for all.

    Returns:
        uint64, (k,).
    """
    key = run_key(np.uint64(run_seed), int(purpose), int(generation))
    for part in (members, episodes):  # arrays wrap; numbers of NumPy's would warn
        key = scrambled(key + (np.atleast_1d(part).astype(np.uint64) + np.uint64(1)) * GAMMA)
    return key


def episode_seeds(key: np.ndarray) -> np.ndarray:
    """Turn keys into seeds that any environment's `reset` takes: int64, 0 to 2**31 - 1."""
    return (key % np.uint64(EPISODE_SEEDS)).astype(np.int64)


def generator(run_seed: int, purpose: Purpose, generation: int = 0) -> np.random.Generator:
    """Make NumPy's generator for the draws that a whole generation shares."""
    return np.random.default_rng([run_seed, int(purpose), generation])


@njit(cache=True)
def gumbel(key: np.ndarray, steps: np.ndarray, width: int) -> np.ndarray:
    """Draw standard Gumbel noise: the argmax of logits plus this is a sample of their softmax.

    Args:
        key: uint64, (k,), one an episode.
        steps: int64, (k,), each episode's step number.
        width: numbers per step.

    Returns:
        float32, (k, width).
    """
    out = np.empty((len(key), width), np.float32)
    for i in range(len(key)):
        for j in range(width):
            bits = mix(key[i] + np.uint64(steps[i] * width + j + 1) * GAMMA)
            out[i, j] = -np.log(-np.log(uniform(bits)))
    return out


@njit(cache=True)
def subset(key: np.uint64, n: int, size: int) -> np.ndarray:
    """Draw some of the numbers 0 to n - 1, each set as likely as another: int64, (size,), none twice.

    R. Floyd's algorithm: J. Bentley and B. Floyd (1987), "Programming pearls: a sample of brilliance".
    """
    taken = np.zeros(n, np.bool_)
    out = np.empty(size, np.int64)
    for i in range(size):
        last = n - size + i
        chosen = below(mix(key + np.uint64(i + 1) * GAMMA), last + 1)
        out[i] = last if taken[chosen] else chosen
        taken[out[i]] = True
    return out


@njit(cache=True)
def shuffles(key: np.uint64, n: int, times: int) -> np.ndarray:
    """Draw permutations of 0 to n - 1 (Fisher and Yates): int64, (times, n)."""
    out = np.empty((times, n), np.int64)
    for t in range(times):
        for i in range(n):
            out[t, i] = i
        for i in range(n - 1, 0, -1):
            j = below(mix(key + np.uint64(t * n + i) * GAMMA), i + 1)
            out[t, i], out[t, j] = out[t, j], out[t, i]
    return out
