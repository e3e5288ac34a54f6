"""What a model file holds: a run's state as arrays under the names of its fields, and everything else as JSON.

Arrays: `state/<field>/...` for the learner's state, `fitness`, `lineage/<column>`, and `policy/<name>` for the weights
that `predict` uses. JSON: format, learner, designs, spaces, settings, run_seed and the run's counts.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from popagents.common import model_files
from popagents.common.lineage import ROW, Transmission
from popagents.common.space_json import space_to_json
from popagents.learners.file_settings import FORMAT, kept, settings_of
from popagents.learners.run import Run
from popagents.learners.state_checks import finite
from popagents.population.design import tensors_of

COUNTS = ("generation", "timesteps", "steps_lived", "champion", "evaluated", "evaluation_timesteps")
COLUMNS = list(ROW.names or ())


def pack(
    model: Any, lineage: np.ndarray, exclude: Iterable[str] = (), include: Iterable[str] = ()
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays and the description of a `PopulationAlgorithm`, as the current generation began.

    Args:
        model: the model.
        lineage: rows that are to be in the file: the model's, or none where they are kept elsewhere.
        exclude: settings that the description leaves out; other names are not in it anyway.
        include: settings that it keeps in spite of `exclude`.

    Raises:
        ValueError: `include` names what no file can hold.
    """
    description = description_of(model)
    settings = kept(description["settings"], set(exclude), set(include))
    return arrays_of(model, lineage), description | {"settings": settings}


def arrays_of(model: Any, lineage: np.ndarray) -> dict[str, np.ndarray]:
    """Return a model's arrays, and rows of a lineage, by the names that a file gives them."""
    run = model.loop.run
    arrays = {f"policy/{name}": value.cpu().numpy() for name, value in tensors_of(model.policy).items()}
    arrays |= flat(run.state, "state") | {"fitness": run.fitness}
    return arrays | {f"lineage/{name}": lineage[name] for name in COLUMNS}


def description_of(model: Any) -> dict[str, Any]:
    """Return all that a file holds of a model as JSON."""
    return {
        "format": FORMAT,
        "learner": type(model).__name__,
        "designs": model_files.to_json([list(design) for design in model.designs]),
        "observation_space": space_to_json(model.observation_space),
        "action_space": space_to_json(model.action_space),
        "box_actions": box_actions(model),
        "settings": settings_of(model),
        "run_seed": model.run_seed,
        "counts": {name: getattr(model.loop.run, name) for name in COUNTS},
    }


def run_of(
    model: Any, example: Any, arrays: dict[str, np.ndarray], description: dict[str, Any]
) -> tuple[Run[Any], np.ndarray]:
    """Return a file's run and lineage.

    Args:
        model: of the file's settings.
        example: a state of this model, whose arrays the file's must be like.
        arrays: the file's.
        description: the file's JSON.

    Raises:
        ValueError: an array is missing, is not like the example's or not among them, or a number cannot be.
    """
    check_box_actions(model, description)
    lineage = lineage_of(arrays)
    fitness = checked_array(np.zeros(0), arrays, "fitness").copy()
    if np.isinf(fitness).any():
        raise ValueError("the file's array 'fitness' holds infinite numbers")
    counts = checked_counts(description["counts"], len(fitness))
    if len(fitness) != model.population_size:
        fitness = np.full(model.population_size, np.nan)  # nobody of a population of this size has lived
    state = filled(example, arrays, "state")
    others = [name for name in arrays if not name.startswith("policy/")]
    check_names(others, {*flat(example, "state"), "fitness", *(f"lineage/{name}" for name in COLUMNS)})
    model.check_state(state)
    return Run(state, fitness, rows=len(lineage), **counts), lineage


def check_names(names: list[str], known: set[str]) -> None:
    """Refuse arrays that no model of these settings has.

    Raises:
        ValueError: there are some.
    """
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"the file's array {unknown[0]!r:.200} is none that a model of these settings has")


def checked_counts(counts: dict[str, int], members: int) -> dict[str, int]:
    """Return a run's counts.

    Raises:
        ValueError: their names are others, or one is no whole number or out of its range.
    """
    if not isinstance(counts, dict) or set(counts) != set(COUNTS):
        raise ValueError(f"the counts are {counts!s:.200}; they must be {', '.join(COUNTS)}")
    most = {"champion": members - 1, "evaluated": counts["generation"]}
    for name, count in counts.items():
        if type(count) is not int or not 0 <= count <= most.get(name, 2**53):
            raise ValueError(f"the count {name} is {count!s:.80}; it must be a whole number from 0, within its run")
    return counts


