"""Model files: a zip of safetensors arrays and one JSON, read without pickle, written beside and renamed.

A model file holds `arrays.safetensors` (every array) and `model.json` (everything else). Reading one never runs code
from it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from popagents.common.archive import pack, unpack
from popagents.common.file_classes import named_class
from popagents.common.whole_files import replace_file


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
