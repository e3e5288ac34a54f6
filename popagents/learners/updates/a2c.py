"""Advantage actor-critic within a life: one gradient step for each episode, all lives at once.

A *life* is one member on one problem: it starts from the weights that the member was born with and a fresh optimiser,
and each episode moves them by RMSprop down

    mean(-log pi(a_t) * (R_t - V_t)) + value_cost * mean((R_t - V_t)^2) - entropy_cost * mean(H_t)

where R_t is the discounted return to the episode's end, without bootstrap, and the first R_t - V_t is a constant.

`Learners` is what plays in a lifetime. `TorchLearners` is the reference: autograd, any policy with a critic.
`CompiledLearners` (in `compiled_a2c.py`) does the same for `RecurrentPolicy`, some hundred times faster.

Source: V. Mnih et al. (2016), "Asynchronous methods for deep reinforcement learning", https://arxiv.org/abs/1602.01783;
RMSprop as in PyTorch, with its decay of 0.99 and epsilon 1e-5.
"""

from abc import abstractmethod
from typing import Any, NamedTuple

import numpy as np
import torch
from stable_baselines3.common.policies import BasePolicy
from torch import nn
from torch.func import grad, vmap

from popagents.common.actors import Actors
from popagents.common.compiling import njit
from popagents.common.parameters import Parameters
from popagents.population.actions import Actions
from popagents.population.design import Design
from popagents.population.policies import call
from popagents.population.preparing import parted
from popagents.population.recurrent import RecurrentPolicy

DECAY, EPSILON = 0.99, 1e-5  # RMSprop's


class Hyperparameters(NamedTuple):
    """How a member learns in its life; float arrays (lives,)."""

    learning_rate: Any
    discount: Any
    value_cost: Any
    entropy_cost: Any


