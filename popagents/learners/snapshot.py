"""What a model file holds: a run's state as arrays under the names of its fields, and everything else as JSON.

Arrays: `state/<field>/...` for the learner's state, `fitness`, `lineage/<column>`, and `policy/<name>` for the weights
that `predict` uses. JSON: format, learner, designs, spaces, settings, run_seed and the run's counts.
"""

import dataclasses
import inspect
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from popagents.common import model_files
from popagents.common.lineage import ROW
from popagents.learners.run import Run
from popagents.learners.settings import Shared

FORMAT = 2  # 0.1 wrote files without a format
KEPT = ("episodes", "verbose", "stats_window_size")  # of the settings that all learners share
NOT_SETTINGS = {"policy", "env", *Shared.__annotations__}
COUNTS = ("generation", "timesteps", "steps_lived", "champion", "evaluated", "evaluation_timesteps")
COLUMNS = list(ROW.names or ())


def pack(
    model: Any, exclude: Iterable[str] = (), include: Iterable[str] = ()
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays and the description of a `PopulationAlgorithm`, as the current generation began.

    Args:
        model: the model.
        exclude: settings that the description leaves out; other names are not in it anyway.
        include: settings that it keeps in spite of `exclude`.

    Raises:
        ValueError: `include` names what no file can hold.
    """
    run, settings = model.loop.run, settings_of(model)
    if foreign := sorted(set(include) - set(settings)):
        raise ValueError(f"include names {', '.join(foreign)}; a file holds the settings {', '.join(settings)}")
    left_out = set(exclude) - set(include)
    arrays = {f"policy/{name}": value.cpu().numpy() for name, value in model.policy.state_dict().items()}
    arrays |= flat(run.state, "state") | {"fitness": run.fitness}
    arrays |= {f"lineage/{name}": model.lineage[name] for name in COLUMNS}
    description = {
        "format": FORMAT,
        "learner": type(model).__name__,
        "designs": model_files.to_json([list(design) for design in model.designs]),
        "observation_space": model_files.space_to_json(model.observation_space),
        "action_space": model_files.space_to_json(model.action_space),
        "settings": {name: value for name, value in settings.items() if name not in left_out},
        "run_seed": model.run_seed,
        "counts": {name: getattr(run, name) for name in COUNTS},
    }
    return arrays, description


def settings_of(model: Any) -> dict[str, Any]:
    """Return a model's settings as a file holds them: JSON by the names of its class's arguments.

    Raises:
        AttributeError: the model does not keep an argument under its name.
        ValueError: a setting has no form in JSON.
    """
    parameters = inspect.signature(type(model)).parameters.values()
    own = [p.name for p in parameters if p.name not in NOT_SETTINGS and p.kind is not p.VAR_KEYWORD]
    for name in own:
        if not hasattr(model, name):
            raise AttributeError(
                f"{type(model).__name__} takes {name!r}, which a file must hold, and has no attribute of that name; "
                f"set self.{name} in its __init__, before super().__init__"
            )
    return {name: model_files.to_json(getattr(model, name)) for name in [*own, *KEPT]}


def arguments(
    learner: type, description: dict[str, Any], custom: dict[str, Any], changes: dict[str, Any]
) -> dict[str, Any]:
    """Return the keywords with which a file's learner is made again.

    Args:
        learner: the class that is to load it.
        description: the file's JSON.
        custom: `policy` and `policy_kwargs` in place of the file's.
        changes: settings in place of the file's; `seed` is ignored.

    Raises:
        ValueError: the file is of another format or learner, or names a class that files may not name.
    """
    if description.get("format") != FORMAT:
        raise ValueError(
            f"the file has format {description.get('format', '0.1')}; this version of popzoo reads format {FORMAT}: "
            "load it with the version that saved it, or train again"
        )
    if description["learner"] != learner.__name__:
        raise ValueError(f"the file was saved by {description['learner']}; load it with {description['learner']}.load")
    designs = [[None, None]] if "policy" in custom else model_files.from_json(description["designs"])
    named = {
        "policy": custom.get("policy", [design[0] for design in designs]),
        "policy_kwargs": custom.get("policy_kwargs", [design[1] for design in designs]),
        "seed": description["run_seed"],
    }
    return description["settings"] | {k: v for k, v in changes.items() if k not in ("seed", "policy_kwargs")} | named


def run_of(model: Any, arrays: dict[str, np.ndarray], description: dict[str, Any]) -> tuple[Run[Any], np.ndarray]:
    """Return a file's run and lineage.

    Args:
        model: a fresh model of the file's settings; its state says what the arrays must be like.
        arrays: the file's.
        description: the file's JSON.

    Raises:
        ValueError: an array is missing, or is not like a fresh model's.
    """
    lineage = np.empty(len(arrays["lineage/member"]), ROW)
    for name in COLUMNS:
        lineage[name] = arrays[f"lineage/{name}"]
    fresh = model.loop.run
    fitness = arrays["fitness"].copy()
    if len(fitness) != model.population_size:
        fitness = fresh.fitness  # nobody of a population of this size has lived
    state = filled(fresh.state, arrays, "state")
    return Run(state, fitness, rows=len(lineage), **description["counts"]), lineage


def fill_policy(model: Any, arrays: dict[str, np.ndarray]) -> None:
    """Give `model.policy` the weights that `predict` used."""
    with torch.no_grad():
        for name, value in model.policy.state_dict().items():
            value.copy_(torch.from_numpy(arrays[f"policy/{name}"]))


def flat(value: Any, name: str) -> dict[str, np.ndarray]:
    """Return every array and number under a value (dataclass, dict, list) by the path of names that leads to it."""
    if dataclasses.is_dataclass(value):
        parts = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    elif isinstance(value, dict):
        parts = value
    elif isinstance(value, list):
        parts = {str(i): part for i, part in enumerate(value)}
    else:
        return {name: np.asarray(value)}
    return {k: v for key, part in parts.items() for k, v in flat(part, f"{name}/{key}").items()}


def filled(example: Any, arrays: dict[str, np.ndarray], name: str) -> Any:
    """Return a value like `example` that holds what `flat` gave.

    Raises:
        ValueError: an array is missing or has another shape or dtype than the example's; one that has no rows in the
            example may have any number of them.
    """
    if dataclasses.is_dataclass(example) and not isinstance(example, type):
        fields = {field.name: getattr(example, field.name) for field in dataclasses.fields(example)}
        return dataclasses.replace(example, **filled(fields, arrays, name))
    if isinstance(example, dict):
        return {key: filled(part, arrays, f"{name}/{key}") for key, part in example.items()}
    if isinstance(example, list):
        return [filled(part, arrays, f"{name}/{i}") for i, part in enumerate(example)]
    expected = np.asarray(example)
    array = arrays.get(name, np.zeros(0))
    shape = array.shape[1:] if expected.shape[:1] == (0,) else array.shape
    if shape != (expected.shape[1:] if expected.shape[:1] == (0,) else expected.shape) or array.dtype != expected.dtype:
        raise ValueError(
            f"the file's array {name!r} is {array.dtype} {array.shape if name in arrays else '(missing)'}; a model of "
            f"these settings has {expected.dtype} {expected.shape}: load it with the settings it was saved with, or "
            "train anew"
        )
    return array.copy() if isinstance(example, np.ndarray) else type(example)(array.item())
