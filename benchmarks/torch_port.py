"""The culture as one would first write it in PyTorch: the yardstick of `benchmarks/culture.py`.

One `nn.Linear` a member, one environment, members playing one after the other, `torch.optim.Adam` for each; the
source's settings throughout.
"""

import gymnasium as gym
import torch
from torch import nn


class TorchPort:
    """Seventeen linear policies that imitate their betters on PopPacman-v0."""

    def __init__(self, seed: int, members: int = 17) -> None:
        torch.manual_seed(seed)
        self.env = gym.make("popenvs:PopPacman-v0")
        self.env.reset(seed=seed)
        self.policies = [nn.Linear(180, 5) for _ in range(members)]
        for policy in self.policies:
            nn.init.normal_(policy.weight, 0, 0.05)
            nn.init.zeros_(policy.bias)
        self.order = list(range(members))  # from best to worst; equals keep it, as the source's sorted list does
        self.optimizers = [torch.optim.Adam(policy.parameters(), lr=1e-3) for policy in self.policies]

    def play(self, policy: nn.Module) -> tuple[float, torch.Tensor, torch.Tensor]:
        """Play one episode by sampling; return the score, what was seen (100, 180) and what was done (100,)."""
        seen, done, score = [], [], 0.0
        observation, _ = self.env.reset()
        over = False
        while not over:
            x = torch.as_tensor(observation)
            with torch.no_grad():
                action = torch.multinomial(policy(x).softmax(0), 1)[0]
            seen.append(x)
            done.append(action)
            observation, reward, terminated, truncated, _ = self.env.step(int(action))
            score += float(reward)
            over = terminated or truncated
        return score, torch.stack(seen), torch.stack(done)

    def generation(self) -> float:
        """Play, rank, learn; return the mean score."""
        lives = [self.play(policy) for policy in self.policies]
        self.order = ranked = sorted(self.order, key=lambda m: -lives[m][0])
        for rank in range(1, len(ranked)):
            teacher = ranked[int(torch.randint(rank, ()))]
            self.learn(ranked[rank], *lives[teacher][1:])
        return sum(score for score, _, _ in lives) / len(lives)

    def learn(self, member: int, seen: torch.Tensor, done: torch.Tensor) -> None:
        """Imitate one teacher's episode."""
        for _ in range(8):
            for batch in torch.randperm(len(done)).split(32):
                loss = nn.functional.cross_entropy(self.policies[member](seen[batch]), done[batch])
                self.optimizers[member].zero_grad()
                loss.backward()
                self.optimizers[member].step()
