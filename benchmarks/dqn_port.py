"""Deep Q-learning on fruit catch as one would first write it in PyTorch: the yardstick of `benchmarks/fruit_catch.py`.

One environment, one update a step, on a batch drawn from a replay memory; no target network; RMSprop, discount 0.8.
"""

import random
from collections import deque

import gymnasium as gym
import numpy as np
import torch
from torch import nn

DISCOUNT, BATCH, MEMORY = 0.8, 32, 10_000


class DQNPort:
    """A Q-network that learns fruit catch from its own episodes.

    Args:
        seed: of everything.
        exploring: episodes over which the share of random moves falls from 1 to 0.1.
    """

    def __init__(self, seed: int, exploring: int = 100) -> None:
        random.seed(seed)
        torch.manual_seed(seed)
        self.env = gym.make("popenvs:PopFruitCatch-v0", observation="grid")
        self.env.reset(seed=seed)
        convolutions = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU()]
        dense = [nn.Flatten(), nn.Linear(16 * 15 * 15, 100), nn.ReLU(), nn.Linear(100, 3)]
        self.network = nn.Sequential(*convolutions, *dense)
        self.optimizer = torch.optim.RMSprop(self.network.parameters(), lr=3e-4)
        self.memory: deque = deque(maxlen=MEMORY)
        self.episodes, self.exploring = 0, exploring

    def episode(self) -> float:
        """Play one episode, learning after every step; return the reward."""
        epsilon = max(0.1, 1 - self.episodes / self.exploring)
        self.episodes += 1
        observation, _ = self.env.reset()
        over, score = False, 0.0
        while not over:
            action = random.randrange(3) if random.random() < epsilon else self.predict(observation[None])[0][0]
            following, reward, terminated, truncated, _ = self.env.step(int(action))
            over, score = terminated or truncated, score + float(reward)
            self.memory.append((observation, action, reward, following, terminated))
            observation = following
            self.learn()
        return score

    def predict(self, boards: np.ndarray, deterministic: bool = True) -> tuple[np.ndarray, None]:
        """Return the best actions (k,) for boards (k, 1, 15, 15), as SB3 does."""
        with torch.no_grad():
            values = self.network(torch.as_tensor(boards, dtype=torch.float32))
        return values.argmax(dim=1).numpy(), None

    def learn(self) -> None:
        """Take one step toward reward + discount * best next value, on a batch from the memory."""
        if len(self.memory) < BATCH:
            return
        rows = random.sample(self.memory, BATCH)
        boards, actions, rewards, following, ended = (np.array(column) for column in zip(*rows, strict=True))
        with torch.no_grad():
            best_next = self.network(torch.as_tensor(following)).amax(dim=1)
        target = torch.as_tensor(rewards) + DISCOUNT * ~torch.as_tensor(ended) * best_next
        chosen = self.network(torch.as_tensor(boards)).gather(1, torch.as_tensor(actions)[:, None])[:, 0]
        loss = nn.functional.mse_loss(chosen, target.float())
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
