"""The settings that ship with the package, for scripts that do not go through RL Zoo."""

from importlib import resources
from typing import Any

import yaml


def preset(name: str, env_id: str) -> tuple[int, int, dict[str, Any], dict[str, Any]]:
    """Read an entry of `popagents/zoo/hyperparams/<name>.yml` as RL Zoo reads it.

    Returns:
        Steps to train for; environments at a time; the environment's settings; the algorithm's arguments.
    """
    text = resources.files("popagents.zoo").joinpath(f"hyperparams/{name}.yml").read_text()
    settings: dict[str, Any] = yaml.safe_load(text)[env_id]
    steps, n_envs = int(settings.pop("n_timesteps")), int(settings.pop("n_envs"))
    env_kwargs = settings.pop("env_kwargs", {})
    settings.pop("eval_env_kwargs", None)
    if isinstance(settings.get("policy_kwargs"), str):
        from rl_zoo3.utils import get_class_by_name

        settings["policy_kwargs"] = eval(settings["policy_kwargs"], {"get_class_by_name": get_class_by_name})
    if str(settings.get("learning_rate")).startswith("lin_"):
        from rl_zoo3.utils import SimpleLinearSchedule

        settings["learning_rate"] = SimpleLinearSchedule(settings["learning_rate"].removeprefix("lin_"))
    return steps, n_envs, env_kwargs, settings
