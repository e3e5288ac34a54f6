"""Adam for many members: each member has its own memory and its own count of updates.

One `torch.optim.Adam` over all of them would be wrong: its momentum moves members that do not learn in a generation.

Source: D. Kingma and J. Ba (2015), "Adam: a method for stochastic optimization", https://arxiv.org/abs/1412.6980.
"""

from dataclasses import dataclass

import numpy as np

from popagents.common.compiling import njit
from popagents.common.parameters import Parameters
from popagents.learners.state_checks import within

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Adam:
    """Adam's memory for every member of a design.

    Attributes:
        first, second: running means of gradients and of their squares, shaped like the parameters.
        steps: int64, (members,), updates that each member has made.
    """

    first: Parameters
    second: Parameters
    steps: np.ndarray

    @classmethod
    def blank(cls, parameters: Parameters) -> "Adam":
        """Make the memory of members that have never learned."""
        first, second = ({k: np.zeros_like(v) for k, v in parameters.items()} for _ in range(2))
        return cls(first, second, np.zeros(len(next(iter(parameters.values()))), np.int64))

    def copy(self) -> "Adam":
        """Return a copy that shares no array."""
        first, second = ({k: v.copy() for k, v in memory.items()} for memory in (self.first, self.second))
        return Adam(first, second, self.steps.copy())

    def check(self, name: str) -> None:
        """Check numbers that come from a file, where this memory has a name.

        Raises:
            ValueError: a count or a mean of squares is below 0.
        """
        within(self.steps, f"{name}/steps")
        for parameter, values in self.second.items():
            within(values, f"{name}/second/{parameter}")


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
