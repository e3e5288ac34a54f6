"""One linear layer on observations that are mostly zeros, as boards are: what is zero costs a look and no product.

A number's products are added in the order of the inputs, so that it has the same bits on every processor.
"""

import numpy as np

from popagents.common.compiling import njit


@njit(cache=True)
def nonzero_cells(row: np.ndarray, cells: np.ndarray) -> int:
    """Write which numbers of a row are not zero into `cells` (int64, as long as the row); return how many.

    Nothing branches: a wrong guess of the processor takes longer than a write that the next one covers.
    """
    n = 0
    for cell in range(len(row)):
        cells[n] = cell
        n += int(row[cell] != 0)
    return n


@njit(cache=True)
def nonzeros(observations: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """List what is not zero in observations (k, inputs).

    Returns:
        int64, (k + 1,), where each observation's begin; their cells, int64, (n,); their values, float32, (n,).
    """
    begin, room = np.zeros(len(observations) + 1, np.int64), np.empty(observations.shape[1], np.int64)
    for i in range(len(observations)):
        count = 0
        for value in observations[i]:
            count += int(value != 0)
        begin[i + 1] = begin[i] + count
    cells, values = np.empty(begin[-1], np.int64), np.empty(begin[-1], np.float32)
    for i in range(len(observations)):
        for k in range(nonzero_cells(observations[i], room)):
            cells[begin[i] + k], values[begin[i] + k] = room[k], observations[i, room[k]]
    return begin, cells, values


@njit(cache=True)
def linear_outputs(weight: np.ndarray, bias: np.ndarray, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
    """Multiply each observation by its member's matrix.

    Args:
        weight: float32, (members, outputs, inputs).
        bias: float32, (members, outputs).
        rows: int64, (k,), whose matrix each observation takes.
        observations: any numbers, (k, inputs).

    Returns:
        float32, (k, outputs); a row's bits do not depend on the other rows.
    """
    out, cells = np.empty((len(rows), weight.shape[1]), np.float32), np.empty(weight.shape[2], np.int64)
    for i in range(len(rows)):
        n = nonzero_cells(observations[i], cells)
        add_products(out[i], weight[rows[i]], bias[rows[i]], observations[i], cells[:n])
    return out


@njit(cache=True)
def add_products(out, weight, bias, row, cells):  # type: ignore[no-untyped-def]
    """Write the bias and the products of some cells of a row into out (outputs,), four outputs at a time."""
    out[:] = bias
    j = 0
    while j + 4 <= len(out):
        a, b, c, d = out[j], out[j + 1], out[j + 2], out[j + 3]
        row_a, row_b, row_c, row_d = weight[j], weight[j + 1], weight[j + 2], weight[j + 3]
        for cell in cells:
            value = np.float32(row[cell])
            a += value * row_a[cell]
            b += value * row_b[cell]
            c += value * row_c[cell]
            d += value * row_d[cell]
        out[j], out[j + 1], out[j + 2], out[j + 3] = a, b, c, d
        j += 4
    for last in range(j, len(out)):
        for cell in cells:
            out[last] += np.float32(row[cell]) * weight[last, cell]
