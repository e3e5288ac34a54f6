"""Train with RL Zoo's own script: `python -m popagents.train --algo culture --env PopPacman-v0`.

All options are RL Zoo's (`-h` lists them). Ours adds

- the learners of `registration.learners` to `--algo`, its environments to `--env`, and "module:Id" for any other;
- our settings (`popagents/zoo/hyperparams/<algo>.yml`) for the ids they name, RL Zoo's own for all others;
  `--conf-file culture-long` finds a longer preset shipped beside them;
- native vector environments where the id has one, `--vec-env` is dummy and no `env_wrapper` is set; for "ALE/..." ids
  that is `popagents.rollout.atari`, whose arguments (`obs_type: ram`, ...) go into `env_kwargs`;
- `--workers N`: so many processes play, each with its share of `n_envs` (docs/scaling.md); `--ray-address` takes those
  of a cluster. They change no result, and `--resume` takes any number of them anew;
- the yml's `env_kwargs`, or in their place its `eval_env_kwargs`, for the environment that evaluates.

Ctrl-C, SIGTERM and SIGHUP stop the training and save; the exit code is 128 and the signal's number, and the last line
is the command that goes on. `--resume [RUN]` goes on with a run that was stopped or killed, in its own folder and with
its own settings; without a name it takes the newest one of this algorithm and environment that has not ended and that
no process is at work on. Learners of ours end as if they had never been stopped, bit for bit, and so do their
evaluations; monitor.csv is cut where the checkpoint was and gone on with. Other algorithms go on with weights,
optimisers and counts, and with their replay buffer if `--save-replay-buffer` keeps it. Checkpoints are written between
generations (or rollouts), at the beginning, every `--save-freq` steps and every two minutes; two are kept until the run
ends. Other settings are refused unless `--override` is given, another environment or seed always.

`-i` goes on with an agent whose files are read as data,
whoever made them. Those of other algorithms run code when they are read: `--trust` says that you know who made them.
"""

import argparse
import importlib.util
import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gymnasium as gym
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecMonitor

from popagents.common.optional import missing_extra
from popagents.learners.progress import StepsBar
from popagents.rollout.make_env import has_native, native_vec_env, registered_id, sync_vec_env
from popagents.zoo.checkpoint_callback import BUFFER, Evaluations
from popagents.zoo.continuing import ContinuingManager
from popagents.zoo.monitors import monitored_on
from popagents.zoo.refuse import refuse
from popagents.zoo.resume import Session, find_run, session_of
from popagents.zoo.statistics import STATISTICS, check_statistics, normalized, save_statistics
from registration.environments import ENVIRONMENTS, register_environments
from registration.learners import LEARNERS, load_learner, load_sampler
from registration.names import nearest

try:
    import rl_zoo3.train as script
    import yaml
    from rl_zoo3 import ALGOS, exp_manager
    from rl_zoo3.hyperparams_opt import HYPERPARAMS_CONVERTER, HYPERPARAMS_SAMPLER
except ImportError as error:
    raise missing_extra(f"RL Zoo is not complete here ({error})", "zoo") from error

SETTINGS = Path(__file__).parent / "hyperparams"


