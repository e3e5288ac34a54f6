"""Spaces in the JSON of a model file: Box, Discrete, MultiDiscrete, MultiBinary, and Dicts of these."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium import spaces

MOST_BYTES = 2**23  # of one observation or action
MOST_PARTS = 1000  # of a Dict
MOST_BOUNDS = 2**15  # numbers that have bounds of their own
SPACES = {  # a space -> how it is described
    "Box": {"low", "high", "shape", "dtype"},
    "Discrete": {"n", "start"},
    "MultiDiscrete": {"nvec"},
    "MultiBinary": {"n"},
    "Dict": {"spaces"},
}
NUMBERS = (
    "bool",
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
)


def space_to_json(space: spaces.Space) -> dict[str, Any]:
    """Describe a Box, Discrete, MultiDiscrete or MultiBinary space, or a Dict of these, in JSON.

    Raises:
        ValueError: it is another space, or too large for a file.
    """
    if isinstance(space, spaces.Dict):
        check_parts(len(space.spaces))
        check_size([sum(map(bytes_of, space.spaces.values()))], np.int8)
        return {"kind": "Dict", "spaces": {name: space_to_json(part) for name, part in space.spaces.items()}}
    if isinstance(space, spaces.Box):
        check_size(space.shape, space.dtype)
        return box_to_json(space)
    if isinstance(space, (spaces.Discrete, spaces.MultiDiscrete)):
        check_size([int(np.sum(space.n if isinstance(space, spaces.Discrete) else space.nvec))], np.int8)
    if isinstance(space, spaces.Discrete):
        return {"kind": "Discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiDiscrete):
        return {"kind": "MultiDiscrete", "nvec": space.nvec.tolist()}
    if isinstance(space, spaces.MultiBinary):
        return {"kind": "MultiBinary", "n": space.n if isinstance(space.n, int) else list(space.n)}
    raise ValueError(
        f"observations are {space}; populations see Box, Discrete, MultiDiscrete and MultiBinary spaces, and Dicts of "
        "these: wrap the environment in gymnasium.wrappers.FlattenObservation"
    )


def box_to_json(space: spaces.Box) -> dict[str, Any]:
    """Describe a Box in JSON; a bound that all numbers share stands there once.

    Raises:
        ValueError: the bounds are too many to be told one by one.
    """
    bounds = [b.item(0) if (b == b.item(0)).all() else b.tolist() for b in (space.low, space.high)]
    if space.low.size > MOST_BOUNDS and any(isinstance(b, list) for b in bounds):
        raise ValueError(
            f"the Box of shape {space.shape} has bounds of their own for more than {MOST_BOUNDS} numbers, which model "
            "files do not hold; give all numbers the same bounds"
        )
    low, high = bounds
    return {"kind": "Box", "low": low, "high": high, "shape": list(space.shape), "dtype": str(space.dtype)}


def space_from_json(description: dict[str, Any], room: int = MOST_BYTES) -> spaces.Space:
    """Make the space that `space_to_json` described.

    Args:
        description: as it stands in a file.
        room: bytes that it may take.

    Raises:
        ValueError: it is none that this could have described.
    """
    settings = dict(description)
    kind = settings.pop("kind")
    if kind not in SPACES or set(settings) != SPACES[kind]:
        raise ValueError(f"a space is described by {description!s:.200}; it must be one of {', '.join(SPACES)}")
    if kind == "Box":
        return box_from_json(room, **settings)
    if kind == "Dict":
        return dict_from_json(settings["spaces"])
    sizes = settings["nvec" if kind == "MultiDiscrete" else "n"]
    if kind == "MultiBinary":
        check_size(sizes if isinstance(sizes, list) else [sizes], np.int8, room)
        return spaces.MultiBinary(sizes)
    values = np.asarray([*settings.values()])
    if values.dtype.kind != "i" or np.min(sizes) < 1:
        raise ValueError(f"a {kind} space of {settings!s:.200} cannot be; sizes are whole numbers, 1 or more")
    check_size([int(np.sum(sizes))], np.int8, room)
    return spaces.Discrete(**settings) if kind == "Discrete" else spaces.MultiDiscrete(sizes)


def dict_from_json(parts: Any) -> spaces.Dict:
    """Make a Dict, its parts in the order in which they stand there."""
    check_parts(len(parts))
    made, room = list[tuple[str, spaces.Space]](), MOST_BYTES
    for name, part in parts.items():
        if part["kind"] == "Dict":
            raise ValueError(f"the Dict's part {name!r:.80} is a Dict; policies see no Dicts in Dicts")
        made.append((name, space_from_json(part, room)))
        room -= bytes_of(made[-1][1])
    return spaces.Dict(made)


def check_parts(parts: int) -> None:
    """Refuse Dicts of so many parts that their modules take more memory than their numbers.

    Raises:
        ValueError: there are too many.
    """
    if parts > MOST_PARTS:
        raise ValueError(
            f"a Dict has {parts} parts, and {MOST_PARTS} are the most; put numbers that belong together in one"
        )


def bytes_of(space: spaces.Space) -> int:
    """Return how many bytes an observation of a space that is no Dict takes; a state takes one for each state."""
    return spaces.flatdim(space) * (space.dtype.itemsize if isinstance(space, spaces.Box) else 1)


def box_from_json(room: int, low: Any, high: Any, shape: list[int], dtype: str) -> spaces.Box:
    """Make a Box."""
    if dtype not in NUMBERS:
        raise ValueError(f"a Box has numbers of {dtype!s:.80}; they must be of {', '.join(NUMBERS)}")
    check_size(shape, np.dtype(dtype), room)
    lowest, highest = (np.broadcast_to(np.asarray(bound, dtype), shape) for bound in (low, high))
    return spaces.Box(lowest, highest, tuple(shape), np.dtype(dtype))


def check_size(shape: Iterable[int], dtype: Any, room: int = MOST_BYTES) -> None:
    """Refuse observations and actions that take more memory than a file may ask for.

    Raises:
        ValueError: they do, or the shape is none.
    """
    numbers = list(shape)
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError(f"a space has the shape {numbers!s:.80}; it must be of whole numbers")
    size = math.prod(numbers) * np.dtype(dtype).itemsize
    if size > room:
        raise ValueError(
            f"the space has the shape {tuple(numbers)} of {np.dtype(dtype)}, {size} bytes, and {room} are the most; "
            "make observations smaller, or store them in fewer bytes, for example as uint8"
        )
