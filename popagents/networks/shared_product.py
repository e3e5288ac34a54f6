"""Rows times one matrix that they all share, with the same bits for a row whoever stands beside it.

A library's matrix product may treat the last rows of a batch, or a batch of one, by other code than the rest, and which
it does depends on the processor. Here every output is its products added in the order of the inputs, one at a time and
each rounded: no row's bits depend on the others, on how many there are, or on the processor. What lies together in
memory, and is computed together, is one input of many rows; the matrix is read as it stands.
"""

import numpy as np

from popagents.common.compiling import njit

LANES, FEWEST = 64, 16  # rows that are computed together: at most, and in multiples of
INPUTS, OUTPUTS = 64, 4  # of the part of the matrix that meets them at a time: 16 KiB of lanes stay in a first cache


@njit(cache=True)
def shared_product(x: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Multiply rows by a matrix.

    Args:
        x: float32, (k, inputs).
        matrix: float32, (outputs, inputs).

    Returns:
        float32, (k, outputs).
    """
    k, inputs = x.shape
    out = np.empty((k, len(matrix)), np.float32)
    for first in range(0, k, LANES):
        n = min(LANES, k - first)
        lanes = np.zeros((inputs + inputs % 2, (n + FEWEST - 1) // FEWEST * FEWEST), np.float32)
        lanes[:inputs, :n] = x[first : first + n].T
        out[first : first + n] = transposed_product(lanes, matrix)[: len(matrix), :n].T
    return out


@njit(cache=True)
def transposed_product(lanes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Multiply a matrix (outputs, inputs) by lanes (inputs rounded up, n): (outputs rounded up, n)."""
    outputs, inputs = matrix.shape
    sums = np.zeros(((outputs + OUTPUTS - 1) // OUTPUTS * OUTPUTS, lanes.shape[1]), np.float32)
    edge = np.zeros((OUTPUTS, INPUTS), np.float32)
    for left in range(0, inputs, INPUTS):
        right = min(left + INPUTS, inputs)
        seen = lanes[left : right + right % 2]
        for top in range(0, outputs, OUTPUTS):
            part = matrix[top : top + OUTPUTS, left:right]
            if len(part) == OUTPUTS and right % 2 == 0:
                add_products(sums[top : top + OUTPUTS], part, seen)
            else:
                edge[: len(part), : right - left] = part
                edge[: len(part), right - left :] = 0
                add_products(sums[top : top + OUTPUTS], edge, seen)
    return sums


@njit(cache=True)  # no fastmath: it would regroup sums or leave out roundings
def add_products(sums: np.ndarray, part: np.ndarray, lanes: np.ndarray) -> None:
    """Add part of a matrix (4, inputs) times lanes (inputs, n) to sums (4, n), two inputs in one pass over the sums."""
    sums_a, sums_b, sums_c, sums_d = sums[0], sums[1], sums[2], sums[3]
    for i in range(0, len(lanes), 2):
        a, b, c, d = part[0, i], part[1, i], part[2, i], part[3, i]
        next_a, next_b, next_c, next_d = part[0, i + 1], part[1, i + 1], part[2, i + 1], part[3, i + 1]
        first, second = lanes[i], lanes[i + 1]
        for j in range(len(first)):
            sums_a[j] = sums_a[j] + a * first[j] + next_a * second[j]
            sums_b[j] = sums_b[j] + b * first[j] + next_b * second[j]
            sums_c[j] = sums_c[j] + c * first[j] + next_c * second[j]
            sums_d[j] = sums_d[j] + d * first[j] + next_d * second[j]
