"""Products of small matrices and vectors, compiled: what is left of a network that is too small for a library's call.

tanh is a rational function, which compilers turn into vector code (a call of the library's tanh cannot be).

What does not depend on the processor: activations, `shared_product` and normal numbers. What does: the sums here, which
a compiler regroups by the width of the processor's vectors; NumPy's and torch's matrix products. On one processor a row
takes the same path whatever stands beside it, so its bits are its own; on another, parameters differ by rounding.
"""

import numpy as np

from popagents.common.compiling import njit

FAST = {"contract", "reassoc", "nsz", "arcp"}  # sums may be regrouped; NaN and infinity keep their meaning

P0, P1, P2, P3, P4 = (np.float32(c) for c in (1.0, 0.134445154, 0.00357161857, 2.18949964e-05, 1.52308808e-08))
Q1, Q2, Q3, Q4 = (np.float32(c) for c in (0.467778428, 0.0261645215, 0.000341132543, 8.52263582e-07))
EDGE, ONE, HALF, ZERO, LEAK = (np.float32(c) for c in (8, 1, 0.5, 0, 0.01))
LINEAR, TANH, RELU, LEAKY_RELU = range(4)


@njit(cache=True, error_model="numpy")  # no fastmath: in a loop or alone, a number has the same bits
def tanh(x):  # type: ignore[no-untyped-def]
    """Approximate the hyperbolic tangent within 3.3e-7: x times a quotient of polynomials in x squared."""
    x = EDGE if x > EDGE else (-EDGE if x < -EDGE else x)
    y = x * x
    return x * (P0 + y * (P1 + y * (P2 + y * (P3 + y * P4)))) / (ONE + y * (Q1 + y * (Q2 + y * (Q3 + y * Q4))))


@njit(cache=True, error_model="numpy")
def sigmoid(x):  # type: ignore[no-untyped-def]
    """Approximate the logistic function, (1 + tanh(x / 2)) / 2, within 1.8e-7."""
    return HALF + HALF * tanh(HALF * x)


@njit(cache=True, error_model="numpy")
def activate(values, activation):  # type: ignore[no-untyped-def]
    """Apply an activation to numbers in place.

    It is the only implementation of each, for acting and learning alike. torch, through which SB3's `predict` goes, has
    a tanh of its own, from which this one is at most 3e-7 away. ReLU and LeakyReLU have torch's bits.

    Args:
        values: float32, (n,); each becomes the same bits whatever n is and wherever it stands, on every processor.
        activation: LINEAR, TANH, RELU or LEAKY_RELU.
    """
    if activation == TANH:
        for j in range(len(values)):
            values[j] = tanh(values[j])
    elif activation == RELU:
        for j in range(len(values)):
            values[j] = ZERO if values[j] < ZERO else values[j]
    elif activation == LEAKY_RELU:
        for j in range(len(values)):
            values[j] = LEAK * values[j] if values[j] < ZERO else values[j]


@njit(cache=True, fastmath=FAST, error_model="numpy")
def add_scaled(total, scale, row):  # type: ignore[no-untyped-def]
    """Add scale * row to total."""
    for j in range(len(total)):
        total[j] += scale * row[j]


@njit(cache=True, fastmath=FAST, error_model="numpy")
def dot(first, second):  # type: ignore[no-untyped-def]
    """Return the inner product."""
    total = np.float32(0)
    for j in range(len(first)):
        total += first[j] * second[j]
    return total


@njit(cache=True, fastmath=FAST, error_model="numpy")
def add_product(total, x, matrix):  # type: ignore[no-untyped-def]
    """Add x (rows,) times matrix (rows, columns) to total (columns,); four rows at a time save three quarters of it."""
    i = 0
    while i + 4 <= len(x):
        a, b, c, d = x[i], x[i + 1], x[i + 2], x[i + 3]
        row_a, row_b, row_c, row_d = matrix[i], matrix[i + 1], matrix[i + 2], matrix[i + 3]
        for j in range(len(total)):
            total[j] += a * row_a[j] + b * row_b[j] + c * row_c[j] + d * row_d[j]
        i += 4
    while i < len(x):
        add_scaled(total, x[i], matrix[i])
        i += 1


@njit(cache=True, fastmath=FAST, error_model="numpy")
def product(matrix, x, out):  # type: ignore[no-untyped-def]
    """Write matrix (rows, columns) times x (columns,) into out (rows,)."""
    i = 0
    while i + 4 <= len(out):
        row_a, row_b, row_c, row_d = matrix[i], matrix[i + 1], matrix[i + 2], matrix[i + 3]
        a = b = c = d = np.float32(0)
        for j in range(len(x)):
            a += row_a[j] * x[j]
            b += row_b[j] * x[j]
            c += row_c[j] * x[j]
            d += row_d[j] * x[j]
        out[i], out[i + 1], out[i + 2], out[i + 3] = a, b, c, d
        i += 4
    while i < len(out):
        out[i] = dot(matrix[i], x)
        i += 1


@njit(cache=True, fastmath=FAST, error_model="numpy")
def add_outer(total, first, second):  # type: ignore[no-untyped-def]
    """Add the sum over steps of first (steps, rows) times second (steps, columns) to total (rows, columns).

    Four, then two steps are added in one pass over the total.
    """
    t, steps = 0, len(first)
    while t + 4 <= steps:
        for i in range(total.shape[0]):
            a, b, c, d = first[t, i], first[t + 1, i], first[t + 2, i], first[t + 3, i]
            for j in range(total.shape[1]):
                total[i, j] += a * second[t, j] + b * second[t + 1, j] + c * second[t + 2, j] + d * second[t + 3, j]
        t += 4
    while t + 2 <= steps:
        for i in range(total.shape[0]):
            a, b = first[t, i], first[t + 1, i]
            for j in range(total.shape[1]):
                total[i, j] += a * second[t, j] + b * second[t + 1, j]
        t += 2
    if t < steps:
        for i in range(total.shape[0]):
            add_scaled(total[i], first[t, i], second[t])


@njit(cache=True, fastmath=FAST, error_model="numpy")
def dense(weight, bias, rows, x, activation):  # type: ignore[no-untyped-def]
    """Compute one layer, each row by its own matrix.

    Args:
        weight: float32, (members, outputs, inputs).
        bias: float32, (members, outputs).
        rows: int64, (k,), whose matrix each row takes.
        x: float32, (k, inputs).
        activation: LINEAR, TANH, RELU or LEAKY_RELU.

    Returns:
        float32, (k, outputs); a row's bits do not depend on the other rows.
    """
    out = np.empty((len(rows), weight.shape[1]), np.float32)
    for i in range(len(rows)):
        y = out[i]
        product(weight[rows[i]], x[i], y)
        add_scaled(y, ONE, bias[rows[i]])
        activate(y, activation)
    return out
