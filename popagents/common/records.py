"""Observations as rows of one array; those of a Dict are records, a field a part, and move as any other rows do."""

from typing import Any

import numpy as np
from gymnasium import spaces


def rows_for(space: spaces.Space, n: int) -> np.ndarray:
    """Make room for n observations: zeros (n, *shape), or records (n,) for a Dict."""
    if isinstance(space, spaces.Dict):
        return records([(name, part.dtype, part.shape) for name, part in space.spaces.items()], n)
    return np.zeros((n, *space.shape), space.dtype)  # type: ignore[misc]


def records(fields: list[Any], n: int) -> np.ndarray:
    """Make n records of fields (name, dtype, shape) that lie where their dtypes want them, so that torch takes each."""
    return np.zeros(n, np.dtype(fields, align=True))


def packed(observations: Any, space: spaces.Space) -> np.ndarray:
    """Return k observations as rows: an array as it is, a dict of arrays (k, *shape) as records (k,).

    Parts keep their own dtypes, which are not always the space's: VecNormalize makes floats of what its space calls
    uint8.

    Raises:
        ValueError: a part is missing, or has another shape than the space's, to which NumPy would stretch it.
    """
    if not isinstance(space, spaces.Dict):
        return np.asarray(observations)
    k = len(next(iter(observations.values())))
    parts = {name: np.asarray(observations.get(name)) for name in space.spaces}
    for name, values in parts.items():
        shape = space[name].shape
        if values.shape != (k, *shape):  # type: ignore[misc]
            raise ValueError(
                f"observations[{name!r}] has shape {values.shape}; {k} observations of {space} need {shape}"
            )
    rows = records([(name, values.dtype, values.shape[1:]) for name, values in parts.items()], k)
    for name, values in parts.items():
        rows[name] = values
    return rows


def unpacked(rows: np.ndarray) -> Any:
    """Return rows as environments give them: records as a dict of views, by the names of the parts."""
    return rows if rows.dtype.names is None else {name: rows[name] for name in rows.dtype.names}


def sampled(space: spaces.Space) -> np.ndarray:
    """Return one random observation of a space as a row, (1, ...)."""
    sample = space.sample()
    if isinstance(sample, dict):
        sample = {name: np.asarray(part)[None] for name, part in sample.items()}
        return packed(sample, space)
    return np.asarray(sample)[None]
