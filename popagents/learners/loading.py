"""How a model file is opened: its settings are held against the class, and its sizes against its arrays, before use."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.utils import check_for_correct_spaces

from popagents.common import model_files
from popagents.common.bounded import Bounded
from popagents.common.space_json import space_from_json
from popagents.learners import snapshot
from popagents.learners.file_settings import arguments

FREE = 2**20  # bytes of networks that any file may ask for


@dataclass(frozen=True)
class ModelFile:
    """A file that was read and whose settings its learner can have.

    Attributes:
        path: of the file.
        arrays: by name; views, not to be written into.
        description: its JSON.
        keywords: with which the learner is made again.
        spaces: of observations and actions, by name.
    """

    path: Any
    arrays: dict[str, np.ndarray]
    description: dict[str, Any]
    keywords: dict[str, Any]
    spaces: dict[str, spaces.Space]

    @contextmanager
    def used(self) -> Iterator[None]:
        """Make a model of it: whatever goes wrong is the file's fault, and no network is larger than its arrays.

        Raises:
            ValueError: something went wrong; it names the file and the reason.
        """
        stored = sum(array.nbytes for array in self.arrays.values())
        with model_files.refusing(self.path), Bounded(FREE + 2 * stored):
            yield


def model_in(learner: type[Any], path: Any, custom: dict[str, Any], changes: dict[str, Any]) -> Any:
    """Make the model that a file holds.

    Args:
        learner: the class that is to load it, a `PopulationAlgorithm`.
        path: of the file.
        custom: `policy`, `policy_kwargs` and settings in place of the file's; other names mean nothing, as in SB3.
        changes: keywords of the class in place of the file's settings, and `env` and `device`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: see `opened`; or its arrays are not those of a model of these settings.
    """
    file = opened(learner, path, custom)
    replaced = {name: value for name, value in custom.items() if stands_in(name, value, file.description["settings"])}
    model = learner(_init_setup_model=False, **file.keywords | replaced | changes)
    if model.env is not None:
        check_for_correct_spaces(model.env, **file.spaces)
    model.observation_space, model.action_space = file.spaces["observation_space"], file.spaces["action_space"]
    with file.used():
        model.make_parts()
        model.begin(*snapshot.run_of(model, model.state_form(), file.arrays, file.description))
        snapshot.fill_policy(model, file.arrays)
    model.num_timesteps = model.loop.run.timesteps
    return model


def stands_in(name: str, value: Any, settings: dict[str, Any]) -> bool:
    """Tell whether a custom object replaces a setting."""
    zoos = name == "learning_rate" and value == 0  # RL Zoo's scripts give it for one that may not be readable
    return name in settings and not zoos


def opened(learner: type, path: Any, custom: dict[str, Any]) -> ModelFile:
    """Read a file.

    Args:
        learner: the class that is to load it.
        path: of the file.
        custom: `policy` and `policy_kwargs` in place of the file's.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is no file of this learner, or holds what no such model has.
    """
    arrays, description = model_files.read(path)
    with model_files.refusing(path):
        keywords = arguments(learner, description, custom, len(arrays))
        check_members(learner(env=None, _init_setup_model=False, **keywords), arrays)
        names = ("observation_space", "action_space")
        seen = {name: space_from_json(description[name]) for name in names}
    return ModelFile(path, arrays, description, keywords, seen)


def check_members(model: Any, arrays: dict[str, np.ndarray]) -> None:
    """Refuse a file whose settings speak of more or fewer members than have a fitness in it.

    Raises:
        ValueError: they do.
    """
    members = len(arrays["fitness"])
    if members != model.population_size:
        raise ValueError(f"population_size is {model.population_size}, and the file's array 'fitness' has {members}")
