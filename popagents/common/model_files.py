"""Model files: a zip of safetensors arrays and one JSON, read without pickle, written beside and renamed.

A model file holds `arrays.safetensors` (every array) and `model.json` (everything else). Reading one never runs code
from it.
"""

import importlib
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

TRUSTED = ("torch.nn", "torch.optim", "stable_baselines3", "sb3_contrib", "popagents")  # classes that a file may name


def write(path: Any, arrays: dict[str, np.ndarray], description: dict[str, Any]) -> None:
    """Write a model file; whatever stood at `path` stays untouched until the new file is whole.

    Args:
        path: where, `.zip` is added if there is no suffix; or a binary file object.
        arrays: by name.
        description: JSON-able.

    Raises:
        OSError: the disk is full or the folder cannot be written; what was there before is unchanged.
    """
    content = packed(arrays, description)
    if hasattr(path, "write"):
        path.write(content)
    else:
        replace_file(with_suffix(path), content)


def packed(arrays: dict[str, np.ndarray], description: dict[str, Any]) -> bytes:
    """Return what a model file holds."""
    ordered = {k: v if v.flags.c_contiguous else v.copy() for k, v in arrays.items()}  # keeps 0-d arrays as they are
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("model.json", json.dumps(description, indent=1))
        file.writestr("arrays.safetensors", save_arrays(ordered))
    return content.getvalue()


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
    if not hasattr(path, "read"):
        path = with_suffix(path)
        if not path.exists():
            raise FileNotFoundError(f"there is no model file {path}")
    try:
        with zipfile.ZipFile(path) as file:
            return load_arrays(file.read("arrays.safetensors")), json.loads(file.read("model.json"))
    except Exception as error:  # zip, JSON and safetensors each have their own
        raise ValueError(
            f"{path} is not a model file of popzoo, or it is damaged ({type(error).__name__}: {error}); load another "
            "checkpoint, or train again"
        ) from error


def with_suffix(path: Any) -> Path:
    """Return the path, with `.zip` added unless it ends so."""
    path = Path(path)
    return path if path.suffix == ".zip" else path.with_name(path.name + ".zip")


def space_to_json(space: spaces.Space) -> dict[str, Any]:
    """Describe a Box, Discrete, MultiDiscrete or MultiBinary space in JSON.

    Raises:
        ValueError: it is another space.
    """
    if isinstance(space, spaces.Box):
        return box_to_json(space)
    if isinstance(space, spaces.Discrete):
        return {"kind": "Discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiDiscrete):
        return {"kind": "MultiDiscrete", "nvec": space.nvec.tolist()}
    if isinstance(space, spaces.MultiBinary):
        return {"kind": "MultiBinary", "n": list(space.shape)}
    raise ValueError(
        f"observations are {space}; populations see Box, Discrete, MultiDiscrete and MultiBinary spaces: wrap the "
        "environment in gymnasium.wrappers.FlattenObservation"
    )


def box_to_json(space: spaces.Box) -> dict[str, Any]:
    """Describe a Box in JSON; a bound that all numbers share stands there once."""
    low, high = (b.item(0) if (b == b.item(0)).all() else b.tolist() for b in (space.low, space.high))
    return {"kind": "Box", "low": low, "high": high, "shape": list(space.shape), "dtype": str(space.dtype)}


def space_from_json(description: dict[str, Any]) -> spaces.Space:
    """Make the space that `space_to_json` described."""
    settings = dict(description)
    kind = settings.pop("kind")
    if kind == "Box":
        dtype = np.dtype(settings.pop("dtype"))
        low, high = (np.asarray(settings.pop(k), dtype) for k in ("low", "high"))
        shape = tuple(settings["shape"])
        return spaces.Box(np.broadcast_to(low, shape), np.broadcast_to(high, shape), shape, dtype)
    return getattr(spaces, kind)(**settings)


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


def from_json(value: Any) -> Any:
    """Turn what `to_json` wrote back into settings.

    Raises:
        ValueError: it names a class from a package that model files may not name.
    """
    if isinstance(value, list):
        return [from_json(v) for v in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"class"}:
        return trusted_class(value["class"])
    return {k: from_json(v) for k, v in value.items()}


def trusted_class(name: str) -> type:
    """Import the class "module:Name" if its package is one that model files may name."""
    module, _, qualname = name.partition(":")
    if not any(module == package or module.startswith(package + ".") for package in TRUSTED):
        raise ValueError(
            f"the model file names the class {name}, which is not of {', '.join(TRUSTED)}; pass the class yourself: "
            "load(path, custom_objects={'policy': ..., 'policy_kwargs': ...})"
        )
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    if not isinstance(found, type):
        raise ValueError(f"the model file names {name}, which is not a class")
    return found
