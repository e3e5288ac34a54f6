"""skrl: PPO on native lanes, IPPO on the dilemma's PettingZoo environment."""

import gymnasium as gym
import pettingzoo
import torch
from gymnasium.vector import AutoresetMode
from skrl.agents.torch.ppo import PPO
from skrl.envs.wrappers.torch import wrap_env
from skrl.memories.torch import RandomMemory
from skrl.multi_agents.torch.ippo import IPPO
from skrl.trainers.torch import SequentialTrainer
from skrl.utils.model_instantiators.torch import categorical_model, deterministic_model

import popenvs  # noqa: F401

ROLLOUTS, STEPS = 16, 48
SETTINGS = {
    "rollouts": ROLLOUTS,
    "learning_epochs": 2,
    "mini_batches": 2,
    "experiment": {"write_interval": 0, "checkpoint_interval": 0},
}
KEYWORDS = ["learning_rate_scheduler", "observation_preprocessor", "state_preprocessor", "value_preprocessor"]


def models(observation_space, action_space):
    """Make a policy and a value function of one hidden layer each."""
    network = [{"name": "net", "input": "OBSERVATIONS", "layers": [32], "activations": "tanh"}]
    spaces = {"observation_space": observation_space, "action_space": action_space, "device": "cpu"}
    both = {
        "policy": categorical_model(**spaces, network=network, output="ACTIONS"),
        "value": deterministic_model(**spaces, network=network, output="ONE"),
    }
    for role, model in both.items():
        model.init_state_dict(role=role)
    return both


def weights(policies):
    """Return all parameters of some policies in a row."""
    return torch.cat([p.detach().flatten() for policy in policies for p in policy.parameters()])


def train(env, agents, policies):
    """Train, and see that all policies' weights have moved and are finite."""
    before = weights(policies)
    SequentialTrainer(
        cfg={"timesteps": STEPS, "headless": True, "disable_progressbar": True}, env=env, agents=agents
    ).train()
    after = weights(policies)
    assert torch.isfinite(after).all()
    assert (before != after).any()


def lanes():
    """PPO on sixteen lanes of pac-man."""
    vector = gym.make_vec("popenvs:PopPacman-v0", num_envs=16, autoreset_mode=AutoresetMode.SAME_STEP)
    env = wrap_env(vector, wrapper="gymnasium")
    own = models(env.observation_space, env.action_space)
    agent = PPO(
        models=own,
        memory=RandomMemory(memory_size=ROLLOUTS, num_envs=env.num_envs),
        observation_space=env.observation_space,
        action_space=env.action_space,
        device="cpu",
        cfg=SETTINGS,
    )
    train(env, agent, [own["policy"]])


def dilemma():
    """IPPO, a policy a player, on the stag hunt."""
    parallel = pettingzoo.make("parallel", "popenvs/social_dilemma_v0", game="stag_hunt", max_cycles=10)
    env = wrap_env(parallel, wrapper="pettingzoo")
    own = {name: models(env.observation_spaces[name], env.action_spaces[name]) for name in env.possible_agents}
    nothing = {f"{key}_kwargs": {name: {} for name in env.possible_agents} for key in KEYWORDS}  # skrl wants them told
    agents = IPPO(
        possible_agents=env.possible_agents,
        models=own,
        memories={name: RandomMemory(memory_size=ROLLOUTS, num_envs=1) for name in env.possible_agents},
        observation_spaces=env.observation_spaces,
        state_spaces=env.state_spaces,
        action_spaces=env.action_spaces,
        device="cpu",
        cfg=SETTINGS | nothing,
    )
    train(env, agents, [own[name]["policy"] for name in env.possible_agents])


if __name__ == "__main__":
    lanes()
    dilemma()
    print(f"skrl: PPO and IPPO took {STEPS} steps each")
