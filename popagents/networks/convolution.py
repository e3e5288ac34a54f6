"""Stacks of convolutional networks in NumPy: patches of each picture times its own player's filters.

A picture is cut into patches, one a place where a filter stops, and one matrix product a picture gives all filters at
all places. The product is that picture's and that player's alone, so its bits do not depend on who plays beside it.
Measured against torch picture by picture on one core, this takes an eighth of the time for `SmallCNN`; large networks
gain less, as they spend it on arithmetic and on fetching weights.
"""

from typing import NamedTuple

import numpy as np
from torch import nn

from popagents.common.compiling import njit
from popagents.common.parameters import Parameters
from popagents.networks.dense import ACTIVATIONS, Activation, Layer, products, taken


class Convolution(NamedTuple):
    """One convolution, by the names of its parameters, and what follows it."""

    weight: str  # (members, filters, channels, height, width)
    bias: str  # (members, filters)
    stride: tuple[int, int]
    padding: tuple[int, int]
    activation: Activation | None


Stage = Convolution | Layer


def stages_of(modules: list[nn.Module], policy: nn.Module) -> list[Stage] | None:
    """Read a chain of modules; None unless it is convolutions, then linear layers, known nonlinearities between.

    Args:
        modules: the chain.
        policy: whose parameters' names the stages use.
    """
    names = {id(parameter): name for name, parameter in policy.named_parameters()}
    stages: list[Stage] = []
    for module in modules:
        if is_plain(module) and not (stages and isinstance(stages[-1], Layer)):
            shape = (module.stride, module.padding)
            stages.append(Convolution(names[id(module.weight)], names[id(module.bias)], *shape, None))  # type: ignore
        elif type(module) is nn.Linear and module.bias is not None:
            stages.append(Layer(names[id(module.weight)], names[id(module.bias)], None))
        elif type(module) in ACTIVATIONS and stages and stages[-1].activation is None:
            stages[-1] = stages[-1]._replace(activation=ACTIVATIONS[type(module)])
        elif not isinstance(module, (nn.Flatten, nn.Identity)):
            return None
    return stages


def is_plain(module: nn.Module) -> bool:
    """Tell whether a module is a convolution with a bias, zeros around it if any, no groups and no gaps."""
    return (
        type(module) is nn.Conv2d
        and module.bias is not None
        and module.groups == 1
        and module.dilation == (1, 1)
        and module.padding_mode == "zeros"
        and not isinstance(module.padding, str)
    )


def outputs(
    stages: list[Stage], parameters: Parameters, rows: np.ndarray, pictures: np.ndarray, scale: float
) -> np.ndarray:
    """Compute the last stage's outputs.

    Args:
        stages: the network.
        parameters: (members, *shape) by name.
        rows: int64, (k,), who sees each picture.
        pictures: (k, channels, height, width), any numbers.
        scale: what they are multiplied by.

    Returns:
        float32, (k, outputs); a row's bits do not depend on k nor on the other rows.
    """
    k, x, factor = len(rows), pictures, scale
    for stage in stages:
        weight, bias = parameters[stage.weight], parameters[stage.bias]
        if isinstance(stage, Convolution):
            columns, places = cut(stage, x, weight.shape[-2:], factor)
            y = np.matmul(taken(weight.reshape(*weight.shape[:2], -1), rows), columns)
            y += bias[rows][:, :, None]
            y = y.reshape(k, -1, *places)
            factor = 1.0
        else:
            y = products(x.reshape(k, 1, -1), weight, rows) + bias[rows][:, None]
        x = y if stage.activation is None else stage.activation.function(y)
    return x.reshape(k, -1)


def cut(
    stage: Convolution, pictures: np.ndarray, shape: tuple[int, int], factor: float
) -> tuple[np.ndarray, tuple[int, int]]:
    """Cut pictures (k, channels, height, width) into what each filter of a shape sees, and scale it.

    Returns:
        float32, (k, channels * height * width, places), a column a place; how many places down and to the right.
    """
    pictures = padded(pictures, *stage.padding)
    down, right = ((pictures.shape[i + 2] - shape[i]) // stage.stride[i] + 1 for i in (0, 1))
    return patches(pictures, np.float32(factor), shape, stage.stride, (down, right)), (down, right)


def padded(x: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Put zeros around pictures (a tenth of `np.pad`'s time)."""
    if not rows and not columns:
        return np.ascontiguousarray(x)
    out = np.zeros((*x.shape[:2], x.shape[2] + 2 * rows, x.shape[3] + 2 * columns), x.dtype)
    out[:, :, rows : rows + x.shape[2], columns : columns + x.shape[3]] = x
    return out


@njit(cache=True)
def patches(
    pictures: np.ndarray,
    factor: np.float32,
    shape: tuple[int, int],
    stride: tuple[int, int],
    number: tuple[int, int],
) -> np.ndarray:
    """Cut pictures into patches of a shape, so far apart and so many (down, to the right), and scale them.

    Returns:
        float32, (k, channels * height * width, tall * wide): a column a patch.
    """
    k, channels, rows, columns = pictures.shape
    (height, width), (down, right), (tall, wide) = shape, stride, number
    out = np.empty((k, channels, height, width, tall, wide), np.float32)
    line = np.empty(columns, np.float32)
    for n in range(k):
        for c in range(channels):
            for row in range(rows):
                for x in range(columns):
                    line[x] = np.float32(pictures[n, c, row, x]) * factor
                for i in range(row % down, height, down):  # in which lines of which patches this row lies
                    y = (row - i) // down
                    if 0 <= y < tall:
                        for j in range(width):
                            place = out[n, c, i, j, y]
                            for x in range(wide):
                                place[x] = line[x * right + j]
    return out.reshape(k, channels * height * width, tall * wide)
