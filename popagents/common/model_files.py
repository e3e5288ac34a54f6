"""Model files: a zip of safetensors arrays and one JSON, read without pickle, written beside and renamed.

A model file holds `arrays.safetensors` (every array) and `model.json` (everything else). Reading one never runs code
from it.
"""

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from popagents.common.archive import pack, unpack
from popagents.common.file_classes import named_class

MOST_BYTES = 2**23  # of one observation or action
MOST_BOUNDS = 2**15  # numbers that have bounds of their own
SPACES = {  # a space -> how it is described
    "Box": {"low", "high", "shape", "dtype"},
    "Discrete": {"n", "start"},
    "MultiDiscrete": {"nvec"},
    "MultiBinary": {"n"},
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


def write(path: Any, arrays: dict[str, np.ndarray], description: dict[str, Any]) -> None:
    """Write a model file; whatever stood at `path` stays untouched until the new file is whole.

    Args:
        path: where, `.zip` is added if there is no suffix; or a binary file object.
        arrays: by name.
        description: JSON-able.

    Raises:
        OSError: the disk is full or the folder cannot be written; what was there before is unchanged.
    """
    content = pack(arrays, description)
    if hasattr(path, "write"):
        path.write(content)
    else:
        replace_file(with_suffix(path), content)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file beside `path`, and rename it once it is whole.

    Raises:
        OSError: the disk is full or the folder cannot be written; what was there before is unchanged.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_through(beside, content)
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        kept = "the file that stood there is unchanged" if path.exists() else "nothing was written"
        raise OSError(
            error.errno, f"could not save to {path} ({error.strerror}); {kept}; free space or save elsewhere"
        ) from error


def write_through(path: Path, content: bytes) -> None:
    """Write a file, and wait until it is on the disk."""
    with open(path, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def read(path: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read a model file.

    Returns:
        The arrays and the description.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a model file of this package, or it is damaged.
    """
    if hasattr(path, "read"):
        return unpacked(path, path)
    path = with_suffix(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no model file {path}")
    with open(path, "rb") as stream:
        return unpacked(stream, path)


def unpacked(stream: Any, path: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays and the description in an open file; see `read`."""
    try:
        return unpack(stream)
    except Exception as error:  # zip, JSON and arrays each have their own
        raise ValueError(
            f"{path} is not a model file of popzoo, or it is damaged ({type(error).__name__}: {error!s:.300}); load "
            "another checkpoint, or train again"
        ) from error


@contextmanager
def refusing(path: Any) -> Iterator[None]:
    """Turn whatever goes wrong with a file's content into one kind of error.

    Raises:
        ValueError: something went wrong; it names the file and the reason.
    """
    try:
        yield
    except Exception as error:
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        raise ValueError(f"{path} cannot be loaded: {kind}{error!s:.1000}") from error


def with_suffix(path: Any) -> Path:
    """Return the path, with `.zip` added unless it ends so."""
    path = Path(path)
    return path if path.suffix == ".zip" else path.with_name(path.name + ".zip")


def space_to_json(space: spaces.Space) -> dict[str, Any]:
    """Describe a Box, Discrete, MultiDiscrete or MultiBinary space in JSON.

    Raises:
        ValueError: it is another space, or too large for a file.
    """
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
        f"observations are {space}; populations see Box, Discrete, MultiDiscrete and MultiBinary spaces: wrap the "
        "environment in gymnasium.wrappers.FlattenObservation"
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


def space_from_json(description: dict[str, Any]) -> spaces.Space:
    """Make the space that `space_to_json` described.

    Raises:
        ValueError: it is none that this could have described.
    """
    settings = dict(description)
    kind = settings.pop("kind")
    if kind not in SPACES or set(settings) != SPACES[kind]:
        raise ValueError(f"a space is described by {description!s:.200}; it must be one of {', '.join(SPACES)}")
    if kind == "Box":
        return box_from_json(**settings)
    sizes = settings["nvec" if kind == "MultiDiscrete" else "n"]
    if kind == "MultiBinary":
        check_size(sizes if isinstance(sizes, list) else [sizes], np.int8)
        return spaces.MultiBinary(sizes)
    values = np.asarray([*settings.values()])
    if values.dtype.kind != "i" or np.min(sizes) < 1:
        raise ValueError(f"a {kind} space of {settings!s:.200} cannot be; sizes are whole numbers, 1 or more")
    check_size([int(np.sum(sizes))], np.int8)
    return spaces.Discrete(**settings) if kind == "Discrete" else spaces.MultiDiscrete(sizes)


def box_from_json(low: Any, high: Any, shape: list[int], dtype: str) -> spaces.Box:
    """Make a Box."""
    if dtype not in NUMBERS:
        raise ValueError(f"a Box has numbers of {dtype!s:.80}; they must be of {', '.join(NUMBERS)}")
    check_size(shape, np.dtype(dtype))
    lowest, highest = (np.broadcast_to(np.asarray(bound, dtype), shape) for bound in (low, high))
    return spaces.Box(lowest, highest, tuple(shape), np.dtype(dtype))


def check_size(shape: Iterable[int], dtype: Any) -> None:
    """Refuse observations and actions that take more memory than a file may ask for.

    Raises:
        ValueError: they do, or the shape is none.
    """
    numbers = list(shape)
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError(f"a space has the shape {numbers!s:.80}; it must be of whole numbers")
    size = math.prod(numbers) * np.dtype(dtype).itemsize
    if size > MOST_BYTES:
        raise ValueError(
            f"the space has the shape {tuple(numbers)} of {np.dtype(dtype)}, {size} bytes, and {MOST_BYTES} are the "
            "most; make observations smaller, or store them in fewer bytes, for example as uint8"
        )


def to_json(value: Any) -> Any:
    """Turn settings into JSON; classes become {"class": "module:Name"}.

    Raises:
        ValueError: a value has no such form.
    """
    if isinstance(value, type):
        return {"class": f"{value.__module__}:{value.__qualname__}"}
    if isinstance(value, dict):
        return {str(k): to_json(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(v) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise ValueError(f"the setting {value!r} cannot be saved; use numbers, strings, lists, dicts and classes")


def from_json(value: Any, place: str = "") -> Any:
    """Turn what `to_json` wrote back into settings.

    Args:
        value: of the file.
        place: the name under which it stands there, which says what a class must be.

    Raises:
        ValueError: it names a class that files may not name there.
    """
    if isinstance(value, list):
        return [from_json(v, place) for v in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"class"}:
        return named_class(value["class"], place)
    return {k: from_json(v, k) for k, v in value.items()}
