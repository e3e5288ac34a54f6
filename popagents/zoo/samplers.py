"""What `-optimize` tries: one trial's settings for each learner, drawn by Optuna."""

from typing import Any


def sample_culture(trial: Any, n_actions: int, n_envs: int, additional_args: dict[str, Any]) -> dict[str, Any]:
    """Draw Culture's settings."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 1e-3, 1e-1, log=True),
        "n_epochs": trial.suggest_int("n_epochs", 1, 16),
        "teacher_share": trial.suggest_categorical("teacher_share", [0.05, 0.1, 0.25, 0.5, 1.0]),
        "population_size": trial.suggest_categorical("population_size", [16, 32, 64, 128]),
    }


def sample_es(trial: Any, n_actions: int, n_envs: int, additional_args: dict[str, Any]) -> dict[str, Any]:
    """Draw the settings of ES."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 3e-3, 3e-1, log=True),
        "sigma": trial.suggest_float("sigma", 2e-2, 5e-1, log=True),
        "population_size": trial.suggest_categorical("population_size", [8, 16, 32, 64, 128]),
        "fitness_shaping": trial.suggest_categorical("fitness_shaping", ["ranks", "zscore"]),
        "optimizer": trial.suggest_categorical("optimizer", ["adam", "sgd", "elitist"]),
        "normalize_observations": trial.suggest_categorical("normalize_observations", [True, False]),
    }


def sample_genetic(trial: Any, n_actions: int, n_envs: int, additional_args: dict[str, Any]) -> dict[str, Any]:
    """Draw the settings of Genetic."""
    return {
        "population_size": trial.suggest_categorical("population_size", [16, 32, 64, 128]),
        "tournament_size": trial.suggest_categorical("tournament_size", [2, 4, 8, 16]),
        "n_offspring": trial.suggest_categorical("n_offspring", [4, 8, 15]),
        "mutation_std": trial.suggest_float("mutation_std", 5e-3, 5e-1, log=True),
        "replacement": trial.suggest_categorical("replacement", ["random", "worst"]),
        "reevaluate": trial.suggest_categorical("reevaluate", [True, False]),
    }


SAMPLERS = {"culture": sample_culture, "es": sample_es, "genetic": sample_genetic}
