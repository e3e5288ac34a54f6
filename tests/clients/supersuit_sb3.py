"""SuperSuit: PettingZoo's chain to Stable-Baselines3, for PPO and for a culture."""

import numpy as np
import pettingzoo
import supersuit
from stable_baselines3 import PPO

import popenvs  # noqa: F401
from popagents import Culture


def vec_env(copies):
    """Make the dilemma's two players slots of one SB3 environment, as PettingZoo's tutorial does."""
    env = pettingzoo.make("parallel", "popenvs/social_dilemma_v0", game="stag_hunt", max_cycles=10)
    lanes = supersuit.pettingzoo_env_to_vec_env_v1(env)
    return supersuit.concat_vec_envs_v1(lanes, copies, num_cpus=1, base_class="stable_baselines3")


def main():
    """Learn with PPO and with a culture on the same slots."""
    model = PPO("MlpPolicy", vec_env(4), n_steps=20, batch_size=40, device="cpu").learn(320)
    assert model.num_timesteps == 320
    losses = [value for key, value in model.logger.name_to_value.items() if "loss" in key]
    assert np.isfinite(losses).all(), losses
    culture = Culture("LinearPolicy", vec_env(4), population_size=8, seed=0).learn(160)
    assert culture.num_timesteps >= 160
    assert ((culture.fitness >= 0) & (culture.fitness <= 10)).all(), "ten rounds pay 0 to 1 each"
    print(f"SuperSuit: PPO took {model.num_timesteps} steps, the culture's fitness is {culture.fitness.mean():.2f}")


if __name__ == "__main__":
    main()
