"""Watch a trained agent with RL Zoo's own script: `python -m popagents.enjoy --algo culture --env PopPacman-v0`.

All options are RL Zoo's (`-h` lists them); names are those of `popagents.zoo.train`. Without `-f` the agent comes from
`logs/` where that holds one of this algorithm and environment, and otherwise from the champions shipped beside this
file. Our learners act deterministically in Atari games too, where RL Zoo would sample. Their folders are read as data,
whoever made them. Other algorithms' files run code when they are read: `--trust` says that you know who made them.
"""

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv, VecFrameStack

from popagents.common.optional import missing_extra
from popagents.rollout.make_env import lanes_stand_in, single_env
from popagents.zoo.agent_folder import settings_in
from popagents.zoo.statistics import normalized
from popagents.zoo.train import checked_arguments, prepare, refuse
from registration.learners import LEARNERS

try:
    import rl_zoo3.enjoy as script
    from rl_zoo3 import create_test_env, get_latest_run_id, get_saved_hyperparams
except ImportError as error:
    raise missing_extra(f"RL Zoo is not complete here ({error})", "zoo") from error

CHAMPIONS = Path(__file__).parent / "champions"
ATARI_STEPS = 20_000  # a game takes several times RL Zoo's 1000


def run_of(algo: str, env_id: str, folder: str | None) -> list[str]:
    """Return RL Zoo's options for the newest run that left a model: in the folder, or in `logs`, or a shipped champion.

    `-optimize` and runs that broke off leave folders without one.

    Raises:
        SystemExit: there is none.
    """
    name = script.EnvironmentName(env_id)
    folders = [Path("logs"), CHAMPIONS] if folder is None else [Path(folder)]
    runs = [(f, n) for f in folders for n in range(get_latest_run_id(str(f / algo), name), 0, -1)]
    found = [(f, n) for f, n in runs if any((f / algo / f"{name}_{n}").glob("*.zip"))]
    if not found:
        where = "logs/ nor among the shipped champions" if folder is None else folder
        refuse(
            f"no {algo} player of {env_id} in {where}; "
            f"train one (python -m popagents.train --algo {algo} --env {env_id}) or name a folder with -f"
        )
    place, number = found[0]
    return ["-f", str(place), "--exp-id", str(number)]


def chosen_run(names: Namespace, arguments: list[str]) -> list[str]:
    """Return RL Zoo's options for the run to load: the one that the command line names, or the newest with a model."""
    folder, numbered = names.folder or "", any(argument.startswith("--exp-id") for argument in arguments)
    if (folder and numbered) or "rl-trained-agents" in folder:  # which RL Zoo downloads
        return ["-f", folder]
    return run_of(names.algo, names.env, names.folder)


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


def habits(names: Namespace, arguments: list[str]) -> list[str]:
    """Return options where ours differ from RL Zoo's: likeliest actions, and games long enough to end on Atari."""
    likeliest = names.algo in LEARNERS and not {"--stochastic", "--deterministic"} & set(arguments)
    short = names.env.startswith("ALE/") and not {"-n", "--n-timesteps"} & set(arguments)
    return [*["--deterministic"] * likeliest, *["-n", str(ATARI_STEPS)] * short]


def watched(arguments: list[str]) -> tuple[list[str], bool]:
    """Return RL Zoo's options for what our command line says, and whether the agent's maker is trusted.

    Raises:
        SystemExit: a name is unknown, there is no such agent, or its files run code and its maker is not trusted.
    """
    names, rest = checked_arguments(arguments)
    trust = "--trust" in rest
    if names.algo not in LEARNERS and not trust:
        refuse(f"files of {names.algo} run code when they are read; if you know who made them, add --trust")
    rest = [argument for argument in rest if argument != "--trust"]
    return [*chosen_run(names, rest), *habits(names, rest), *rest], trust


def prepare_watching(script: Any) -> None:
    """Let a module of RL Zoo's show our agents, read as data unless `--trust` is on the command line.

    Raises:
        SystemExit: see `watched`.
    """
    prepare()
    trust = False
    if not {"-h", "--help"} & set(sys.argv[1:]):
        sys.argv[1:], trust = watched(sys.argv[1:])
    script.create_test_env = watched_env if trust else safe_env
    script.get_saved_hyperparams = saved_settings if trust else safe_settings


def main() -> None:
    """Run RL Zoo's script on the command line."""
    prepare_watching(script)
    script.enjoy()


if __name__ == "__main__":
    main()
