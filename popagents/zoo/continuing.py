"""RL Zoo's experiment manager, for runs that can be stopped at any moment and gone on with."""

import sys
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import VecEnv

from popagents.common.optional import missing_extra
from popagents.common.whole_files import remove_parts
from popagents.learners.algorithm import PopulationAlgorithm
from popagents.learners.progress import StepsBar
from popagents.zoo.checkpoint_callback import BUFFER, MODEL, Checkpoints, found_lineage, progress_in, restore_callbacks
from popagents.zoo.monitors import began, cut_monitors, since
from popagents.zoo.refuse import refuse
from popagents.zoo.resume import Session, changes_of, what_differs
from popagents.zoo.run_folder import RunFolder, create_run
from popagents.zoo.statistics import normalized
from registration.learners import LEARNERS

try:
    import yaml
    from rl_zoo3 import ALGOS
    from rl_zoo3.exp_manager import ExperimentManager
except ImportError as error:
    raise missing_extra(f"RL Zoo is not complete here ({error})", "zoo") from error

POLICY = ("policy", "policy_kwargs")


class ContinuingManager(ExperimentManager):
    """An experiment manager whose runs write checkpoints, and go on from them.

    Args:
        arguments, keywords: RL Zoo's own, handed on unchanged.

    Attributes:
        session: of this process.
    """

    session: ClassVar[Session] = Session()

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        if self.session.workers and self.algo not in LEARNERS:
            refuse(
                f"--workers and --ray-address are for {', '.join(LEARNERS)}; {self.algo} plays in this process alone"
            )
        self.progress: dict[str, Any] = {}
        self.began: float | None = None
        if self.session.run is not None:
            try:
                self.take_up(self.session.run)
            except ValueError as error:
                refuse(str(error))

    def take_up(self, run: RunFolder) -> None:
        """Go on with a run.

        Raises:
            ValueError: the command line asks for another one, or its checkpoint is another version's.
        """
        self.session.changes = changes_of(vars(self.args), run, self.session.override)
        stored = run.arguments()
        self.save_path, self.params_path = str(run.path), str(run.params)
        self.env_kwargs = stored["env_kwargs"] or {}
        self.eval_env_kwargs = stored["eval_env_kwargs"] or self.env_kwargs
        if self.session.checkpoint is not None:
            self.progress = progress_in(self.session.checkpoint)
            self.continue_training = True
            if self.algo not in LEARNERS:
                self.seed += self.progress["timesteps"]  # or the same random numbers would come again

    def read_hyperparameters(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read the settings: a run's own where one goes on."""
        if self.session.run is None:
            settings, self.saved = super().read_hyperparameters()
        else:
            settings = self.session.run.settings() | self.session.changes
            self.saved = OrderedDict(sorted(settings.items()))
        return settings, self.saved

    def create_log_folder(self) -> None:
        """Make the run's folder with its settings inside, or tidy up that of the run that goes on."""
        if self.optimize_hyperparameters:
            super().create_log_folder()
            return
        if self.session.run is None:
            remove_parts(Path(self.log_path).glob(f".{self.env_name}_*.part"))
            run = create_run(Path(self.save_path), self.env_name, self.settings_files())
            self.session.claim(run)
            self.save_path, self.params_path = str(run.path), str(run.params)
            return
        run = self.session.run
        remove_parts(run.path.rglob(".*.part"))
        cut_monitors(run.path, self.progress.get("monitors", {}))
        self.began = began(run.path)
        if self.session.changes:
            run.rewrite(self.settings_files())
        if self.session.checkpoint is not None:
            differs = what_differs(self.algo, self.save_replay_buffer)
            print(f"{run.path} goes on after {self.progress['timesteps']} steps {differs}.")

    def settings_files(self) -> dict[str, str]:
        """Return the texts of RL Zoo's files of settings, by name."""
        options = OrderedDict(sorted(vars(self.args).items()))
        command = " ".join(sys.orig_argv)
        return {"config.yml": yaml.dump(self.saved), "args.yml": yaml.dump(options), "command.txt": command}

    def _save_config(self, saved_hyperparams: dict[str, Any]) -> None:
        """Say where the settings are, which `create_log_folder` wrote; `-optimize` keeps none before."""
        if self.optimize_hyperparameters:
            super()._save_config(saved_hyperparams)
        else:
            print(f"Log path: {self.save_path}")

    def create_callbacks(self) -> None:
        """Make RL Zoo's callbacks, and before them the one that writes checkpoints."""
        super().create_callbacks()
        if self.optimize_hyperparameters:
            return
        others = [callback for callback in self.callbacks if not isinstance(callback, StepsBar)]
        if self.progress:
            restore_callbacks(others, self.progress)
        kept = self.save_replay_buffer, self.session.checkpoint
        self.checkpoints = Checkpoints(Path(self.save_path), self.args.save_freq, others, self.session.ending, *kept)
        self.callbacks.insert(0, self.checkpoints)

    def create_envs(self, n_envs: int, eval_env: bool = False, no_log: bool = False) -> VecEnv:
        """Make environments, a worker's share of them; their monitors add to the files that there are, if any."""
        if self.session.workers and not eval_env:
            n_envs = -(-n_envs // self.session.workers["workers"])
        if self.began is None or eval_env or no_log:
            return super().create_envs(n_envs, eval_env, no_log)
        given = self.monitor_kwargs, self.env_wrapper
        self.monitor_kwargs = given[0] | {"override_existing": False}
        self.env_wrapper = since(self.began, given[1])
        try:
            return super().create_envs(n_envs, eval_env, no_log)
        finally:
            self.monitor_kwargs, self.env_wrapper = given

    def _preprocess_action_noise(
        self, hyperparams: dict[str, Any], saved_hyperparams: dict[str, Any], env: VecEnv
    ) -> dict[str, Any]:
        """Return what a model is made with: RL Zoo's, and who plays."""
        return super()._preprocess_action_noise(hyperparams, saved_hyperparams, env) | self.session.workers

    def _maybe_normalize(self, env: VecEnv, eval_env: bool) -> VecEnv:
        """Scale as RL Zoo does, but go on from a checkpoint's statistics."""
        checkpoint = self.session.checkpoint
        if checkpoint is None or not self.normalize:
            return super()._maybe_normalize(env, eval_env)
        return normalized(env, checkpoint, training=not eval_env)

    def _load_pretrained_agent(self, hyperparams: dict[str, Any], env: VecEnv) -> BaseAlgorithm:
        """Load the model of a checkpoint, or what `-i` names.

        Raises:
            SystemExit: another version of popzoo wrote it.
        """
        checkpoint = self.session.checkpoint
        if checkpoint is None:
            return super()._load_pretrained_agent(hyperparams, env)
        keywords = {name: hyperparams[name] for name in self.session.changes if name in hyperparams}
        keywords |= {"device": self.device, "tensorboard_log": self.tensorboard_log, "verbose": self.verbose}
        keywords |= self.session.workers
        if self.session.trust and self.algo in LEARNERS:
            keywords["custom_objects"] = {key: hyperparams[key] for key in POLICY if key in hyperparams}
        try:
            model: Any = ALGOS[self.algo].load(checkpoint / MODEL, env=env, seed=self.seed, **keywords)
        except ValueError as error:
            refuse(str(error))
        lineage = found_lineage(Path(self.save_path), checkpoint)
        if lineage is not None:
            model.loop.keep_lineage(lineage)
        if (checkpoint / BUFFER).exists():
            model.load_replay_buffer(checkpoint / BUFFER, truncate_last_traj=self.truncate_last_trajectory)
        if self.tensorboard_log is not None and self.progress["log"] is not None:
            formats = ["stdout", "tensorboard"] if self.verbose else ["tensorboard"]
            model.set_logger(configure(self.progress["log"], formats))
        return model

    def learn(self, model: BaseAlgorithm) -> None:
        """Train until the end; where it ends early, leave a checkpoint."""
        ending = self.session.ending
        try:
            super().learn(model if self.session.checkpoint is None else going_on(model))
        except BaseException:
            if not ending.number:
                if self.algo in LEARNERS:
                    self.checkpoints.write()
                raise
        if ending.number:
            self.checkpoints.write()
            close_bars(self.callbacks)

    def save_trained_model(self, model: BaseAlgorithm) -> None:
        """Save as RL Zoo does; unless a signal came, the run has ended then."""
        super().save_trained_model(model)
        if self.session.run is not None and not self.session.ending.number:
            self.checkpoints.seal(model)
            self.session.run.end()


def going_on(model: Any) -> Any:
    """Return a model as RL Zoo uses it for learning, whose steps count on."""

    def learn(total_timesteps: int, **keywords: Any) -> Any:
        if isinstance(model, PopulationAlgorithm):
            return model.learn(total_timesteps, resume=True, **keywords)
        return model.learn(total_timesteps - model.num_timesteps, reset_num_timesteps=False, **keywords)

    return SimpleNamespace(learn=learn, policy=model.policy, env=model.env)


def close_bars(callbacks: list[BaseCallback]) -> None:
    """Take progress bars off the screen."""
    for callback in callbacks:
        if isinstance(callback, StepsBar) and hasattr(callback, "pbar"):
            callback.on_training_end()
