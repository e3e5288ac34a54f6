"""The settings of Genetic that RL Zoo's `-optimize` tries."""

from typing import Any


def sample_genetic(trial: Any, n_actions: int, n_envs: int, additional_args: dict[str, Any]) -> dict[str, Any]:
    """Draw one trial's settings; the arguments are those that RL Zoo hands to every sampler, the trial is Optuna's."""
    return {
        "population_size": trial.suggest_categorical("population_size", [16, 32, 64, 128]),
        "tournament_size": trial.suggest_categorical("tournament_size", [2, 4, 8, 16]),
        "n_offspring": trial.suggest_categorical("n_offspring", [4, 8, 15]),
        "mutation_std": trial.suggest_float("mutation_std", 5e-3, 5e-1, log=True),
        "replacement": trial.suggest_categorical("replacement", ["random", "worst"]),
        "reevaluate": trial.suggest_categorical("reevaluate", [True, False]),
    }
