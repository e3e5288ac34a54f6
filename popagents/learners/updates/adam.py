"""Adam for every member of a stack: each member has its own memory and its own count of updates.

One `torch.optim.Adam` over a whole stack would be wrong: its momentum moves members that do not learn in a generation.

Source: D. Kingma and J. Ba (2015), "Adam: a method for stochastic optimization", https://arxiv.org/abs/1412.6980.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from popagents.networks.dense import Parameters
from popagents.population.population import Stack

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


@dataclass
class Adam:
    """Adam's memory for every member of a stack.

    Attributes:
        first, second: running means of gradients and of their squares, shaped like the stack's parameters.
        steps: int64, (members,), updates that each member has made.
    """

    first: Parameters
    second: Parameters
    steps: np.ndarray

    @classmethod
    def blank(cls, stack: Stack) -> "Adam":
        """Make the memory of members that have never learned."""
        first, second = ({k: np.zeros_like(v) for k, v in stack.parameters.items()} for _ in range(2))
        return cls(first, second, np.zeros(stack.size, np.int64))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything under one name each, for saving."""
        first = {f"first/{k}": v for k, v in self.first.items()}
        return first | {f"second/{k}": v for k, v in self.second.items()} | {"steps": self.steps}

    def set_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Take back what `arrays` returned."""
        self.first = {k: arrays[f"first/{k}"] for k in self.first}
        self.second = {k: arrays[f"second/{k}"] for k in self.second}
        self.steps = arrays["steps"]


@njit(cache=True, error_model="numpy")
def adam_step(weight, gradient, first, second, learning_rate, steps):  # type: ignore[no-untyped-def]
    """Update flat arrays in place by update number `steps` (1 the first) of Adam; leave the gradient zero."""
    rate = np.float32(learning_rate / (1 - BETA1**steps))
    root = np.float32(1 / np.sqrt(1 - BETA2**steps))
    b1, b2, epsilon = np.float32(BETA1), np.float32(BETA2), np.float32(EPSILON)
    one = np.float32(1)
    for i in range(len(weight)):
        g = gradient[i]
        first[i] = b1 * first[i] + (one - b1) * g
        second[i] = b2 * second[i] + (one - b2) * g * g
        weight[i] -= rate * first[i] / (np.sqrt(second[i]) * root + epsilon)
        gradient[i] = 0


@njit(cache=True)
def adam_rows(  # type: ignore[no-untyped-def]
    weights, gradients, first, second, rows, learning_rate, steps
):
    """Update some members' rows of one parameter (members, n) in place, each at its own step count."""
    for i in range(len(rows)):
        row = rows[i]
        adam_step(weights[row], gradients[i], first[row], second[row], learning_rate, steps[row])
