"""Watch a trained agent with RL Zoo's own script: `python -m popagents.enjoy --algo culture --env PopPacman-v0`.

All options are RL Zoo's (`-h` lists them); names are those of `popagents.zoo.train`. Without `-f` the agent comes from
`logs/` where that holds one of this algorithm and environment, and otherwise from the champions shipped beside this
file. Our learners act deterministically in Atari games too, where RL Zoo would sample. Their folders are read as data,
whoever made them. Other algorithms' files run code when they are read: `--trust` says that you know who made them.
"""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv, VecFrameStack

from popagents.common.optional import missing_extra
from popagents.rollout.make_env import lanes_stand_in, single_env
from popagents.zoo.agent_folder import data_of, settings_in
from popagents.zoo.statistics import normalized
from popagents.zoo.train import checked_arguments, prepare, refuse
from registration.learners import LEARNERS

try:
    import rl_zoo3.enjoy as script
    import yaml
    from rl_zoo3 import create_test_env, get_latest_run_id, get_saved_hyperparams
except ImportError as error:
    raise missing_extra(f"RL Zoo is not complete here ({error})", "zoo") from error

CHAMPIONS = Path(__file__).parent / "champions"


def folder_of(algo: str, env_id: str) -> str:
    """Return the first folder that holds a trained agent: `logs`, then the shipped champions.

    Raises:
        SystemExit: neither does.
    """
    folders = [Path("logs"), CHAMPIONS]
    found = [str(f) for f in folders if get_latest_run_id(str(f / algo), script.EnvironmentName(env_id)) > 0]
    if not found:
        refuse(
            f"no {algo} player of {env_id} in logs/ nor among the shipped champions; "
            f"train one (python -m popagents.train --algo {algo} --env {env_id}) or name a folder with -f"
        )
    return found[0]


def saved_settings(*arguments: Any, **keywords: Any) -> Any:
    """Read a run's settings as RL Zoo does, with the evaluation environment's arguments in place of the training's."""
    settings, stats_path = get_saved_hyperparams(*arguments, **keywords)
    if "eval_env_kwargs" in settings:
        settings["env_kwargs"] = settings.pop("eval_env_kwargs")
    return settings, stats_path


def safe_settings(stats_path: str, **keywords: Any) -> Any:
    """Read a run's settings as data; statistics of observations wait in `statistics` until the environment is made.

    Raises:
        SystemExit: they are more than data.
    """
    try:
        settings = settings_in(Path(stats_path))
    except ValueError as error:
        refuse(str(error))
    normalize, settings["normalize"] = settings["normalize"], False
    if normalize is not None:
        settings |= {"statistics": Path(stats_path), "stacked": settings.pop("frame_stack", 0)}
    if "eval_env_kwargs" in settings:
        settings["env_kwargs"] = settings.pop("eval_env_kwargs")
    return settings, stats_path if Path(stats_path).is_dir() else None


def data_in(file: Any, **keywords: Any) -> dict[str, Any]:
    """Read YAML as data, in the place of RL Zoo's loader.

    Raises:
        SystemExit: it is more than data.
    """
    try:
        return data_of(file)
    except ValueError as error:
        refuse(str(error))


def safe_env(env_id: str, **keywords: Any) -> VecEnv:
    """Make the environment, and scale what it shows by statistics that are data.

    Raises:
        SystemExit: there are none that are.
    """
    settings = keywords["hyperparams"]
    folder, stacked = settings.pop("statistics", None), settings.pop("stacked", 0)
    env = watched_env(env_id, **keywords)
    try:
        env = env if folder is None else normalized(env, folder)
    except ValueError as error:
        refuse(str(error))
    return VecFrameStack(env, stacked) if stacked else env


def watched_env(env_id: str, **keywords: Any) -> VecEnv:
    """Make RL Zoo's environment, or a lane of ours where the agent was trained in such lanes."""
    if "env_wrapper" in keywords["hyperparams"] or not lanes_stand_in(env_id):
        return create_test_env(env_id, **keywords)
    env_kwargs = dict(keywords["env_kwargs"])
    if keywords["should_render"]:
        env_kwargs.setdefault("render_mode", "human")
    return make_vec_env(
        lambda **settings: single_env(env_id, **settings),
        keywords["n_envs"],
        keywords["seed"],
        monitor_dir=keywords["log_dir"],
        env_kwargs=env_kwargs,
    )


def main() -> None:
    """Run RL Zoo's script on the command line."""
    prepare()
    names, arguments = checked_arguments(sys.argv[1:])
    trust = "--trust" in arguments
    if names.algo not in LEARNERS and not trust:
        refuse(f"files of {names.algo} run code when they are read; if you know who made them, add --trust")
    folder = folder_of(names.algo, names.env) if names.folder is None else names.folder
    likeliest = names.algo in LEARNERS and "--stochastic" not in arguments and "--deterministic" not in arguments
    arguments = [argument for argument in arguments if argument != "--trust"]
    sys.argv[1:] = [*arguments, "-f", folder, *["--deterministic"] * likeliest]
    script.create_test_env = watched_env if trust else safe_env  # type: ignore[assignment]
    script.get_saved_hyperparams = saved_settings if trust else safe_settings  # type: ignore[assignment]
    script.yaml = yaml if trust else SimpleNamespace(load=data_in, UnsafeLoader=None)  # type: ignore[assignment]
    script.enjoy()


if __name__ == "__main__":
    main()
