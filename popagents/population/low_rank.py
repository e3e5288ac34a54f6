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

from popagents.common.actors import Actors, check_members
from popagents.common.compiling import njit
from popagents.common.normal import standard_normal
from popagents.common.parameters import Parameters, set_rows
from popagents.networks import convolution
from popagents.networks.convolution import Convolution
from popagents.networks.dense import Layer
from popagents.networks.kernels import FAST, add_scaled, dot
from popagents.networks.shared_product import shared_product
from popagents.population.design import Design
from popagents.population.noise import Noise, Perturbed


class LowRankPopulation(Actors):
    """Members that differ from a common centre by matrices of low rank.

    Attributes:
        size: how many they are.
        centre: its parameters: float32 arrays (1, *shape).
        left: by a matrix's name, its members' sigma A' / sqrt(rank): float32, (members, rank, outputs).
        right: likewise B': float32, (members, rank, inputs).
        shifts: sigma e of all other parameters: float32, (members, *shape).
    """

    def __init__(self, design: Design, size: int, rank: int) -> None:
        self.design, self.actions, self.size = design, design.actions, size
        self.centre = design.copies(1)
        self.left: Parameters = {}
        self.right: Parameters = {}
        self.shifts: Parameters = {}
        for name, shape in design.shapes.items():
            if len(shape) > 1:
                self.left[name] = np.zeros((size, rank, shape[0]), np.float32)
                self.right[name] = np.zeros((size, rank, math.prod(shape[1:])), np.float32)
            else:
                self.shifts[name] = np.zeros((size, *shape), np.float32)

    def act(self, who: np.ndarray, observations: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
        """Choose one action per row; arguments and errors as in `Population.act`."""
        check_members(who, self.size)
        log_std = self.own("log_std", who) if "log_std" in self.centre else None
        return self.design.actions.choose(self.outputs(who, observations), noise, log_std)

    def outputs(self, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
        """Return each row's outputs for its observation: float32, (k, n_outputs).

        A row has the same bits whoever sits beside it. Networks that are no chain of convolutions and dense layers
        share nothing, and go through torch row by row.
        """
        design = self.design
        stages = design.layers or design.stages
        if stages is None:
            own = {name: self.own(name, rows) for name in self.centre}
            return design.through_torch(own, np.arange(len(rows)), observations)
        x, factor = (design.flat(observations), 1.0) if design.layers else (observations, design.pixel_scale)
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
        values = self.centre[name]
        if name in self.shifts:
            return values + self.shifts[name][rows]
        change = np.matmul(self.left[name][rows].transpose(0, 2, 1), self.right[name][rows])
        return values + change.reshape(len(rows), *values.shape[1:])

    def _multiply(self, layer: Layer, rows: np.ndarray, x: np.ndarray) -> np.ndarray:
        x = np.ascontiguousarray(x, np.float32)
        y = shared_product(x, self.centre[layer.weight][0])
        correct(y, x, self.left[layer.weight], self.right[layer.weight], rows)
        y += self.own(layer.bias, rows)
        return y

    def _convolve(self, stage: Convolution, rows: np.ndarray, pictures: np.ndarray, factor: float) -> np.ndarray:
        filters = self.centre[stage.weight][0]
        columns, places = convolution.cut(stage, pictures, filters.shape[-2:], factor)
        left, right = self.left[stage.weight][rows], self.right[stage.weight][rows]
        y = matrix(filters) @ columns
        y += left.transpose(0, 2, 1) @ (right @ columns)
        y += self.own(stage.bias, rows)[:, :, None]
        return y.reshape(len(rows), -1, *places)


class LowRankNoise(Noise):
    """Noise of low rank around one parent.

    Args:
        shapes: of a member's parameters, by name.
        rank: of the noise on each matrix.
    """

    def __init__(self, shapes: dict[str, tuple[int, ...]], rank: int) -> None:
        self.shapes, self.rank = shapes, rank
        self._sizes = {
            name: math.prod(shape) if len(shape) < 2 else rank * (shape[0] + math.prod(shape[1:]))
            for name, shape in shapes.items()
        }
        self._room: LowRankPopulation | None = None

    def seated(self, members: Perturbed, design: Design) -> LowRankPopulation:
        """Write the centre's parameters and every member's factors."""
        size = len(members.keys)
        if self._room is None or len(next(iter(self._room.left.values()))) != size:
            self._room = LowRankPopulation(design, size, self.rank)
        population, scales = self._room, (np.float32(members.sigma) * members.signs).astype(np.float32)
        set_rows(population.centre, 0, members.parents[0])
        own, which = np.unique(members.keys, return_inverse=True)  # a mirrored pair's noise is drawn once
        for name, numbers in self._drawn(own).items():
            self._write(population, name, numbers[which], scales)
        return population

    def _write(self, population: LowRankPopulation, name: str, drawn: np.ndarray, scales: np.ndarray) -> None:
        """Write what was drawn for one parameter, (members, numbers), times each member's scale, (members,)."""
        if name in population.shifts:
            shifts = scales[:, None] * drawn
            population.shifts[name][:] = shifts.reshape(population.shifts[name].shape)
        else:
            left, population.right[name][:] = self._factors(name, drawn)
            population.left[name][:] = scales[:, None, None] * left

    def vectors(self, members: Perturbed, who: np.ndarray) -> np.ndarray:
        """Draw some members' parameters anew."""
        weights = (np.float32(members.sigma) * members.signs[who]).astype(np.float32)
        noise = [self.total(members.keys[[m]], weights[[i]], 1.0) for i, m in enumerate(who.tolist())]
        return members.parents[0] + np.stack(noise)

    def total(self, keys: np.ndarray, weights: np.ndarray, sigma: float) -> np.ndarray:
        """Draw the factors of every key again, and add up their products."""
        scaled = (sigma * weights).astype(np.float32)
        totals = []
        for name, drawn in self._drawn(keys).items():
            if len(self.shapes[name]) < 2:
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
        left, right = np.split(drawn.reshape(len(drawn), self.rank, -1), [self.shapes[name][0]], axis=2)
        return left / np.float32(math.sqrt(self.rank)), right


def matrix(filters: np.ndarray) -> np.ndarray:
    """Return a parameter (outputs, ...) as a matrix (outputs, inputs)."""
    return filters.reshape(len(filters), -1)


@njit(cache=True, fastmath=FAST, error_model="numpy")
def correct(y: np.ndarray, x: np.ndarray, left: np.ndarray, right: np.ndarray, rows: np.ndarray) -> None:
    """Add each row's own part of a product, left' (right x), to the shared part y (k, outputs)."""
    for i in range(len(rows)):
        for r in range(left.shape[1]):
            add_scaled(y[i], dot(right[rows[i], r], x[i]), left[rows[i], r])
