"""The Baldwin experiment as one would first write it in PyTorch: the yardstick of `benchmarks/genetic.py`.

One recurrent `nn.Module`, one environment, one problem after the other; the source's settings throughout.
"""

import gymnasium as gym
import torch
from torch import nn

LEARNING_RATE, DISCOUNT, VALUE_COST, ENTROPY_COST = 7.5e-4, 0.91, 0.4, 1e-3
N_TASKS, N_UPDATES, EVALUATION_TRIALS = 10, 25, 20


class Agent(nn.Module):
    """Embedding, LSTM, actor and critic."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Linear(5, 20)
        self.memory = nn.LSTM(20, 20)
        self.actor, self.critic = nn.Linear(20, 2), nn.Linear(20, 1)

    def forward(
        self, seen: torch.Tensor, state: object
    ) -> tuple[torch.distributions.Categorical, torch.Tensor, object]:
        """Return the policy, the value and the memory after one observation (5,)."""
        hidden, state = self.memory(self.embedding(seen)[None], state)
        return torch.distributions.Categorical(logits=self.actor(hidden[0])), self.critic(hidden[0])[0], state


class SequentialPort:
    """Individuals that live one after the other."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        self.env = gym.make("popenvs:PopHarlow-v0")
        self.env.reset(seed=seed)

    def individual(self) -> float:
        """Let a newcomer live through its problems; return its fitness."""
        agent, total = Agent(), 0.0
        birth = {name: values.clone() for name, values in agent.state_dict().items()}
        for _ in range(N_TASKS):
            agent.load_state_dict(birth)
            optimizer = torch.optim.RMSprop(agent.parameters(), lr=LEARNING_RATE, eps=1e-5)
            _, info = self.env.reset()
            for _ in range(N_UPDATES):
                self.learn(agent, optimizer, info["problem"])
            with torch.no_grad():
                total += sum(self.episode(agent, {"problem": info["problem"], "n_trials": EVALUATION_TRIALS})[0])
        return total

    def episode(self, agent: Agent, options: dict) -> tuple[list[float], list[torch.Tensor], list, list]:
        """Play one episode; return rewards, log-likelihoods, values and entropies."""
        observation, _ = self.env.reset(options=options)
        rewards, logs, values, entropies = [], [], [], []
        state, over = None, False
        while not over:
            policy, value, state = agent(torch.as_tensor(observation), state)
            action = policy.sample()
            observation, reward, terminated, truncated, _ = self.env.step(int(action))
            rewards.append(float(reward))
            logs.append(policy.log_prob(action))
            values.append(value)
            entropies.append(policy.entropy())
            over = terminated or truncated
        return rewards, logs, values, entropies

    def learn(self, agent: Agent, optimizer: torch.optim.Optimizer, problem: object) -> None:
        """Make one gradient step on one episode."""
        rewards, logs, values, entropies = self.episode(agent, {"problem": problem})
        returns, after = [], 0.0
        for reward in reversed(rewards):
            after = reward + DISCOUNT * after
            returns.insert(0, after)
        advantages = torch.tensor(returns) - torch.stack(values)
        actor = -(torch.stack(logs) * advantages.detach()).mean()
        loss = actor + VALUE_COST * advantages.pow(2).mean() - ENTROPY_COST * torch.stack(entropies).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
