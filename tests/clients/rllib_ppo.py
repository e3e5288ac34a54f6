"""RLlib: PPO on pac-man, four copies in one runner."""

import numpy as np
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig


def main():
    """Train for two iterations: episodes are whole and losses finite."""
    config = (
        PPOConfig()
        .environment("popenvs:PopPacman-v0")
        .env_runners(num_env_runners=0, num_envs_per_env_runner=4)
        .training(train_batch_size_per_learner=800, minibatch_size=200, num_epochs=2)
        .rl_module(model_config=DefaultModelConfig(fcnet_hiddens=[32]))
        .debugging(seed=0)
    )
    algorithm = config.build_algo()
    for _ in range(2):
        found = algorithm.train()
    episodes, learner = found["env_runners"], found["learners"]["default_policy"]
    assert episodes["episode_len_mean"] == 100
    assert 0 < episodes["episode_return_mean"] <= 22
    assert np.isfinite(learner["total_loss"])
    algorithm.stop()
    print(f"RLlib: mean return {episodes['episode_return_mean']:.2f}, loss {learner['total_loss']:.3f}")


if __name__ == "__main__":
    main()