class PopulationManager(ContinuingManager):
    """RL Zoo's experiment manager with our settings and native vector environments.

    Args:
        arguments, keywords: RL Zoo's own, handed on unchanged.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.config = settings_file(self.algo, self.env_name.gym_id, keywords.get("config")) or self.config
        self.may_be_native = self.vec_env_class is DummyVecEnv and has_native(self.env_name.gym_id)
        self.eval_env_kwargs_given = self.eval_env_kwargs is not self.env_kwargs  # to which RL Zoo falls back
        if self.algo in LEARNERS:
            self.deterministic_eval = True  # in Atari games too, where RL Zoo would sample

    def read_hyperparameters(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read the settings, and from them the arguments of the evaluation environment."""
        settings, saved = super().read_hyperparameters()
        eval_env_kwargs = settings.pop("eval_env_kwargs", settings.get("env_kwargs", self.env_kwargs))
        if not self.eval_env_kwargs_given:
            self.eval_env_kwargs = eval_env_kwargs
        return settings, saved

    def create_envs(self, n_envs: int, eval_env: bool = False, no_log: bool = False) -> VecEnv:
        """Make RL Zoo's environments, native lanes standing in for its DummyVecEnv where they may."""
        dealt = bool(self.session.workers) and not eval_env
        if (self.may_be_native or dealt) and self.env_wrapper is None:
            make = native_vec_env if self.may_be_native else sync_vec_env
            env_kwargs = self.eval_env_kwargs if eval_env else self.env_kwargs
            log = None if eval_env or no_log else os.path.join(self.save_path, "0.monitor.csv")

            def native(makers: list[Any]) -> VecEnv:
                """Make as many lanes as RL Zoo would have made environments."""
                lanes = make(self.env_name.gym_id, len(makers), **env_kwargs)
                keywords = self.monitor_kwargs.get("info_keywords", ())
                if log is None or self.began is None:
                    return VecMonitor(lanes, log, keywords)
                return monitored_on(VecMonitor(lanes, None, keywords), log, self.began)

            self.vec_env_class = native  # type: ignore[assignment]
        return super().create_envs(n_envs, eval_env, no_log)

    def setup_experiment(self) -> tuple[BaseAlgorithm, dict[str, Any]] | None:
        """Begin, or go on with a trained agent whose files are data, or trusted.

        Raises:
            SystemExit: they are neither.
        """
        if self.continue_training and not self.session.trust and self.session.checkpoint is None:
            try:
                check_agent(self.algo, Path(self.trained_agent), str(self.env_name))
            except ValueError as error:
                refuse(str(error))
        return super().setup_experiment()

    def _maybe_normalize(self, env: VecEnv, eval_env: bool) -> VecEnv:
        """Scale as RL Zoo does, but go on from statistics that are data where a trained agent has them.

        Raises:
            SystemExit: they are not like the environment's observations.
        """
        folder = Path(self.trained_agent).parent / str(self.env_name)
        data = self.continue_training and self.session.checkpoint is None and (folder / STATISTICS).is_file()
        if self.session.trust or not data:
            return super()._maybe_normalize(env, eval_env)
        try:
            return normalized(env, folder, training=not eval_env)
        except ValueError as error:
            refuse(str(error))

    def save_trained_model(self, model: BaseAlgorithm) -> None:
        """Save as RL Zoo does, and the statistics of observations as data too."""
        super().save_trained_model(model)
        env = model.get_vec_normalize_env()
        if env is not None:
            save_statistics(env, Path(self.params_path))

    def create_callbacks(self) -> None:
        """Make RL Zoo's callbacks; a run shorter than `--eval-freq` is evaluated at its end."""
        self.eval_freq = min(self.eval_freq, self.n_timesteps)
        super().create_callbacks()

    def learn(self, model: BaseAlgorithm) -> None:
        """Train until the end or until Ctrl-C, and say so where it ended early."""
        super().learn(model)
        if model.num_timesteps < self.n_timesteps:
            print(f"Stopped after {model.num_timesteps} of {self.n_timesteps} steps; the model is saved as it stands.")


def settings_file(algo: str, env_id: str, conf_file: str | None) -> str | None:
    """Return the path of the settings to read, or None where RL Zoo finds them by itself."""
    if conf_file is not None:
        shipped = SETTINGS / (conf_file if conf_file.endswith(".yml") else f"{conf_file}.yml")
        return str(shipped) if shipped.is_file() and not os.path.exists(conf_file) else None
    ours = SETTINGS / f"{algo}.yml"
    if algo in LEARNERS or (ours.is_file() and env_id in yaml.safe_load(ours.read_text())):
        return str(ours)
    return None


def check_agent(algo: str, file: Path, env_name: str) -> None:
    """Refuse a trained agent whose files run code when they are read.

    Args:
        algo: the algorithm.
        file: the agent.
        env_name: of the folder beside it that holds its statistics.

    Raises:
        ValueError: they do; it says which, and that `--trust` reads them.
    """
    if algo not in LEARNERS:
        raise ValueError(f"files of {algo} run code when they are read; if you know who made them, add --trust")
    if (file.parent / BUFFER).exists():
        raise ValueError(f"beside {file} lies a {BUFFER}, and {algo} has no replay buffer; move it away")
    check_statistics(file.parent / env_name)


