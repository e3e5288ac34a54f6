"""Tianshou: DQN on the prisoner's dilemma in its own vector environment, and the stag hunt in turns."""

import gymnasium as gym
import numpy as np
import pettingzoo
from tianshou.algorithm.modelfree.dqn import DQN, DiscreteQLearningPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv, PettingZooEnv
from tianshou.trainer import OffPolicyTrainerParams
from tianshou.utils.net.common import Net

import popenvs  # noqa: F401

ENV, LANES = "popenvs:PopPrisonersDilemma-v0", 4


def lanes():
    """DQN for four hundred steps; the collector's returns are ours."""
    env = gym.make(ENV)
    net = Net(state_shape=env.observation_space.shape, action_shape=env.action_space.n, hidden_sizes=[32])
    policy = DiscreteQLearningPolicy(
        model=net, action_space=env.action_space, observation_space=env.observation_space, eps_training=0.1
    )
    algorithm = DQN(policy=policy, optim=AdamOptimizerFactory(lr=1e-3), target_update_freq=50)
    training, test = (DummyVectorEnv([lambda: gym.make(ENV)] * LANES) for _ in range(2))
    judge = Collector(algorithm, test)
    found = algorithm.run_training(
        OffPolicyTrainerParams(
            training_collector=Collector(algorithm, training, VectorReplayBuffer(1000, LANES), exploration_noise=True),
            test_collector=judge,
            max_epochs=1,
            epoch_num_steps=400,
            collection_step_num_env_steps=100,
            test_step_num_episodes=LANES,
            update_step_num_gradient_steps_per_sample=0.1,
            batch_size=32,
            verbose=False,
            show_progress=False,
        )
    )
    assert found.timing.total_time > 0
    test.seed(0)
    stats = judge.collect(n_episode=LANES, reset_before_collect=True, gym_reset_kwargs={"seed": 0})
    assert stats.lens.tolist() == [100] * LANES
    assert stats.returns.tolist() == [played(env, policy)] * LANES, "all lanes play the episode of seed 0"
    return stats.returns


def played(env, policy):
    """Play the episode of seed 0 and return what it paid."""
    observation, _ = env.reset(seed=0)
    total, over = 0.0, False
    while not over:
        action = int(policy.compute_action(observation))
        observation, reward, terminated, truncated, _ = env.step(action)
        total, over = total + reward, terminated or truncated
    return total


def dilemma():
    """Play the stag hunt in turns until it ends."""
    env = PettingZooEnv(pettingzoo.make("aec", "popenvs/social_dilemma_v0", game="stag_hunt", max_cycles=10))
    seen, _ = env.reset(seed=0)
    turns, over = 0, False
    while not over:
        assert seen["agent_id"] == f"player_{turns % 2}"
        seen, rewards, terminated, truncated, _ = env.step(0)
        turns, over = turns + 1, terminated or truncated
    assert turns == 20, "ten rounds of two turns"
    assert rewards == [1.0, 1.0]


if __name__ == "__main__":
    returns = lanes()
    dilemma()
    print(f"Tianshou: DQN's returns are {np.array(returns)}")
