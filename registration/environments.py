"""The tables of environments: Gymnasium's and PettingZoo's, id -> where the environment lives, and its settings."""

from typing import Any

import gymnasium as gym
import pettingzoo

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
    "PopPrisonersDilemma-v0": {
        "entry_point": "popenvs.dilemmas.against_opponent:DilemmaEnv",
        "vector_entry_point": "popenvs.dilemmas.against_opponent:DilemmaVectorEnv",
        "kwargs": {"game": "prisoners_dilemma"},
    },
    "PopStagHunt-v0": {
        "entry_point": "popenvs.dilemmas.against_opponent:DilemmaEnv",
        "vector_entry_point": "popenvs.dilemmas.against_opponent:DilemmaVectorEnv",
        "kwargs": {"game": "stag_hunt"},
    },
    "PopChicken-v0": {
        "entry_point": "popenvs.dilemmas.against_opponent:DilemmaEnv",
        "vector_entry_point": "popenvs.dilemmas.against_opponent:DilemmaVectorEnv",
        "kwargs": {"game": "chicken"},
    },
}

MULTI_AGENT: dict[str, dict[str, str]] = {
    "popenvs/social_dilemma_v0": {
        "aec": "popenvs.social_dilemma_v0:env",
        "parallel": "popenvs.social_dilemma_v0:parallel_env",
    },
}


def register_environments() -> None:
    """Fill Gymnasium's and PettingZoo's registries with the tables; what already stands there is left alone."""
    for env_id, row in ENVIRONMENTS.items():
        if env_id not in gym.registry:
            gym.register(id=env_id, **row)
    registries = {"aec": pettingzoo.aec_registry, "parallel": pettingzoo.parallel_registry}
    for env_id, entry_points in MULTI_AGENT.items():
        for kind, entry_point in entry_points.items():
            if pettingzoo.EnvSpec(env_id).id not in registries[kind]:
                pettingzoo.register(kind, env_id, entry_point=entry_point)
