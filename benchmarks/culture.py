"""What Culture reaches and costs: the yardstick, a PyTorch port in the same run, members by the thousand, champions."""

from collections.abc import Iterator

import gymnasium as gym
import numpy as np
import torch

from benchmarks.ratios import paired, seconds
from benchmarks.table import Row
from benchmarks.torch_port import TorchPort
from examples.presets import preset
from popagents import Culture
from popagents.rollout.make_env import native_vec_env

ENV = "popenvs:PopPacman-v0"
STEPS = 100  # of an episode


def yardstick() -> Iterator[Row]:
    """The source's settings, three seeds, 500 generations."""
    for seed in range(3):
        model = Culture("LinearPolicy", ENV, seed=seed).learn(500 * 17 * STEPS, log_interval=None)
        mean = model.lineage["fitness"].reshape(500, 17)[-10:].mean()
        yield f"culture, source's settings, seed {seed}: mean of generations 491-500", "3.4 - 5.0", f"{mean:.2f}"


def port() -> Iterator[Row]:
    """A generation of 17 members against the straightforward PyTorch port."""
    torch.set_num_threads(1)
    model = Culture("LinearPolicy", ENV, seed=0, champion_episodes=1)
    theirs = TorchPort(seed=0)
    ours = [0]

    def generations(n: int = 50) -> None:
        ours[0] += n
        model.learn(ours[0] * 17 * STEPS, resume=True, log_interval=None)

    fast, slow, ratio = paired(generations, theirs.generation, rounds=5)
    cost = f"{slow * 1e3:.0f} ms against {fast / 50 * 1e3:.1f} ms a generation"
    yield "culture: a generation of the PyTorch port / ours", ">= 12, 20 if possible", f"{ratio * 50:.0f} ({cost})"


def members() -> Iterator[Row]:
    """The cost of one member and generation, by population size."""
    costs = {}
    for size in (17, 64, 256, 1024, 4096):
        generations = max(2, 2048 // size)
        model = Culture("LinearPolicy", ENV, population_size=size, seed=0, champion_episodes=1)
        model.learn(2 * size * STEPS, log_interval=None)
        steps = (2 + generations) * size * STEPS
        work = seconds(lambda: model.learn(steps, resume=True, log_interval=None))  # noqa: B023
        costs[size] = work / (size * generations)
    shown = ", ".join(f"{size}: {cost * 1e3:.2f}" for size, cost in costs.items())
    worst = max(costs.values()) / costs[17]
    yield "culture: largest cost per member / cost at 17 members", "<= 1.5", f"{worst:.2f} (ms by size: {shown})"


def champions(name: str, target: str) -> Iterator[Row]:
    """A shipped preset, three seeds: the champion's mean over 1000 fresh rounds, argmax."""
    steps, n_envs, env_kwargs, settings = preset(name, "PopPacman-v0")
    for seed in range(3):
        lanes = native_vec_env(ENV, n_envs, **env_kwargs)
        model = Culture(env=lanes, seed=seed, **settings)
        cost = seconds(lambda: model.learn(steps, log_interval=None))  # noqa: B023
        scores = fresh_scores(model, 1000)
        total = (model.num_timesteps + model.evaluation_timesteps) / 1e6
        spread = f"{scores.mean():.2f} +- {scores.std() / np.sqrt(len(scores)):.2f}"
        yield (
            f"{name}.yml, seed {seed}: champion's mean score",
            target,
            f"{spread} after {total:.2f}M steps, {cost:.0f} s",
        )


def fresh_scores(model: Culture, rounds: int) -> np.ndarray:
    """Play rounds that no training has seen, by the likeliest actions."""
    env = gym.make_vec(ENV, num_envs=rounds)
    observations, _ = env.reset(seed=10**6)
    scores = np.zeros(rounds)
    for _ in range(STEPS):
        actions, _ = model.predict(observations, deterministic=True)
        observations, rewards, _, _, _ = env.step(actions)
        scores += rewards
    return scores
