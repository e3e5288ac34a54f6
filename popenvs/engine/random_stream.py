"""The random stream of one lane: SplitMix64, eight bytes of state that live in the game's record.

A `numpy.random.Generator` cannot be stored in a record and costs microseconds to hand to compiled code; this stream is
one integer, so that cloning, comparing and reseeding a lane is copying or writing one number.

Source: G. Steele, D. Lea, C. Flood (2014), "Fast splittable pseudorandom number generators", OOPSLA.
"""

from typing import Any

import numpy as np

from popenvs.engine.compiling import njit

GAMMA = np.uint64(0x9E3779B97F4A7C15)  # the stream's step: 2**64 / golden ratio, odd


def mix(bits: Any) -> Any:
    """Scramble 64 bits, or every element of a uint64 array, one-to-one (Stafford's variant 13)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


compiled_mix = njit(mix)


@njit
def next_bits(game: Any) -> np.uint64:
    """Draw 64 random bits from the lane's stream, and move the stream on."""
    game.rng += GAMMA
    return compiled_mix(game.rng)


@njit
def below(game: Any, n: int) -> np.int64:
    """Draw an integer uniformly from 0 to n - 1 (n below 2**32; the bias is at most n / 2**32)."""
    return np.int64(((next_bits(game) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


def seeded(seeds: Any) -> np.ndarray:
    """Turn seeds into the states in which lanes begin.

    Args:
        seeds: one seed or an array of them, each from 0 to 2**64 - 1.

    Returns:
        States, uint64, in the same shape. Neighbouring seeds give unrelated streams.
    """
    bits = np.asarray(seeds, dtype=np.uint64)
    with np.errstate(over="ignore"):  # the product is meant to wrap
        return np.asarray(mix(bits + GAMMA))
