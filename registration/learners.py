"""The table of learners: the name after `--algo` -> "module:Class" of a Stable-Baselines3 algorithm."""

import difflib
import importlib
from typing import Any

LEARNERS: dict[str, str] = {
    "culture": "popagents.learners.culture.culture:Culture",
    "es": "popagents.learners.es.es:ES",
    "genetic": "popagents.learners.genetic.genetic:Genetic",
}


def load_learner(name: str) -> type[Any]:
    """Import the class of a learner.

    Raises:
        ValueError: the table has no such name.
    """
    if name not in LEARNERS:
        near = difflib.get_close_matches(name, LEARNERS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"there is no learner {name!r}; {hint}There are: {', '.join(LEARNERS)}")
    module, _, class_name = LEARNERS[name].partition(":")
    learner: type[Any] = getattr(importlib.import_module(module), class_name)
    return learner
