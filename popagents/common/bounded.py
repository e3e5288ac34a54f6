"""A limit on the memory of the tensors that are made while a file's settings are tried."""

import math
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

MAKERS = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn}


class Bounded(TorchFunctionMode):
    """Within it, modules cannot make parameters and buffers of more than so many bytes in all.

    Args:
        most: bytes, of numbers with 4 bytes each.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most, self.made = most, 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count what is about to be made.

        Raises:
            ValueError: it is too much; nothing was made.
        """
        if func in MAKERS:
            self.made += 4 * numbers_of(*args, **(kwargs or {}))
            if self.made > self.most:
                raise ValueError(f"its settings make networks of {self.made} bytes or more; its arrays have fewer")
        return func(*args, **(kwargs or {}))


def numbers_of(*args: Any, size: Any = None, **others: Any) -> int:
    """Return how many numbers a tensor has that is made with these arguments."""
    shape = size if size is not None else args[0] if args and not isinstance(args[0], int) else args
    return math.prod(shape)
