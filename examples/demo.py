"""The main job, end to end: a culture learns to play grid pac-man, and its story is drawn.

    python -m examples.demo [--steps N] [--folder runs/demo]

Trains with the shipped preset `culture.yml`, shows a progress bar and a short table, and leaves
in the folder the model, the learning curve, the lineage and a GIF of an agent before and after. Ctrl-C stops the
training; what there is by then is saved and drawn.
"""

import argparse
import copy
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
from stable_baselines3.common.callbacks import BaseCallback
from tqdm import tqdm

import popenvs
from examples.presets import preset
from popagents import Culture, plots
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
    arguments = parser.parse_args()

    print(
        f"A culture of {settings['population_size']} learns to play {ENV} for {arguments.steps:,} steps ({env_kwargs})."
    )
    print("Rules are compiled on their first use (a few seconds). Ctrl-C stops; what there is by then is kept.")
    lanes = native_vec_env(ENV, n_envs, **env_kwargs)
    model = Culture(env=lanes, seed=arguments.seed, **settings)
    newborn = copy.deepcopy(model.policy)
    table = Table(arguments.steps)
    try:
        model.learn(arguments.steps, callback=table, log_interval=None)
    except KeyboardInterrupt:
        table.close()
        print(f"\nStopped after {model.num_timesteps:,} of {arguments.steps:,} steps; saving what there is.")
    table.close()
    leave(model, newborn, env_kwargs, arguments.folder)


def leave(model: Culture, newborn: Any, env_kwargs: dict[str, Any], folder: Path) -> None:
    """Save the model, draw what it leaves behind, and say where everything is."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "model.zip"]
    model.save(paths[0])
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
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; what was printed above as saved is whole.")