def lineage_of(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Return a file's lineage.

    Raises:
        ValueError: a column is missing, of another length or dtype, or holds what no lineage can.
    """
    columns = {name: arrays.get(f"lineage/{name}", np.zeros(0, "V1")) for name in COLUMNS}
    lineage = np.empty(len(columns["member"]), ROW)
    for name, column in columns.items():
        lowest = {"parent": -1, "second_parent": -1, "fitness": -np.inf}.get(name, 0)
        if column.shape != lineage.shape or column.dtype != ROW[name] or (column < lowest).any():
            raise ValueError(f"the file's array 'lineage/{name}' is {column.dtype} {column.shape}, or out of range")
        lineage[name] = column
    if (lineage["transmission"] > max(Transmission)).any():
        raise ValueError("the file's array 'lineage/transmission' is out of range")
    return lineage


def fill_policy(model: Any, arrays: dict[str, np.ndarray]) -> None:
    """Give `model.policy` the weights that `predict` used.

    Raises:
        ValueError: the file's are not like the policy's, or not finite.
    """
    own = {f"policy/{name}": value for name, value in tensors_of(model.policy).items()}
    check_names([name for name in arrays if name.startswith("policy/")], set(own))
    for name, value in own.items():
        array = checked_array(value.cpu().numpy(), arrays, name, rows_vary=False)
        finite(array, name)
        with torch.no_grad():
            value.copy_(torch.from_numpy(array.copy()))


def check_box_actions(model: Any, description: dict[str, Any]) -> None:
    """Refuse a file whose policies' outputs became actions of a Box in another way than they do now.

    Raises:
        ValueError: they did.
    """
    saved, now = description["box_actions"], box_actions(model)
    if saved != now:
        raise ValueError(
            f"outputs became actions of a Box by {saved} when the file was saved, and do by {now} now; load it with "
            "the version of popzoo and the policy class that saved it, or train again"
        )


def box_actions(model: Any) -> list[str]:
    """Return, one a design, how outputs become actions of a Box: "clipped", or mapped to the "bounds"."""
    designs = model.workspace.designs
    return ["clipped" if design.actions.bounds is None else "bounds" for design in designs]


def parameters_of(given: Any) -> Any:
    """Return what `set_parameters` was given, read from the file if it is one, as SB3 wants it: tensors by name."""
    if isinstance(given, dict):
        return given
    arrays, _ = model_files.read(given)
    named = {name.partition("/")[2]: values for name, values in arrays.items() if name.startswith("policy/")}
    return {"policy": {name: torch.from_numpy(values) for name, values in named.items()}}


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
        ValueError: see `checked_array`.
    """
    if dataclasses.is_dataclass(example) and not isinstance(example, type):
        fields = {field.name: getattr(example, field.name) for field in dataclasses.fields(example)}
        return dataclasses.replace(example, **filled(fields, arrays, name))
    if isinstance(example, dict):
        return {key: filled(part, arrays, f"{name}/{key}") for key, part in example.items()}
    if isinstance(example, list):
        return [filled(part, arrays, f"{name}/{i}") for i, part in enumerate(example)]
    array = checked_array(np.asarray(example), arrays, name)
    return array.copy() if isinstance(example, np.ndarray) else type(example)(array.item())


def checked_array(expected: np.ndarray, arrays: dict[str, np.ndarray], name: str, rows_vary: bool = True) -> np.ndarray:
    """Return a file's array if it is like the expected one.

    Raises:
        ValueError: it is missing or has another shape or dtype; where none of its rows are expected, it may have any
            number of them if `rows_vary`.
    """
    array, axis = arrays.get(name, np.zeros(0, "V1")), int(rows_vary and expected.shape[:1] == (0,))
    alike = array.ndim == expected.ndim and array.shape[axis:] == expected.shape[axis:]
    if not alike or array.dtype != expected.dtype:
        found = f"{array.dtype} {array.shape}" if name in arrays else "missing"
        raise ValueError(
            f"the file's array {name!r} is {found}; a model of these settings has {expected.dtype} {expected.shape}: "
            "load it with the settings it was saved with, or train anew"
        )
    return array
