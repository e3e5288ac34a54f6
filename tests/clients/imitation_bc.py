"""imitation: behavioural cloning of a culture's champion."""

import gymnasium as gym
import numpy as np
from imitation.algorithms.bc import BC
from imitation.data import rollout
from imitation.data.wrappers import RolloutInfoWrapper
from stable_baselines3.common.vec_env import DummyVecEnv

from popagents import Culture

ENV = "popenvs:PopPacman-v0"


def agreement(policy, transitions):
    """Return how often a policy does what was recorded, 0 to 1."""
    return float((policy.predict(transitions.obs, deterministic=True)[0] == transitions.acts).mean())


def main():
    """Clone a champion that has learned a little: the clone comes to act like it."""
    model = Culture("LinearPolicy", ENV, population_size=16, seed=0).learn(16_000)
    envs = DummyVecEnv([lambda: RolloutInfoWrapper(gym.make(ENV))] * 4)
    enough = rollout.make_sample_until(min_episodes=8)
    episodes = rollout.rollout(model.policy, envs, enough, rng=np.random.default_rng(0), deterministic_policy=True)
    assert all(len(episode.acts) == 100 for episode in episodes)
    transitions = rollout.flatten_trajectories(episodes)
    clone = BC(
        observation_space=envs.observation_space,
        action_space=envs.action_space,
        demonstrations=transitions,
        rng=np.random.default_rng(0),
        device="cpu",
    )
    before = agreement(clone.policy, transitions)
    clone.train(n_epochs=5, progress_bar=False)
    after = agreement(clone.policy, transitions)
    assert after > before + 0.2, (before, after)
    print(f"imitation: the clone agrees with the champion in {before:.0%} of the steps before, {after:.0%} after")


if __name__ == "__main__":
    main()
