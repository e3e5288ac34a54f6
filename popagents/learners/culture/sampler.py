"""The settings of Culture that RL Zoo's `-optimize` tries."""

from typing import Any


def sample_culture(trial: Any, n_actions: int, n_envs: int, additional_args: dict[str, Any]) -> dict[str, Any]:
    """Draw one trial's settings; the arguments are those that RL Zoo hands to every sampler, the trial is Optuna's."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 1e-3, 1e-1, log=True),
        "n_epochs": trial.suggest_int("n_epochs", 1, 16),
        "teacher_share": trial.suggest_categorical("teacher_share", [0.05, 0.1, 0.25, 0.5, 1.0]),
        "population_size": trial.suggest_categorical("population_size", [16, 32, 64, 128]),
    }
