"""CleanRL's loop: native lanes where `ppo.py` makes its `SyncVectorEnv`, statistics from Gymnasium's vector wrapper."""

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from torch import nn
from torch.distributions import Categorical

LANES, STEPS, UPDATES = 16, 100, 3  # an episode of pac-man is 100 steps


class Agent(nn.Module):
    """An actor and a critic of one hidden layer each."""

    def __init__(self, envs):
        super().__init__()
        inputs = int(np.prod(envs.single_observation_space.shape))
        self.actor = nn.Sequential(nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, int(envs.single_action_space.n)))
        self.critic = nn.Sequential(nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 1))

    def choices(self, observations):
        return Categorical(logits=self.actor(observations))

    def value(self, observations):
        return self.critic(observations).squeeze(-1)


def rollout(agent, envs, observation):
    """Step all lanes; return what was seen, done and earned, each (steps, lanes, ...), and the finished returns."""
    steps, returns = [], []
    for _ in range(STEPS):
        seen = torch.Tensor(observation)
        with torch.no_grad():
            choices = agent.choices(seen)
            action = choices.sample()
        observation, reward, terminated, truncated, infos = envs.step(action.cpu().numpy())
        done = torch.Tensor(np.logical_or(terminated, truncated))
        steps.append((seen, action, choices.log_prob(action), torch.Tensor(reward), done))
        if "episode" in infos:
            returns += infos["episode"]["r"][infos["_episode"]].tolist()
    return [torch.stack(rows) for rows in zip(*steps, strict=True)], returns, observation


def returns_to_go(rewards, dones, last, discount=0.99):
    """Sum discounted rewards from each step to its episode's end; `last` is what the last step's future is worth."""
    out = torch.zeros_like(rewards)
    for step in reversed(range(len(rewards))):
        last = out[step] = rewards[step] + discount * last * (1 - dones[step])
    return out


def update(agent, optimizer, rows, targets):
    """Take one step of PPO's clipped loss and return the loss."""
    observations, actions, old, _, _ = rows
    values = agent.value(observations)
    advantages = (targets - values).detach()
    advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    choices = agent.choices(observations)
    ratio = (choices.log_prob(actions) - old).exp()
    gain = torch.min(advantages * ratio, advantages * ratio.clamp(0.8, 1.2)).mean()
    loss = -gain + 0.5 * ((targets - values) ** 2).mean() - 0.01 * choices.entropy().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def main():
    """Learn for three updates: losses are finite, and the wrapper's returns are the sums of what lanes paid."""
    torch.manual_seed(0)
    lanes = gym.make_vec("popenvs:PopPacman-v0", num_envs=LANES, autoreset_mode=AutoresetMode.SAME_STEP)
    envs = RecordEpisodeStatistics(lanes)
    agent = Agent(envs)
    optimizer = torch.optim.Adam(agent.parameters(), lr=2.5e-4, eps=1e-5)
    observation, _ = envs.reset(seed=1)
    for _ in range(UPDATES):
        rows, returns, observation = rollout(agent, envs, observation)
        with torch.no_grad():
            targets = returns_to_go(*rows[3:], agent.value(torch.Tensor(observation)))
        losses = [update(agent, optimizer, rows, targets) for _ in range(4)]
        assert np.isfinite(losses).all(), losses
        assert returns == rows[3].sum(dim=0).tolist(), "a rollout is one episode in every lane"
    print(f"CleanRL's loop: {UPDATES * LANES} episodes, loss {losses[0]:.3f} to {losses[-1]:.3f}")


if __name__ == "__main__":
    main()
