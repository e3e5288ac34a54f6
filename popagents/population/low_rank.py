"""Noise of low rank: what a large network's members have in common is multiplied once for all of them.

B. Sarkar et al. (2025), "Evolution strategies at the hyperscale", https://arxiv.org/abs/2511.16652 (EGGROLL). A
member's matrix is W + sigma E with E = A B' / sqrt(rank), A (outputs, rank) and B (inputs, rank) standard normal: every
entry of E has mean 0 and variance 1, and no two are correlated. What the member makes of an input x,

    W x + sigma A (B' x) / sqrt(rank),

takes a product with W, the same for everybody, and rank (inputs + outputs) multiplications of its own; so much is drawn
and stored, too. A filter of a convolution is a row of a matrix. Biases have plain normal noise, which is as cheap.
"""

import math

import numpy as np
from numba import njit
from stable_baselines3.common.policies import BasePolicy

from popagents.common.normal import standard_normal
from popagents.networks import convolution
from popagents.networks.convolution import Convolution
from popagents.networks.dense import Layer, Parameters
from popagents.networks.kernels import FAST, add_scaled, dot
from popagents.networks.shared_product import shared_product
from popagents.population.population import Stack


class LowRankStack(Stack):
    """Members that differ from a common centre by matrices of low rank.

    Attributes:
        parameters: the centre's: float32 arrays (1, *shape).
        left: by a matrix's name, its members' sigma A' / sqrt(rank): float32, (members, rank, outputs).
        right: likewise B': float32, (members, rank, inputs).
        shifts: sigma e of all other parameters: float32, (members, *shape).
    """

    def __init__(self, template: BasePolicy, size: int, rank: int) -> None:
        self.left: Parameters = {}  # nobody is there yet: the centre alone is held against its template
        self.right: Parameters = {}
        self.shifts: Parameters = {}
        super().__init__(template, 1)
        self.size, self.rank = size, rank
        for name, values in self.parameters.items():
            if values.ndim > 2:
                outputs, inputs = matrix(values[0]).shape
                self.left[name] = np.zeros((size, rank, outputs), np.float32)
                self.right[name] = np.zeros((size, rank, inputs), np.float32)
            else:
                self.shifts[name] = np.zeros((size, *values.shape[1:]), np.float32)

    def outputs(self, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
        """Return each row's outputs for its observation: float32, (k, n_outputs).

        A row has the same bits whoever sits beside it. Networks that are no chain of convolutions and dense layers
        share nothing, and go through torch row by row.
        """
        stages = self.layers or self.stages
        if stages is None:
            return self._through_torch(rows, observations)
        x, factor = (self.flat(observations), 1.0) if self.layers else (observations, 1.0 if self._plain else 1 / 255)
        for stage in stages:
            if isinstance(stage, Convolution):
                x = self._convolve(stage, rows, x, factor)
            else:
                x = self._multiply(stage, rows, x.reshape(len(rows), -1))
            if stage.activation is not None:
                x = stage.activation.function(x)
            factor = 1.0
        return x

    def own(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Return a parameter of each row's member: float32, (k, *shape)."""
        values = self.parameters[name]
        if name in self.left:
            change = np.matmul(self.left[name][rows].transpose(0, 2, 1), self.right[name][rows])
            values = values + change.reshape(len(rows), *values.shape[1:])
        elif name in self.shifts:
            values = values + self.shifts[name][rows]
        return values

    def _multiply(self, layer: Layer, rows: np.ndarray, x: np.ndarray) -> np.ndarray:
        x = np.ascontiguousarray(x, np.float32)
        y = shared_product(x, self.parameters[layer.weight][0])
        correct(y, x, self.left[layer.weight], self.right[layer.weight], rows)
        y += self.own(layer.bias, rows)
        return y

    def _convolve(self, stage: Convolution, rows: np.ndarray, pictures: np.ndarray, factor: float) -> np.ndarray:
        filters = self.parameters[stage.weight][0]
        columns, places = convolution.cut(stage, pictures, filters.shape[-2:], factor)
        left, right = self.left[stage.weight][rows], self.right[stage.weight][rows]
        y = matrix(filters) @ columns
        y += left.transpose(0, 2, 1) @ (right @ columns)
        y += self.own(stage.bias, rows)[:, :, None]
        return y.reshape(len(rows), -1, *places)


class LowRankNoise:
    """Noise of low rank around the centre of a `LowRankStack`; see `popagents.population.noise.GaussianNoise`."""

    def __init__(self, stack: LowRankStack) -> None:
        self.stack = stack
        widths = {name: left.shape[2] + stack.right[name].shape[2] for name, left in stack.left.items()}
        self._sizes = {
            name: stack.rank * widths[name] if name in widths else math.prod(values.shape[1:])
            for name, values in stack.parameters.items()
        }

    def gather(self, centre: np.ndarray) -> None:
        """Let every member stand at a new centre: float32, (parameters,)."""
        self.stack.set_vector(slice(None), centre)
        self.recall(slice(None))

    def scatter(self, members: np.ndarray, key: np.uint64, sigma: float) -> None:
        """Put one member at the centre + sigma E; of two, the second at the centre - sigma E."""
        for name, drawn in self._drawn(np.array([key])).items():
            if name in self.stack.shifts:
                shift = drawn.reshape(self.stack.shifts[name].shape[1:])
                for member, sign in zip(members, (1, -1), strict=False):
                    self.stack.shifts[name][member] = np.float32(sign * sigma) * shift
            else:
                (left,), (right,) = self._factors(name, drawn)
                for member, sign in zip(members, (1, -1), strict=False):
                    self.stack.left[name][member] = np.float32(sign * sigma) * left
                    self.stack.right[name][member] = right

    def recall(self, member: int | slice) -> None:
        """Put a member back at the centre."""
        for values in (*self.stack.left.values(), *self.stack.shifts.values()):
            values[member] = 0

    def total(self, keys: np.ndarray, weights: np.ndarray, sigma: float) -> np.ndarray:
        """Add up sigma E of the keys, each times its weight: float32, (parameters,)."""
        scaled = (sigma * weights).astype(np.float32)
        totals = []
        for name, drawn in self._drawn(keys).items():
            if name in self.stack.shifts:
                totals.append(scaled @ drawn)
            else:
                left, right = self._factors(name, drawn)
                totals.append(np.tensordot(scaled[:, None, None] * left, right, axes=((0, 1), (0, 1))).ravel())
        return np.concatenate(totals)

    def _drawn(self, keys: np.ndarray) -> Parameters:
        """Draw what belongs to the keys: for each parameter (keys, numbers)."""
        numbers = np.stack([standard_normal(key, sum(self._sizes.values())) for key in keys])
        parts = np.split(numbers, np.cumsum([*self._sizes.values()])[:-1], axis=1)
        return dict(zip(self._sizes, parts, strict=True))

    def _factors(self, name: str, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cut numbers into A' / sqrt(rank) (keys, rank, outputs) and B' (keys, rank, inputs)."""
        rank, outputs = self.stack.left[name].shape[1:]
        left, right = np.split(drawn.reshape(len(drawn), rank, -1), [outputs], axis=2)
        return left / np.float32(math.sqrt(rank)), right


def matrix(filters: np.ndarray) -> np.ndarray:
    """Return a parameter (outputs, ...) as a matrix (outputs, inputs)."""
    return filters.reshape(len(filters), -1)


@njit(cache=True, fastmath=FAST, error_model="numpy")
def correct(y: np.ndarray, x: np.ndarray, left: np.ndarray, right: np.ndarray, rows: np.ndarray) -> None:
    """Add each row's own part of a product, left' (right x), to the shared part y (k, outputs)."""
    for i in range(len(rows)):
        for r in range(left.shape[1]):
            add_scaled(y[i], dot(right[rows[i], r], x[i]), left[rows[i], r])
