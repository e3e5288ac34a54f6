"""The settings of ES and ElitistES that RL Zoo's `-optimize` tries."""

from typing import Any


def sample_es(trial: Any, n_actions: int, n_envs: int, additional_args: dict[str, Any]) -> dict[str, Any]:
    """Draw one trial's settings; the arguments are those that RL Zoo hands to every sampler, the trial is Optuna's."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 3e-3, 3e-1, log=True),
        "sigma": trial.suggest_float("sigma", 2e-2, 5e-1, log=True),
        "population_size": trial.suggest_categorical("population_size", [8, 16, 32, 64, 128]),
        "fitness_shaping": trial.suggest_categorical("fitness_shaping", ["ranks", "zscore"]),
        "optimizer": trial.suggest_categorical("optimizer", ["adam", "sgd"]),
        "normalize_observations": trial.suggest_categorical("normalize_observations", [True, False]),
    }


def sample_elitist_es(trial: Any, n_actions: int, n_envs: int, additional_args: dict[str, Any]) -> dict[str, Any]:
    """Draw one trial's settings; see `sample_es`."""
    return {
        "sigma": trial.suggest_float("sigma", 1e-2, 2.0, log=True),
        "population_size": trial.suggest_categorical("population_size", [16, 32, 64, 128]),
        "n_parents": trial.suggest_categorical("n_parents", [1, 2, 4]),
        "reduction_factor": trial.suggest_categorical("reduction_factor", [2, 4]),
        "density": trial.suggest_categorical("density", [None, 0.01, 0.1]),
        "normalize_observations": trial.suggest_categorical("normalize_observations", [True, False]),
    }
