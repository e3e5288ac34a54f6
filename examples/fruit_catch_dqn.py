"""Deep Q-learning on fruit catch: SB3's DQN on native lanes, with the shipped preset.

    python -m examples.fruit_catch_dqn [--steps N] [--folder runs/fruit_catch] [--seed 0]

Trains with the preset `dqn.yml`, then lets the greedy policy play from each of the 195 starts (15 columns of
the fruit, 13 places of the basket), and leaves in the folder the model, the catch map, and ten test episodes as a film
strip and a GIF.
"""

import argparse
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3 import DQN

import popenvs  # noqa: F401  (registers the ids)
from examples.presets import preset
from popagents import plots
from popagents.plots import animations
from popagents.rollout.make_env import native_vec_env

ENV = "PopFruitCatch-v0"
STEPS = 13  # of an episode
FRUITS, BASKETS = 15, 13  # columns, places for the basket's centre


def caught_starts(policy: Any, **env_kwargs: Any) -> np.ndarray:
    """Let the greedy policy play from every start once; return bool, (fruit columns, basket centres).

    Lanes are reset with consecutive seeds until every start has been seen, and one seed of each is played.
    """
    boards, _ = gym.make_vec(ENV, num_envs=4096, **env_kwargs).reset(seed=0)
    starts, seeds = np.unique(boards.reshape(len(boards), -1), axis=0, return_index=True)
    lanes = gym.make_vec(ENV, num_envs=len(seeds), **env_kwargs)
    boards, _ = lanes.reset(seed=seeds.tolist())
    for _ in range(STEPS):
        actions, _ = policy.predict(boards, deterministic=True)
        boards, rewards, _, _, _ = lanes.step(actions)
    caught = np.zeros((FRUITS, BASKETS), bool)
    starts = starts.reshape(len(seeds), -1, FRUITS)
    caught[starts[:, 0].argmax(axis=1), starts[:, -1].argmax(axis=1)] = rewards > 0
    return caught


def main(arguments: list[str] | None = None) -> None:
    """Train, test, draw."""
    steps, n_envs, env_kwargs, settings = preset("dqn", ENV)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=steps, help="environment steps")
    parser.add_argument("--folder", type=Path, default=Path("runs/fruit_catch"), help="where the results go")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    torch.set_num_threads(1)  # networks this small gain nothing from more
    print(f"DQN learns {ENV} for {options.steps:,} steps ({options.steps // STEPS:,} episodes).")
    lanes = native_vec_env(ENV, n_envs, **env_kwargs)
    model = DQN(env=lanes, seed=options.seed, device="cpu", **settings)
    model.learn(options.steps, log_interval=None, progress_bar=True)

    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / "model.zip")
    caught = caught_starts(model, **env_kwargs)
    camera = gym.make(ENV, render_mode="rgb_array", **env_kwargs)
    films = [animations.episode_frames(camera, model, seed=1000 + episode) for episode in range(10)]
    paths = [plots.catch_map(caught, folder / "catch_map.png")]
    paths.append(animations.film_strip(films, folder / "film_strip.png"))
    paths.append(animations.films_gif(films, folder / "episodes.gif"))
    print(f"The greedy policy catches {caught.sum()} of the {caught.size} starts. Written:")
    for path in [folder / "model.zip", *paths]:
        print(f"  {path}")


if __name__ == "__main__":
    main()
