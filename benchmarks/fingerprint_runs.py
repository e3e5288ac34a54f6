"""Short runs whose lineages are stored: every learner with every kind of policy, noise and inheritance.

Rewards are whole numbers, or multiples of one number: fitness has the same bits on every processor as long as the same
actions are chosen.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import ReshapeObservation, TransformAction

from popagents.rollout.make_env import native_vec_env
from popenvs.social_dilemma_v0 import vector_env


@dataclass(frozen=True)
class Run:
    """A learner on an environment for some steps."""

    learner: str  # a name of `registration.learners`
    policy: str | list[str]
    env: str  # a name of ENVS
    timesteps: int
    settings: dict[str, Any] = field(default_factory=dict)  # beside those of its learner in SETTINGS


def steered() -> gym.Env:
    """Make CartPole with a continuous action, whose sign is the push."""
    force = spaces.Box(-1, 1, (1,), np.float32)
    return TransformAction(gym.make("CartPole-v1"), lambda push: int(push[0] > 0), force)


def board() -> gym.Env:
    """Make fruit catch with its board as a picture, (1, 15, 15)."""
    return ReshapeObservation(gym.make("popenvs:PopFruitCatch-v0"), (1, 15, 15))


ENVS: dict[str, Callable[[], Any]] = {
    "pacman": partial(native_vec_env, "popenvs:PopPacman-v0", 8),
    "cartpole": partial(str, "CartPole-v1"),
    "steered": steered,
    "board": board,
    "harlow": partial(str, "popenvs:PopHarlow-v0"),
    "dilemma": partial(
        vector_env, num_envs=8, game="prisoners_dilemma", max_steps=10, autoreset_mode=AutoresetMode.DISABLED
    ),
}

SETTINGS: dict[str, dict[str, Any]] = {
    "culture": {"population_size": 8, "champion_episodes": 2, "learning_rate": 0.01, "n_epochs": 2},
    "es": {"population_size": 8, "sigma": 0.2},
    "elitist_es": {"population_size": 8, "sigma": 0.2},
    "genetic": {
        "population_size": 8,
        "tournament_size": 4,
        "n_offspring": 4,
        "champion_episodes": 2,
        "mutation_std": 0.2,
    },
}
LIFE = {"n_tasks": 2, "n_updates": 2}

RUNS: dict[str, Run] = {
    "culture, linear": Run("culture", "LinearPolicy", "pacman", 16000),
    "culture, mlp": Run("culture", "MlpPolicy", "pacman", 16000),
    "culture, convolutions": Run("culture", "CnnPolicy", "board", 400),
    "culture, actor-critic": Run("culture", "ActorCriticPolicy", "pacman", 8000),
    "culture, two designs": Run("culture", ["LinearPolicy", "MlpPolicy"], "pacman", 16000),
    "culture, continuous actions": Run("culture", "MlpPolicy", "steered", 1500),
    "culture, several seats": Run("culture", "LinearPolicy", "dilemma", 1000, {"episodes": 2}),
    "culture, few teachers, falling rate": Run(
        "culture", "LinearPolicy", "pacman", 16000, {"teacher_share": 0.3, "final_learning_rate": 0.001}
    ),
    "es, linear": Run("es", "LinearPolicy", "cartpole", 3000),
    "es, mlp": Run("es", "MlpPolicy", "cartpole", 3000),
    "es, convolutions": Run("es", "CnnPolicy", "board", 400),
    "es, actor-critic": Run("es", "ActorCriticPolicy", "cartpole", 2000),
    "es, continuous actions": Run("es", "MlpPolicy", "steered", 1500),
    "es, several seats": Run("es", "LinearPolicy", "dilemma", 1000),
    "es, sgd on z-scores": Run(
        "es", "MlpPolicy", "cartpole", 3000, {"optimizer": "sgd", "fitness_shaping": "zscore", "final_sigma": 0.1}
    ),
    "es, not mirrored": Run("es", "MlpPolicy", "cartpole", 3000, {"mirrored": False}),
    "es, low rank": Run("es", "MlpPolicy", "cartpole", 3000, {"rank": 2}),
    "es, scaled observations": Run("es", "MlpPolicy", "cartpole", 3000, {"normalize_observations": True}),
    "es, cut-offs": Run("es", "MlpPolicy", "cartpole", 3000, {"episode_cutoff": 20, "final_episode_cutoff": 60}),
    "elitist, gaussian": Run("elitist_es", "MlpPolicy", "cartpole", 8000),
    "elitist, sparse": Run("elitist_es", "MlpPolicy", "cartpole", 8000, {"density": 0.3}),
    "elitist, several parents": Run(
        "elitist_es", "MlpPolicy", "cartpole", 8000, {"population_size": 16, "n_parents": 3, "reduction_factor": 3}
    ),
    "elitist, scaled observations": Run("elitist_es", "MlpPolicy", "cartpole", 8000, {"normalize_observations": True}),
    "elitist, several seats": Run("elitist_es", "LinearPolicy", "dilemma", 1500),
    "darwin, linear": Run("genetic", "LinearPolicy", "cartpole", 2000),
    "darwin, mlp": Run("genetic", "MlpPolicy", "cartpole", 2000),
    "darwin, several seats": Run("genetic", "LinearPolicy", "dilemma", 1000),
    "darwin, judged again": Run("genetic", "MlpPolicy", "cartpole", 2000, {"reevaluate": True, "episodes": 2}),
    "darwin, elites": Run("genetic", "MlpPolicy", "cartpole", 2000, {"replacement": "worst", "elites": 2}),
    "darwin, recurrent": Run("genetic", "RecurrentPolicy", "harlow", 1000, LIFE),
    "baldwin, recurrent": Run("genetic", "RecurrentPolicy", "harlow", 1500, LIFE | {"inheritance": "baldwin"}),
    "lamarck, recurrent": Run("genetic", "RecurrentPolicy", "harlow", 1500, LIFE | {"inheritance": "lamarck"}),
    "lamarck, problems together": Run(
        "genetic", "RecurrentPolicy", "harlow", 1500, LIFE | {"inheritance": "lamarck", "tasks_together": True}
    ),
    "baldwin, longer evaluation": Run(
        "genetic",
        "RecurrentPolicy",
        "harlow",
        1500,
        LIFE | {"inheritance": "baldwin", "evaluation_options": {"n_trials": 20}},
    ),
    "baldwin, actor-critic": Run("genetic", "ActorCriticPolicy", "cartpole", 3000, LIFE | {"inheritance": "baldwin"}),
}
