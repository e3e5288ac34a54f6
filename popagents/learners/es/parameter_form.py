"""Parameters as someone brought them (torch tensors or NumPy arrays, in a list or a dict), and as one vector."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch

from popagents.common.parameters import by_name


class ParameterForm:
    """Turns parameters into one vector and vectors into parameters of the same form.

    Args:
        parameters: torch tensors or NumPy arrays of floating-point numbers: a dict of them, or anything that can be
            iterated over, such as `module.parameters()`.

    Raises:
        TypeError: something is neither tensor nor array, or its numbers are no floating-point ones.
        ValueError: there are no numbers, or an array cannot be written into.
    """

    def __init__(self, parameters: Mapping[Any, Any] | Iterable[Any]) -> None:
        if isinstance(parameters, (np.ndarray, torch.Tensor, torch.nn.Module)):
            raise TypeError(
                f"parameters is a {type(parameters).__name__}; give a list or a dict of tensors or arrays, for example "
                "[array], module.parameters() or dict(module.named_parameters())"
            )
        self._named = isinstance(parameters, Mapping)
        self._arrays = dict(parameters) if isinstance(parameters, Mapping) else dict(enumerate(parameters))
        for name, array in self._arrays.items():
            check_array(name, array)
        self._shapes = {str(i): tuple(array.shape) for i, array in enumerate(self._arrays.values())}
        if not len(self.vector()):
            raise ValueError("parameters holds no number; give at least one, and a generator only once")

    def vector(self) -> np.ndarray:
        """Return the parameters as they are now: float32, (numbers,)."""
        parts = [np.zeros(0, np.float32), *(numbers_of(array) for array in self._arrays.values())]
        return np.concatenate(parts)

    def filled(self, vector: np.ndarray) -> Any:
        """Return parameters of this form with the numbers of a vector, which share no memory with anything."""
        parts = [like(array, values) for array, values in self._pairs(vector)]
        return dict(zip(self._arrays, parts, strict=True)) if self._named else parts

    def write(self, vector: np.ndarray) -> None:
        """Write the numbers of a vector into the parameters that were brought."""
        with torch.no_grad():
            for array, values in self._pairs(vector):
                array[...] = like(array, values)

    def description(self) -> list[list[str]]:
        """Return the name, shape and dtype of each, as text."""
        return [[str(name), str(tuple(array.shape)), str(array.dtype)] for name, array in self._arrays.items()]

    def _pairs(self, vector: np.ndarray) -> Iterable[tuple[Any, np.ndarray]]:
        return zip(self._arrays.values(), by_name(vector, self._shapes).values(), strict=True)


def check_array(name: Any, array: Any) -> None:
    """Refuse what is no parameter.

    Raises:
        TypeError: it is neither tensor nor array, or its numbers are no floating-point ones.
        ValueError: it cannot be written into.
    """
    if isinstance(array, torch.Tensor):
        floating = array.is_floating_point()
    elif isinstance(array, np.ndarray):
        floating = np.issubdtype(array.dtype, np.floating)
        if not array.flags.writeable:
            raise ValueError(f"parameters[{name!r}] is read-only, and the best centre is to be written there; copy it")
    else:
        raise TypeError(f"parameters[{name!r}] is a {type(array).__name__}; give torch tensors or NumPy arrays")
    if not floating:
        raise TypeError(f"parameters[{name!r}] is of {array.dtype}; give floating-point numbers, such as float32")


def numbers_of(array: np.ndarray | torch.Tensor) -> np.ndarray:
    """Return a copy of an array's or a tensor's numbers: float32, (numbers,)."""
    values = array.detach().cpu().to(torch.float32).numpy() if isinstance(array, torch.Tensor) else array
    return values.astype(np.float32).ravel()


def like(array: np.ndarray | torch.Tensor, values: np.ndarray) -> np.ndarray | torch.Tensor:
    """Return a copy of values as an array, or as a tensor without gradient, of the same dtype and device."""
    if isinstance(array, torch.Tensor):
        return torch.tensor(values, dtype=array.dtype, device=array.device)
    return values.astype(array.dtype)
