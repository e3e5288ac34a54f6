"""The table of learners: the name after `--algo` -> its class, and the sampler of its settings for `-optimize`.

A row is all that names a learner: `popagents.<Class>`, RL Zoo's tables and the tests over all learners follow from it.
`learner` is a Stable-Baselines3 algorithm, `sampler` a function that RL Zoo calls with an Optuna trial.
"""

import difflib
import importlib
from typing import Any

LEARNERS: dict[str, dict[str, str]] = {
    "culture": {
        "learner": "popagents.learners.culture.culture:Culture",
        "sampler": "popagents.learners.culture.sampler:sample_culture",
    },
    "es": {
        "learner": "popagents.learners.es.es:ES",
        "sampler": "popagents.learners.es.sampler:sample_es",
    },
    "elitist_es": {
        "learner": "popagents.learners.es.elitist_es:ElitistES",
        "sampler": "popagents.learners.es.sampler:sample_elitist_es",
    },
    "genetic": {
        "learner": "popagents.learners.genetic.genetic:Genetic",
        "sampler": "popagents.learners.genetic.sampler:sample_genetic",
    },
}


def load_learner(name: str) -> type[Any]:
    """Import the class of a learner.

    Raises:
        ValueError: the table has no such name.
    """
    learner: type[Any] = load(name, "learner")
    return learner


def load_sampler(name: str) -> Any:
    """Import the function that samples a learner's settings.

    Raises:
        ValueError: the table has no such name.
    """
    return load(name, "sampler")


def load(name: str, column: str) -> Any:
    """Import what a column of a learner's row points to.

    Raises:
        ValueError: the table has no such name.
    """
    if name not in LEARNERS:
        near = difflib.get_close_matches(name, LEARNERS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"there is no learner {name!r}; {hint}There are: {', '.join(LEARNERS)}")
    module, _, attribute = LEARNERS[name][column].partition(":")
    return getattr(importlib.import_module(module), attribute)
