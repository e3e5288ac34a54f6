"""Standard normal numbers as pure functions of a key and a place: for the noise of actions and of parameters alike.

G. Box and M. Muller (1958), "A note on the generation of random normal deviates": a pair of numbers has a radius
sqrt(-2 ln u) and a uniform angle. Logarithm, sine and cosine are polynomials, so that compilers turn a whole loop into
vector code, and nothing but additions, products and roots, each rounded as IEEE 754 has it, makes a number: it has the
same bits on every processor, alone or beside others.

Each pair takes the 64 bits that `randomness.mix` makes of its key and place. No number is farther from 0 than 6.66,
beyond which a normal number falls once in 4e10 times.
"""

from typing import Any

import numpy as np

from popagents.common.compiling import njit
from popagents.common.randomness import GAMMA, mix


def float32s(*values: float) -> tuple[np.float32, ...]:
    """Return numbers as float32, which compiled code takes as constants."""
    return tuple(np.float32(value) for value in values)


HALF, ONE, MINUS_TWO, LN2, TO_RADIUS, TO_TURN = float32s(0.5, 1, -2, np.log(2), 2.0**-31, 2.0**-32)
# Minimax polynomials, lowest power first. Of sin(pi t) / t in t squared, |t| <= 1/2; relative error 5e-9:
S0, S1, S2, S3, S4 = float32s(3.1415926369, -5.1677096848, 2.5500697263, -0.5982421259, 0.0775603860)
# of cos(pi t), likewise; error 2e-10:
C0, C1, C2, C3, C4, C5 = float32s(1, -4.9348021372, 4.0587091643, -1.3352120566, 0.2349375588, -0.0243967164)
# of ln(1 + x) / x, sqrt(1/2) <= 1 + x <= sqrt(2); relative error 3e-8:
L0, L1, L2, L3, L4 = float32s(0.9999999742, -0.4999998797, 0.3333418564, -0.2500207365, 0.1995683282)
L5, L6, L7, L8 = float32s(-0.1656240195, 0.1495228303, -0.1436678817, 0.0872224325)
ROOT_HALF, SHIFT = np.int32(0x3F3504F3), np.int32(23)  # the bits of sqrt(1/2); where a float32's exponent begins


@njit(cache=True)
def log(u: Any) -> Any:
    """Return the natural logarithm of a positive float32."""
    bits = np.float32(u).view(np.int32)
    exponent = np.int32(bits - ROOT_HALF) >> SHIFT
    scaled = np.int32(bits - np.int32(exponent << SHIFT))
    x = np.int32(scaled).view(np.float32) - ONE
    y = L0 + x * (L1 + x * (L2 + x * (L3 + x * (L4 + x * (L5 + x * (L6 + x * (L7 + x * L8)))))))
    return np.float32(np.int32(exponent)) * LN2 + x * y


@njit(cache=True)
def pair(bits: Any) -> Any:
    """Turn 64 random bits into two independent standard normal numbers, float32."""
    signed = np.float32(np.int32(bits >> np.uint64(32))) + HALF  # two points on opposite sides of 0 share a radius
    radius = np.sqrt(MINUS_TWO * log(np.abs(signed) * TO_RADIUS))
    radius = -radius if signed < 0 else radius
    turn = (np.float32(np.int32(np.uint32(bits))) + HALF) * TO_TURN  # the half of the circle where cosines are positive
    z = turn * turn
    cosine = C0 + z * (C1 + z * (C2 + z * (C3 + z * (C4 + z * C5))))
    sine = turn * (S0 + z * (S1 + z * (S2 + z * (S3 + z * S4))))
    return radius * cosine, radius * sine


@njit(cache=True)
def standard_normal(key: np.uint64, size: int) -> np.ndarray:
    """Draw the first numbers that belong to a key: float32, (size,)."""
    out = np.empty(size + size % 2, np.float32)
    for i in range(len(out) // 2):
        out[2 * i], out[2 * i + 1] = pair(mix(key + np.uint64(i + 1) * GAMMA))
    return out[:size]


@njit(cache=True)
def normal(key: np.ndarray, steps: np.ndarray, width: int) -> np.ndarray:
    """Draw a row of standard normal noise for each step.

    Args:
        key: uint64, (k,), one an episode.
        steps: int64, (k,), each episode's step number.
        width: numbers per step.

    Returns:
        float32, (k, width): step t has the numbers t width to (t + 1) width - 1 of the key.
    """
    out = np.empty((len(key), width), np.float32)
    for i in range(len(key)):
        for j in range(width):
            place = steps[i] * width + j
            first, second = pair(mix(key[i] + np.uint64(place // 2 + 1) * GAMMA))
            out[i, j] = second if place % 2 else first
    return out
