"""Games for populations of learners, registered as standard Gymnasium and PettingZoo environments.

Importing this package fills the registries and nothing else: games are compiled when an environment is made.

>>> import gymnasium as gym, popenvs
>>> env = gym.make("PopPacman-v0")
"""

from typing import Any

from registration.environments import register_environments

__all__ = ["measured_references", "normalized_score", "play_reference", "reference_scores"]

register_environments()


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("popzoo")
    if name in __all__:
        from popenvs.engine import references

        return getattr(references, name)
    raise AttributeError(f"module 'popenvs' has no attribute {name!r}; it has {', '.join(__all__)}")
