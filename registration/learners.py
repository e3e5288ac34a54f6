"""The table of learners: the name after `--algo` -> its class, and the sampler of its settings for `-optimize`.

A row is all that names a learner: `popagents.<Class>`, RL Zoo's tables and the tests over all learners follow from it.
`learner` is a Stable-Baselines3 algorithm, `sampler` a function that RL Zoo calls with an Optuna trial.
"""

from typing import Any

from registration.names import load

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
    learner: type[Any] = load("learner", name, {row: columns["learner"] for row, columns in LEARNERS.items()})
    return learner


def load_sampler(name: str) -> Any:
    """Import the function that samples a learner's settings.

    Raises:
        ValueError: the table has no such name.
    """
    return load("learner", name, {row: columns["sampler"] for row, columns in LEARNERS.items()})
