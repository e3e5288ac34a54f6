"""Parameters of many members, by name, with the members along the first axis; and one member's as a vector."""

import math
from typing import Any

import numpy as np

Parameters = dict[str, np.ndarray]  # float32 arrays (members, *shape), or (*shape) for one member


def row_of(parameters: Parameters, row: int) -> Parameters:
    """Copy one member's parameters: (*shape) by name."""
    return {name: np.array(values[row]) for name, values in parameters.items()}  # a row of scalars is an array, too


def with_row(parameters: Parameters, row: int, own: Parameters) -> Parameters:
    """Return members of whom one has other parameters, `own` (*shape): copies, (members, *shape) by name."""
    changed = {name: values.copy() for name, values in parameters.items()}
    for name, values in changed.items():
        values[row] = own[name]
    return changed


def repeated(parameters: Parameters, size: int) -> Parameters:
    """Return members that all have one member's parameters (*shape): copies, (size, *shape) by name."""
    return {name: np.repeat(values[None], size, axis=0) for name, values in parameters.items()}


def form_of(shapes: dict[str, tuple[int, ...]], size: int) -> Parameters:
    """Return read-only parameters of some members, (size, *shape) by name, which take no memory and are all 0."""
    return {name: np.broadcast_to(np.float32(0), (size, *shape)) for name, shape in shapes.items()}


def vector_of(parameters: Parameters, row: int) -> np.ndarray:
    """Copy one member's parameters into one vector, in their order: float32, (numbers,)."""
    return np.concatenate([values[row].ravel() for values in parameters.values()])


def by_name(vector: np.ndarray, shapes: dict[str, tuple[int, ...]]) -> Parameters:
    """Cut a vector into the parameters of one member: views (*shape) by name."""
    out, first = {}, 0
    for name, shape in shapes.items():
        end = first + math.prod(shape)
        out[name] = vector[first:end].reshape(shape)
        first = end
    return out


def set_rows(parameters: Parameters, rows: Any, vector: np.ndarray) -> None:
    """Give the members of `rows` (an index or a slice) the numbers of one vector, in place."""
    shapes = {name: values.shape[1:] for name, values in parameters.items()}
    for name, values in by_name(vector, shapes).items():
        parameters[name][rows] = values
