"""Minari: episodes that a culture's champion plays, recorded as a dataset and read back."""

import os
import tempfile

import gymnasium as gym
import minari
import numpy as np
from minari import DataCollector

from popagents import Culture

EPISODES = 3


def record(env_id, model, name):
    """Record episodes and return the dataset and the episodes' returns."""
    env = DataCollector(gym.make(env_id), record_infos=True)
    returns = []
    for seed in range(EPISODES):
        observation, _ = env.reset(seed=seed)
        rewards, over = [], False
        while not over:
            action, _ = model.predict(observation)
            observation, reward, terminated, truncated, _ = env.step(int(action))
            rewards.append(reward)
            over = terminated or truncated
        returns.append(sum(rewards))
    return env.create_dataset(dataset_id=name, algorithm_name=type(model).__name__), returns


def check(env_id):
    """Learn a little, record the champion, and see that the dataset holds what was played."""
    model = Culture("LinearPolicy", env_id, population_size=8, seed=0).learn(800)
    dataset, returns = record(env_id, model, f"{env_id.partition(':')[2].lower()}/champion-v0")
    loaded = minari.load_dataset(dataset.spec.dataset_id)
    assert loaded.total_episodes == EPISODES
    assert [float(episode.rewards.sum()) for episode in loaded.iterate_episodes()] == returns
    assert loaded.spec.observation_space == model.observation_space
    again = loaded.recover_environment()
    assert again.spec.id == env_id.partition(":")[2]
    first = next(loaded.iterate_episodes())
    assert np.array_equal(first.observations[0], again.reset(seed=0)[0])
    print(f"Minari: {loaded.total_steps} steps of {again.spec.id}, returns {returns}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MINARI_DATASETS_PATH"] = folder
        check("popenvs:PopPacman-v0")
        check("popenvs:PopHarlow-v0")
