"""The one-shot rule: a recurrent network learns to learn which of two objects pays, from one trial.

    python -m examples.harlow_one_shot [--steps N] [--folder runs/harlow_one_shot] [--seed 0]

Trains sb3-contrib's RecurrentPPO with `popagents/zoo/hyperparams/ppo_lstm.yml` on the training pairs, and lets it play
pairs that it has never met, on the way and at the end. The share of right choices by trial number is drawn as Harlow
drew his learning sets. Who has the rule tosses a coin in the first trial and is right ever after.
"""

import argparse
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from sb3_contrib import RecurrentPPO
from stable_baselines3.common.callbacks import BaseCallback

import popenvs  # noqa: F401  (registers the ids)
from examples.presets import preset
from popagents import plots
from popagents.rollout.make_env import native_vec_env

ENV = "PopHarlowOneHot-v0"
TRIALS = 6
STAGES = (0, 0.1, 0.15, 1)  # shares of the training after which the network is examined


def right_by_trial(model: Any, split: str, episodes: int = 1000, seed: int = 10**6) -> np.ndarray:
    """Play episodes by the likeliest actions; return the share of right choices in each trial, (trials,)."""
    lanes = gym.make_vec(ENV, num_envs=episodes, split=split)
    observations, _ = lanes.reset(seed=seed)
    memory, shares = None, []
    for trial in range(TRIALS):
        first = np.full(episodes, trial == 0)
        actions, memory = model.predict(observations, state=memory, episode_start=first, deterministic=True)
        observations, rewards, _, _, _ = lanes.step(actions)
        shares.append((rewards > 0).mean())
    return np.array(shares)


class Exams(BaseCallback):
    """Examines the network on held-out pairs at the stages of its training."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.due = [stage * steps for stage in STAGES]
        self.curves: dict[str, np.ndarray] = {}  # by steps

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self.due and self.num_timesteps >= self.due[0]:
            self.due.pop(0)
            self.curves[f"after {self.num_timesteps:,} steps"] = right_by_trial(self.model, "test")

    def _on_training_end(self) -> None:
        self._on_rollout_start()


def main(arguments: list[str] | None = None) -> None:
    """Train, test, draw."""
    steps, n_envs, env_kwargs, settings = preset("ppo_lstm", ENV)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=steps, help="environment steps")
    parser.add_argument("--folder", type=Path, default=Path("runs/harlow_one_shot"), help="where the results go")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    torch.set_num_threads(1)  # networks this small gain nothing from more
    print(f"A recurrent network learns {ENV} for {options.steps:,} steps ({env_kwargs}).")
    model = RecurrentPPO(env=native_vec_env(ENV, n_envs, **env_kwargs), seed=options.seed, device="cpu", **settings)
    exams = Exams(options.steps)
    model.learn(options.steps, callback=exams, log_interval=None, progress_bar=True)

    options.folder.mkdir(parents=True, exist_ok=True)
    model.save(options.folder / "model.zip")
    at_last = {"training pairs": right_by_trial(model, "train"), "held-out pairs": right_by_trial(model, "test")}
    print(f"{'right choices (%), trial':26}" + "".join(f"{trial:7}" for trial in range(1, TRIALS + 1)))
    for name, shares in {**exams.curves, **at_last}.items():
        print(f"  {name:24}" + "".join(f"{100 * share:7.1f}" for share in shares))
    print(f"Held-out pairs, trials 2 to {TRIALS}: {100 * at_last['held-out pairs'][1:].mean():.1f} % right. Written:")
    print(f"  {options.folder / 'model.zip'}")
    references = {"one-shot": [0.5] + [1.0] * (TRIALS - 1), "random": [0.5] * TRIALS}
    title = f"Right choices in {ENV}, pairs never met in training"
    print(f"  {plots.learning_set_curve(exams.curves, options.folder / 'learning_set.png', references, title)}")


if __name__ == "__main__":
    main()