class Learners(Actors):
    """Many lives' networks, which play, remember within an episode, and learn from each.

    Args:
        design: a policy with a critic.
        parameters: of members, (members, *shape) by name.
        rows: int64, (learners,), the member that each learner was born as.
        hyperparameters: float64 arrays (learners,).
        lives_each: lives that share a learner, and learn together from the mean of their losses: life i has learner
            i // lives_each.
    """

    actions: Actions

    def __init__(
        self,
        design: Design,
        parameters: Parameters,
        rows: np.ndarray,
        hyperparameters: Hyperparameters,
        lives_each: int = 1,
    ) -> None:
        self.design, self.actions, self.lives_each = design, design.actions, lives_each
        self.hyperparameters = Hyperparameters(*(np.asarray(values, np.float32) for values in hyperparameters))
        self.discounts, *costs = (np.repeat(values, lives_each) for values in self.hyperparameters[1:])
        self.costs = np.stack(costs)
        lives = len(rows) * lives_each
        self.steps = np.zeros(lives, np.int64)  # played in this episode
        self.rewards = np.zeros((lives, 16), np.float32)
        self.taken = np.zeros((lives, 16, *self.actions.space.shape), self.actions.space.dtype)  # type: ignore[misc]

    def begin(self) -> None:
        """Begin an episode in every life, with an empty memory."""
        self.steps[:] = 0

    def act(self, who: np.ndarray, observations: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
        """Choose one action for each life of `who` (int64, (k,)); nobody twice."""
        t = self.steps[who]
        if t.max() == self.rewards.shape[1]:
            self._make_room()
        actions = self.actions.choose(self._step(who, observations), noise, self._log_std(who))
        self.taken[who, t] = actions
        self._who, self._t = who, t
        return actions

    def rewarded(self, rewards: np.ndarray) -> None:
        """Take the rewards (k,) of the actions taken last."""
        self.rewards[self._who, self._t] = rewards

    def learn(self) -> None:
        """Make one gradient step in every life, from the episode that it has just played."""
        longest = int(self.steps.max())
        playing = np.arange(longest) < self.steps[:, None]
        rewards = np.where(playing, self.rewards[:, :longest], 0)
        returns = discounted(rewards, self.discounts)
        self._descend(
            self.taken[:, :longest], returns, playing / (self.lives_each * np.maximum(self.steps, 1)[:, None])
        )

    def _make_room(self) -> None:
        self.rewards, self.taken = (np.concatenate([a, np.zeros_like(a)], axis=1) for a in (self.rewards, self.taken))

    @abstractmethod
    def learned(self) -> Parameters:
        """Return every learner's parameters as they are now, (learners, *shape) by name."""

    @abstractmethod
    def _log_std(self, who: np.ndarray) -> np.ndarray | None:
        """Return each life's spread of actions, float32 (k, n_outputs), for a Box."""

    @abstractmethod
    def _step(self, who: np.ndarray, observations: np.ndarray) -> np.ndarray:
        """Return outputs (k, n_outputs), and move the memory and the count of steps on."""

    @abstractmethod
    def _descend(self, taken: np.ndarray, returns: np.ndarray, shares: np.ndarray) -> None:
        """Step down the gradient, for actions taken (lives, steps, ...), returns and each step's share of the mean."""


class TorchLearners(Learners):
    """The reference: plain PyTorch, one network a life, all lives in one `vmap`."""

    def __init__(
        self,
        design: Design,
        parameters: Parameters,
        rows: np.ndarray,
        hyperparameters: Hyperparameters,
        lives_each: int = 1,
    ) -> None:
        super().__init__(design, parameters, rows, hyperparameters, lives_each)
        self.actor_critic = ActorCritic(design.template)
        self.weights = {name: torch.from_numpy(values[rows]) for name, values in parameters.items()}
        self.squares = {name: torch.zeros_like(values) for name, values in self.weights.items()}
        self.observed: torch.Tensor | None = None
        self.memory = self.actor_critic.empty(len(self.steps))

    def begin(self) -> None:
        """Begin an episode in every life, with an empty memory."""
        super().begin()
        self.memory = self.actor_critic.empty(len(self.steps))

    def learned(self) -> Parameters:
        """Return every learner's parameters as they are now."""
        return {name: values.numpy() for name, values in self.weights.items()}

    def _log_std(self, who: np.ndarray) -> np.ndarray | None:
        return self.weights["log_std"][who // self.lives_each].numpy() if "log_std" in self.weights else None

    def _step(self, who: np.ndarray, observations: np.ndarray) -> np.ndarray:
        prepared = self.design.actor.prepare(observations)
        if self.observed is None:
            self.observed = prepared.new_zeros((*self.rewards.shape, *prepared.shape[1:]))
        self.observed[who, self.steps[who]] = prepared
        own = {name: values[who // self.lives_each] for name, values in self.weights.items()}
        memory = tuple(part[who] for part in self.memory)

        def one(own: Any, x: torch.Tensor, memory: Any) -> Any:
            outputs, _, memory = call(self.actor_critic, own, x[None], memory)
            return outputs[0], memory

        with torch.no_grad():
            outputs, memory = vmap(one)(own, prepared, memory)
        for part, new in zip(self.memory, memory, strict=True):
            part[who] = new
        self.steps[who] += 1
        return outputs.numpy()

    def _make_room(self) -> None:
        super()._make_room()
        if self.observed is not None:
            self.observed = torch.cat([self.observed, torch.zeros_like(self.observed)], dim=1)

    def gradients(self, taken: np.ndarray, returns: np.ndarray, shares: np.ndarray) -> dict[str, torch.Tensor]:
        """Return the gradients (learners, *shape) of each learner's loss by its parameters."""
        assert self.observed is not None

        def loss(own: Any, seen: Any, taken: Any, returns: Any, shares: Any, value_cost: Any, entropy_cost: Any) -> Any:
            """Return a learner's loss: the sum of its steps' losses, each weighed by its share."""
            outputs, values, _ = call(self.actor_critic, own, seen, self.actor_critic.empty())
            log_std = own.get("log_std")
            advantages = returns - values
            actor = -self.actions.log_likelihood(outputs, taken, log_std) * advantages.detach()
            entropies = entropy(self.actions, outputs, log_std)
            return (shares * (actor + value_cost * advantages**2 - entropy_cost * entropies)).sum()

        given = (taken, returns.astype(np.float32), shares.astype(np.float32), *self.costs)
        seen = self.observed[:, : taken.shape[1]]
        own = {name: values.repeat_interleave(self.lives_each, dim=0) for name, values in self.weights.items()}
        found = vmap(grad(loss))(own, seen, *map(torch.from_numpy, given))
        return {name: values.unflatten(0, (-1, self.lives_each)).sum(dim=1) for name, values in found.items()}

    def _descend(self, taken: np.ndarray, returns: np.ndarray, shares: np.ndarray) -> None:
        rates = torch.from_numpy(self.hyperparameters.learning_rate)
        for name, gradient in self.gradients(taken, returns, shares).items():
            squares = self.squares[name].mul_(DECAY).addcmul_(gradient, gradient, value=1 - DECAY)
            rate = rates.reshape(-1, *[1] * (gradient.ndim - 1))
            self.weights[name] = self.weights[name] - rate * gradient / (squares.sqrt() + EPSILON)


class ActorCritic(nn.Module):
    """A policy with a critic as one module, from an episode's observations to outputs and values.

    Attributes:
        policy: `RecurrentPolicy`, or an SB3 `ActorCriticPolicy`, which has no memory.
    """

    def __init__(self, policy: BasePolicy) -> None:
        super().__init__()
        self.policy = policy

    def empty(self, *lives: int) -> tuple[torch.Tensor, ...]:
        """Return empty memories, (*lives, hidden_size) each; none for a policy without."""
        if not isinstance(self.policy, RecurrentPolicy):
            return ()
        zeros = torch.zeros((*lives, self.policy.cell.hidden_size))
        return zeros, zeros.clone()

    def forward(self, seen: torch.Tensor, memory: Any) -> tuple[torch.Tensor, torch.Tensor, Any]:
        """Return outputs (steps, n_outputs), values (steps,) and the memory after observations (steps, ...)."""
        policy: Any = self.policy
        parts = parted(policy, seen)
        if not isinstance(policy, RecurrentPolicy):
            actor = policy.mlp_extractor.forward_actor(policy.pi_features_extractor(parts))
            critic = policy.mlp_extractor.forward_critic(policy.vf_features_extractor(parts))
            return policy.action_net(actor), policy.value_net(critic).squeeze(-1), memory
        outputs, values = [], []
        for features in policy.features_extractor(parts):
            output, value, memory = policy.step(features, memory)
            outputs.append(output)
            values.append(value)
        return torch.stack(outputs), torch.stack(values), memory


@njit(cache=True)
def discounted(rewards: np.ndarray, discounts: np.ndarray) -> np.ndarray:
    """Return R_t = r_t + discount * R_{t+1}, in the dtype of the rewards, (lives, steps).

    >>> discounted(np.array([[0.0, 0.0, 8.0]]), np.array([0.5])).tolist()
    [[2.0, 4.0, 8.0]]
    """
    returns = rewards.copy()
    for life in range(len(returns)):
        for t in range(returns.shape[1] - 2, -1, -1):
            returns[life, t] += discounts[life] * returns[life, t + 1]
    return returns


def entropy(actions: Actions, outputs: torch.Tensor, log_std: torch.Tensor | None) -> torch.Tensor:
    """Return the entropy of the actions that outputs (steps, n_outputs) give rise to, (steps,)."""
    if log_std is not None:
        return (log_std + 0.5 * np.log(2 * np.pi * np.e)).sum(dim=-1).expand(len(outputs))
    logits = actions.tensor_logits(outputs)
    logs = [part.log_softmax(dim=-1) for part in torch.split(logits, list(actions.sizes), dim=-1)]
    return -sum((part.exp() * part).sum(dim=-1) for part in logs)  # type: ignore[return-value]
