"""The table of learners: the name after `--algo` -> "module:Class" of a Stable-Baselines3 algorithm."""

from typing import Any

from registration.names import load

LEARNERS: dict[str, str] = {
    "culture": "popagents.culture:Culture",
    "es": "popagents.es:ES",
    "genetic": "popagents.genetic:Genetic",
}


def load_learner(name: str) -> type[Any]:
    """Import the class of a learner.

    Raises:
        ValueError: the table has no such name.
    """
    learner: type[Any] = load("learner", name, LEARNERS)
    return learner
