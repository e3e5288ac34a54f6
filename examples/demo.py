"""The main job, end to end: a culture learns to play grid pac-man, and its story is drawn.

    python -m examples.demo [--steps N] [--folder runs/demo] [--resume]

Trains with the shipped preset `culture.yml`, shows a progress bar and a short table, and leaves
in the folder the model, the learning curve, the lineage and a GIF of an agent before and after. Ctrl-C, SIGTERM
and SIGHUP stop the training; what there is by then is saved and drawn, and the last line goes on with it.
"""

import argparse
import copy
import shlex
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
from stable_baselines3.common.callbacks import BaseCallback
from tqdm import tqdm

import popenvs
from examples.presets import preset
from popagents import Culture, plots
from popagents.common.signals import Ending
from popagents.plots import animations
from popagents.rollout.make_env import native_vec_env

ENV = "PopPacman-v0"


class Table(BaseCallback):
    """A progress bar, and a line of the table at each tenth of the run."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self.total, self.next_line = total, 0.0

    def _on_training_start(self) -> None:
        self.bar = tqdm(total=self.total, unit=" steps", unit_scale=True, ncols=90, file=sys.stdout, disable=None)
        self.bar.write(f"{'steps':>10} {'generation':>10} {'mean score':>10} {'best':>6} {'worst':>6}")

    def _on_step(self) -> bool:
        self.bar.update(min(self.num_timesteps, self.total) - self.bar.n)
        return True

    def _on_rollout_end(self) -> None:
        if self.num_timesteps >= self.next_line:
            fitness = self.model.fitness
            self.bar.write(
                f"{self.num_timesteps:10,} {self.model.generation:10,} {fitness.mean():10.2f} {fitness.max():6.0f} "
                f"{fitness.min():6.0f}"
            )
            sys.stdout.flush()  # a pipe gets its lines as they come
            self.next_line += self.total / 10

    def close(self) -> None:
        """Take the bar off the screen."""
        if hasattr(self, "bar"):
            self.bar.close()


def main() -> None:
    """Train, save and draw."""
    steps, n_envs, env_kwargs, settings = preset("culture", ENV)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=steps, help="environment steps")
    parser.add_argument("--folder", type=Path, default=Path("runs/demo"), help="where the model and the pictures go")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on with the model in the folder, if there is one")
    arguments = parser.parse_args()

    print(
        f"A culture of {settings['population_size']} learns to play {ENV} for {arguments.steps:,} steps ({env_kwargs})."
    )
    print("Rules are compiled on their first use (a few seconds). Ctrl-C stops; what there is by then is kept.")
    with Ending() as ending:
        model = Culture(env=native_vec_env(ENV, n_envs, **env_kwargs), seed=arguments.seed, **settings)
        newborn = copy.deepcopy(model.policy)
        if arguments.resume:
            model = taken_up(model, arguments.folder / "model.zip")
        learn(model, arguments.steps, ending)
        model.save(arguments.folder / "model.zip")
    try:
        leave(model, newborn, env_kwargs, arguments.folder)
    finally:
        if ending.number:
            print(shlex.join(["python", "-m", "examples.demo", *with_resume(sys.argv[1:])]))
            sys.exit(ending.code)


def taken_up(model: Culture, path: Path) -> Culture:
    """Return the model that a file holds, or the one given if there is no file."""
    if not path.exists():
        print(f"There is no {path} to go on with; a new culture begins.")
        return model
    found = Culture.load(path, env=model.env)
    print(f"{path} goes on after {found.num_timesteps:,} steps.")
    return found


def learn(model: Culture, steps: int, ending: Ending) -> None:
    """Train until so many steps are taken, or until a signal comes."""
    table = Table(steps)
    try:
        model.learn(steps, callback=table, log_interval=None, resume=True)
    except KeyboardInterrupt:
        if not ending.number:
            raise
        table.close()
        print(f"\nStopped after {model.loop.run.timesteps:,} of {steps:,} steps; saving what there is.")
    table.close()


def with_resume(arguments: list[str]) -> list[str]:
    """Return a command line's arguments, --resume among them."""
    return arguments if "--resume" in arguments else [*arguments, "--resume"]


def leave(model: Culture, newborn: Any, env_kwargs: dict[str, Any], folder: Path) -> None:
    """Draw what the model leaves behind, and say where everything is."""
    paths = [folder / "model.zip"]
    if model.generation:
        lesson = gym.make(ENV, **env_kwargs)
        scores = {name: round(score, 2) for name, score in popenvs.measured_references(lesson).items()}
        steps = lesson.unwrapped.game.blank["max_steps"][0]  # type: ignore[attr-defined]
        title = f"A culture of {model.population_size} learns in rounds of {steps} steps of {ENV}"
        paths.append(plots.learning_curve(model.lineage, folder / "learning_curve.png", scores, title))
        paths.append(plots.lineage_graph(model.lineage, folder / "lineage.png", champion=model.champion))
    paths.append(animations.before_after_gif(ENV, newborn, model, folder / "before_after.gif"))
    score = popenvs.play_reference(
        gym.make(ENV), lambda seen, rng: model.predict(seen, deterministic=True)[0], 100
    ).mean()
    known = ", ".join(f"{name} {score}" for name, score in popenvs.reference_scores(ENV).items())
    print(f"The champion scores {score:.1f} in 100 fresh rounds of {ENV} ({known}). Written:")
    for path in paths:
        print(f"  {path}")


if __name__ == "__main__":
    main()