def prepare() -> None:
    """Make our learners and environments known to RL Zoo."""
    register_environments()
    for name in LEARNERS:
        ALGOS[name] = load_learner(name)
        HYPERPARAMS_SAMPLER[name] = load_sampler(name)
        HYPERPARAMS_CONVERTER[name] = lambda sampled_params: sampled_params  # already the learner's arguments
    exp_manager.ProgressBarCallback = StepsBar  # type: ignore[misc]
    exp_manager.EvalCallback = Evaluations  # type: ignore[misc]
    script.ExperimentManager = PopulationManager  # type: ignore[misc]


def checked_arguments(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Read the names in a command line and check them.

    Returns:
        algo, env (without its module) and folder (None unless named); the command line for RL Zoo, folder left out.

    Raises:
        SystemExit: a name is unknown; one line on stderr says so, the exit code is 2.
    """
    names, rest = names_parser().parse_known_args(arguments)
    names.env = imported_id(names.env, names.gym_packages)
    if names.algo not in ALGOS:
        refuse(unknown("--algo", names.algo, ALGOS))
    if names.env not in gym.registry:
        ours = [env_id for env_id in ENVIRONMENTS if names.env.lower() in env_id.lower()]
        refuse(unknown("--env", names.env, ours or gym.registry))
    if names.conf_file is not None and not is_settings(names.conf_file):
        refuse(unknown("--conf-file", names.conf_file, [path.stem for path in sorted(SETTINGS.glob("*.yml"))]))
    packages = ["--gym-packages", *names.gym_packages] if names.gym_packages else []
    conf_file = ["--conf-file", names.conf_file] if names.conf_file is not None else []
    return names, ["--algo", names.algo, "--env", names.env, *packages, *conf_file, *rest]


def is_settings(conf_file: str) -> bool:
    """Tell whether there are such settings: a file, one of those shipped, or a Python package that holds them."""
    if settings_file("", "", conf_file) is not None or os.path.isfile(conf_file):
        return True
    try:
        return not conf_file.endswith((".yml", ".yaml", ".py")) and importlib.util.find_spec(conf_file) is not None
    except (ModuleNotFoundError, ValueError):
        return False


def names_parser() -> argparse.ArgumentParser:
    """Make a parser of the options that hold names."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--algo", default="ppo")
    parser.add_argument("--env", default="CartPole-v1")
    parser.add_argument("-f", "--folder", "--log-folder")
    parser.add_argument("--gym-packages", nargs="+", default=[])
    parser.add_argument("-conf", "--conf-file")
    return parser


def imported_id(env_id: str, modules: list[str]) -> str:
    """Import modules, and then the one that an id names; return the id without it.

    Raises:
        SystemExit: one cannot be imported; one line on stderr says so, the exit code is 2.
    """
    try:
        for module in modules:
            importlib.import_module(module)
        return registered_id(env_id)
    except ModuleNotFoundError as error:
        refuse(f"{error}; --env takes an id or module:id")
    except ImportError as error:
        refuse(str(error))


def unknown(option: str, name: str, known: Iterable[str]) -> str:
    """Return the error for an unknown name: the most similar known one, or all of them."""
    return f"{option} {name} is unknown{nearest(name, known) or '; there are ' + ', '.join(known)}"


def main() -> None:
    """Run RL Zoo's training script on the command line.

    Raises:
        SystemExit: something was refused, or a signal came.
    """
    prepare()
    command = shlex.join(["python", "-m", "popagents.train", *sys.argv[1:]])
    session, arguments = session_of(sys.argv[1:])
    PopulationManager.session = session
    try:
        train(session, arguments)
    finally:
        session.release()
    if session.ending.number:
        print(command if session.run is None else session.run.command(), flush=True)
        raise SystemExit(session.ending.code)


def train(session: Session, arguments: list[str]) -> None:
    """Train as a command line says; return at the end, or early when a signal came.

    Raises:
        SystemExit: something was refused.
    """
    if session.resume is not None:
        try:
            arguments = find_run(session, names_parser().parse_known_args(arguments)[0], arguments)
        except ValueError as error:
            refuse(str(error))
    names, rest = checked_arguments(arguments)
    sys.argv[1:] = rest if names.folder is None else [*rest, "-f", names.folder]
    with session.ending:
        try:
            script.train()
        except KeyboardInterrupt:
            if not session.ending.number:
                raise


if __name__ == "__main__":
    main()
