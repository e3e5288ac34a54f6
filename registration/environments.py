"""The table of environments: Gymnasium id -> where its single and its vector environment live, and their settings."""

from typing import Any

import gymnasium as gym

ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "PopPacman-v0": {
        "entry_point": "popenvs.pacman:PacmanEnv",
        "vector_entry_point": "popenvs.pacman:PacmanVectorEnv",
    },
    "PopFruitCatch-v0": {
        "entry_point": "popenvs.fruit_catch:FruitCatchEnv",
        "vector_entry_point": "popenvs.fruit_catch:FruitCatchVectorEnv",
    },
    "PopHarlow-v0": {
        "entry_point": "popenvs.harlow:HarlowEnv",
        "vector_entry_point": "popenvs.harlow:HarlowVectorEnv",
    },
    "PopHarlowOneHot-v0": {
        "entry_point": "popenvs.harlow:HarlowEnv",
        "vector_entry_point": "popenvs.harlow:HarlowVectorEnv",
        "kwargs": {"observation": "onehot"},
    },
    "PopHarlow20-v0": {
        "entry_point": "popenvs.harlow:HarlowEnv",
        "vector_entry_point": "popenvs.harlow:HarlowVectorEnv",
        "kwargs": {"n_trials": 20},
    },
}


def register_environments() -> None:
    """Fill Gymnasium's registry with the table; what already stands there is left alone."""
    for env_id, row in ENVIRONMENTS.items():
        if env_id not in gym.registry:
            gym.register(id=env_id, **row)
