"""Toward the one-shot rule: a recurrent network learns to learn which of two objects pays, from one trial.

    python -m examples.harlow_one_shot [--steps N] [--folder runs/harlow_one_shot] [--seed 0]

Trains sb3-contrib's RecurrentPPO with `popagents/hyperparams/ppo_lstm.yml` on the training pairs, then plays episodes
with pairs that it has never seen, and draws the share of right choices by trial number, as Harlow drew his learning
sets. Who has the rule tosses a coin in the first trial and is right ever after; the preset comes part of the way.
"""

import argparse
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from sb3_contrib import RecurrentPPO

import popenvs  # noqa: F401  (registers the ids)
from examples.presets import preset
from popagents import plots
from popagents.environments import native_vec_env

ENV = "PopHarlowOneHot-v0"
TRIALS = 6


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
    model.learn(options.steps, log_interval=None, progress_bar=True)

    options.folder.mkdir(parents=True, exist_ok=True)
    model.save(options.folder / "model.zip")
    curves = {"training pairs": right_by_trial(model, "train"), "held-out pairs": right_by_trial(model, "test")}
    references = {"one-shot": [0.5] + [1.0] * (TRIALS - 1), "random": [0.5] * TRIALS}
    print(f"{'right choices (%), trial':26}" + "".join(f"{trial:7}" for trial in range(1, TRIALS + 1)))
    for name, shares in curves.items():
        print(f"  {name:24}" + "".join(f"{100 * share:7.1f}" for share in shares))
    print(f"Held-out pairs, trials 2 to {TRIALS}: {100 * curves['held-out pairs'][1:].mean():.1f} % right. Written:")
    print(f"  {options.folder / 'model.zip'}")
    title = f"Right choices in {ENV}, after {options.steps:,} steps of learning"
    print(f"  {plots.learning_set_curve(curves, options.folder / 'learning_set.png', references, title)}")


if __name__ == "__main__":
    main()
