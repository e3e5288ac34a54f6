"""A zoo of population learners that behave like Stable-Baselines3 algorithms.

>>> from popagents import Culture
>>> model = Culture("LinearPolicy", "CartPole-v1", seed=0)

Names are imported when they are first used: Stable-Baselines3 and torch take seconds.
"""

import importlib
from typing import Any

from registration.learners import LEARNERS

NAMES = {
    **{name: module for module, name in (row["learner"].split(":") for row in LEARNERS.values())},
    "PopulationAlgorithm": "popagents.learners.algorithm",
    "Population": "popagents.population.population",
    "LinearPolicy": "popagents.population.policies",
    "MlpPolicy": "popagents.population.policies",
    "CnnPolicy": "popagents.population.policies",
    "RecurrentPolicy": "popagents.population.recurrent",
    "GymVecEnv": "popagents.rollout.vec_env",
    "ParallelVectorEnv": "popagents.rollout.parallel_env",
    "StopOnGoal": "popagents.learners.goal",
    "replay": "popagents.zoo.replay",
    "maximize": "popagents.learners.es.maximize",
}
__all__ = list(NAMES)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("popzoo")
    if name in NAMES:
        return getattr(importlib.import_module(NAMES[name]), name)
    raise AttributeError(f"module 'popagents' has no attribute {name!r}; it has {', '.join(__all__)}")
