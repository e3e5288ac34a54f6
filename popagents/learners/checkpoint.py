"""What a model file holds: a population algorithm's whole state as arrays and JSON, and back."""

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from stable_baselines3.common.utils import check_for_correct_spaces

from popagents.common import model_files as saving
from popagents.common.lineage import ROW, Lineage

if TYPE_CHECKING:
    from popagents.learners.base import PopulationAlgorithm

NOT_SETTINGS = {"policy", "env", "policy_kwargs", "tensorboard_log", "verbose", "device", "seed", "_init_setup_model"}
FIELDS = list(ROW.names or ())


def pack(model: "PopulationAlgorithm") -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return a model's arrays and its description, as of the beginning of the current generation."""
    arrays = {f"policy/{name}": value.cpu().numpy() for name, value in model.policy.state_dict().items()}
    for design, stack in enumerate(model.population.stacks if model.stores_members else ()):
        arrays |= {f"population/{design}/{name}": values for name, values in stack.parameters.items()}
    arrays |= {f"lineage/{name}": model.lineage[name] for name in FIELDS}
    arrays |= {f"learner/{name}": values for name, values in model.learner_arrays().items()}
    settings = [name for name in inspect.signature(type(model)).parameters if name not in NOT_SETTINGS]
    description = {
        "learner": type(model).__name__,
        "designs": saving.to_json([list(design) for design in model.designs]),
        "observation_space": saving.space_to_json(model.observation_space),
        "action_space": saving.space_to_json(model.action_space),
        "settings": {name: saving.to_json(getattr(model, name)) for name in settings},
        "counts": model.counts(),
        "champion": model.champion,
    }
    return arrays | {"fitness": model.fitness}, description


def unpack(model: "PopulationAlgorithm", arrays: dict[str, np.ndarray], description: dict[str, Any]) -> None:
    """Give a model that was made with `_init_setup_model=False` the state that `pack` returned."""
    spaces = {k: saving.space_from_json(description[k]) for k in ("observation_space", "action_space")}
    if model.env is not None:
        check_for_correct_spaces(model.env, **spaces)
    model.__dict__.update(spaces | description["counts"])
    model._setup_model()
    for design, stack in enumerate(model.population.stacks if model.stores_members else ()):
        for name in stack.parameters:
            stack.parameters[name][:] = arrays[f"population/{design}/{name}"]
    rows = np.empty(len(arrays["lineage/member"]), ROW)
    for name in FIELDS:
        rows[name] = arrays[f"lineage/{name}"]
    fitness = arrays["fitness"].copy()
    if len(fitness) != model.population_size:
        fitness = np.full(model.population_size, np.nan)  # nobody of this size has lived
    model.recall(Lineage(rows), fitness, description["champion"])
    with torch.no_grad():
        for name, value in model.policy.state_dict().items():
            value.copy_(torch.from_numpy(arrays[f"policy/{name}"]))
    prefix = "learner/"
    model.set_learner_arrays({k.removeprefix(prefix): v.copy() for k, v in arrays.items() if k.startswith(prefix)})


def changed(settings: dict[str, Any], changes: dict[str, Any], stores_members: bool) -> dict[str, Any]:
    """Return a file's settings with the caller's changes.

    Raises:
        ValueError: a setting cannot change, because a stored population has its size and its designs.
    """
    size = settings["population_size"]
    if stores_members and changes.get("population_size", size) != size:
        raise ValueError(
            f"population_size is {changes['population_size']}; the file holds {size} members: load it with {size}, or "
            "train anew"
        )
    return settings | {k: v for k, v in changes.items() if k not in ("seed", "policy", "policy_kwargs")}
