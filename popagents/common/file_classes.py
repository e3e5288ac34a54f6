"""The classes that a model file may name: each for one purpose, from a short list of modules, and from no other.

A class is looked up in the module that defines it, as what it is there to be. No attribute of anything is followed, and
no module is imported that does not stand here.
"""

import importlib
from typing import Any

from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn

KINDS: dict[str, tuple[type, tuple[str, ...]]] = {  # where a class stands -> what it must be, which modules may have it
    "policy": (
        BasePolicy,
        (
            "popagents.population.policies",
            "popagents.population.multi_input",
            "popagents.population.recurrent",
            "stable_baselines3.common.policies",
        ),
    ),
    "features_extractor_class": (
        BaseFeaturesExtractor,
        ("popagents.population.extractors", "stable_baselines3.common.torch_layers"),
    ),
    "activation_fn": (nn.Module, ("torch.nn.modules.activation", "torch.nn.modules.linear")),
}


def named_class(name: Any, place: str) -> type:
    """Return the class "module:Name" that stands in some place of a file.

    Raises:
        ValueError: files may not name it there.
    """
    kind, modules = KINDS.get(place, (type(None), ()))
    module, _, own_name = str(name).partition(":")
    found = vars(importlib.import_module(module)).get(own_name) if module in modules else None
    if not isinstance(found, type) or not issubclass(found, kind) or found.__module__ != module:
        raise ValueError(
            f"the model file names the class {name!s:.200} as {place:.80}; it may name "
            f"{f'a {kind.__name__} of ' + ', '.join(modules) if modules else 'none there'}; pass the class yourself: "
            "load(path, custom_objects={'policy': ..., 'policy_kwargs': ...})"
        )
    return found
