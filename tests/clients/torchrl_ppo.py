"""TorchRL: a collector and PPO's loss over native lanes, and the dilemma as a multi-agent environment."""

import gymnasium as gym
import pettingzoo
import torch
from gymnasium.vector import AutoresetMode
from tensordict.nn import TensorDictModule
from torch import nn
from torchrl.collectors import Collector
from torchrl.envs import GymWrapper, PettingZooWrapper
from torchrl.envs.utils import check_env_specs
from torchrl.modules import ProbabilisticActor, ValueOperator
from torchrl.objectives import ClipPPOLoss

import popenvs  # noqa: F401

LANES, STEPS = 8, 200  # two episodes of pac-man in every lane


def networks(env):
    """Make an actor and a critic of one hidden layer each."""
    inputs, actions = env.observation_spec["observation"].shape[-1], env.action_spec.space.n
    logits = nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, actions))
    actor = ProbabilisticActor(
        TensorDictModule(logits, in_keys=["observation"], out_keys=["logits"]),
        in_keys=["logits"],
        distribution_class=torch.distributions.Categorical,
        return_log_prob=True,
    )
    return actor, ValueOperator(nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, 1)))


def lanes():
    """Collect two episodes a lane and take a step of PPO."""
    vector = gym.make_vec("popenvs:PopPacman-v0", num_envs=LANES, autoreset_mode=AutoresetMode.DISABLED)
    env = GymWrapper(vector, categorical_action_encoding=True)
    env.set_seed(0)
    check_env_specs(env)
    actor, critic = networks(env)
    loss = ClipPPOLoss(actor, critic)
    loss.make_value_estimator(gamma=0.99, lmbda=0.95)
    optimizer = torch.optim.Adam(loss.parameters(), lr=1e-3)
    batch = next(iter(Collector(env, actor, frames_per_batch=LANES * STEPS, total_frames=LANES * STEPS)))
    assert batch.shape == (LANES, STEPS)
    done = batch["next", "done"].squeeze(-1)
    assert done.sum(dim=1).tolist() == [2] * LANES
    loss.value_estimator(batch)
    values = loss(batch.reshape(-1))
    total = values["loss_objective"] + values["loss_critic"] + values["loss_entropy"]
    total.backward()
    optimizer.step()
    assert torch.isfinite(total)
    return total.item()


def dilemma():
    """Roll the stag hunt out; its true state comes along."""
    parallel = pettingzoo.make("parallel", "popenvs/social_dilemma_v0", game="stag_hunt", max_cycles=10)
    env = PettingZooWrapper(parallel, return_state=True)
    check_env_specs(env)
    steps = env.rollout(20)
    assert steps.shape == (10,), "an episode of ten rounds ends by itself"
    assert steps["player", "observation"].shape[:2] == (10, 2)
    assert (steps["state"].sum(dim=-1) == 1).all(), "the true state is one-hot"


if __name__ == "__main__":
    loss = lanes()
    dilemma()
    print(f"TorchRL: PPO's loss is {loss:.3f}")
