"""A recurrent actor-critic: linear embedding, LSTM, linear actor, linear critic.

An SB3 policy: `predict` takes and returns the memory, so that `evaluate_policy` and RL Zoo's `enjoy` can play it. A
population sees it as a policy from observations to outputs (its first step of an episode); who lets it live whole
episodes keeps its memory, as `popagents.learners.updates.a2c` and `popagents.learners.updates.compiled_a2c` do.

Source of the cell: S. Hochreiter and J. Schmidhuber (1997), "Long short-term memory", with forget gates.
"""

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import nn

from popagents.population.policies import ActorPolicy

KEPT = (  # arguments that an `ActorPolicy` shares with this
    "observation_space",
    "action_space",
    "normalize_images",
    "log_std_init",
    "features_extractor_class",
    "features_extractor_kwargs",
)
State = tuple[torch.Tensor, torch.Tensor]  # hidden state h and cell state c, (k, hidden_size) each


class Cell(nn.LSTMCell):
    """An LSTM cell whose `forward` is the first step of an episode; `step` is any other."""

    def forward(self, x: torch.Tensor, state: State | None = None) -> torch.Tensor:  # type: ignore[override]
        """Return the hidden state (k, hidden_size) after inputs (k, input_size) on an empty memory."""
        return self.step(x, self.empty(x))[0]

    def step(self, x: torch.Tensor, state: State) -> State:
        """Return the memory after one more input; the gates stand in PyTorch's order: input, forget, cell, output."""
        h, c = state
        gates = nn.functional.linear(x, self.weight_ih, self.bias_ih)
        gates = gates + nn.functional.linear(h, self.weight_hh, self.bias_hh)
        i, f, g, o = gates.chunk(4, dim=-1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c

    def empty(self, x: torch.Tensor) -> State:
        """Return the memory with which an episode begins, for inputs (..., input_size)."""
        zeros = x.new_zeros((*x.shape[:-1], self.hidden_size))
        return zeros, zeros


class RecurrentPolicy(ActorPolicy):
    """Embedding, LSTM, actor and critic; nothing but the LSTM is nonlinear.

    Args:
        observation_space: what it sees.
        action_space: Discrete, MultiDiscrete, MultiBinary or a bounded Box.
        lr_schedule: unused; SB3 hands it to every policy.
        embedding_size: outputs of the embedding.
        hidden_size: units of the LSTM.
        share_features_extractor: True; actor and critic are two layers on one LSTM.
        kwargs: those of `ActorPolicy`, `net_arch` and `activation_fn` excepted.

    Raises:
        ValueError: the action space is none of these, or actor and critic are to share nothing.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Any = None,
        embedding_size: int = 20,
        hidden_size: int = 20,
        share_features_extractor: bool = True,
        **kwargs: Any,
    ) -> None:
        if not share_features_extractor:
            raise ValueError(
                "share_features_extractor is False; the actor and critic of a RecurrentPolicy share its LSTM: leave it "
                "out, or take ActorCriticPolicy"
            )
        super().__init__(observation_space, action_space, lr_schedule, net_arch=(), **kwargs)
        embedding = nn.Linear(self.features_extractor.features_dim, embedding_size)
        self.policy_net = nn.Sequential(OrderedDict(embedding=embedding, cell=Cell(embedding_size, hidden_size)))
        self.action_net = nn.Linear(hidden_size, self.actions.n_outputs)
        self.value_net = nn.Linear(hidden_size, 1)

    @property
    def cell(self) -> Cell:
        """Return the LSTM."""
        return self.policy_net.cell  # type: ignore[return-value]

    def step(self, features: torch.Tensor, state: State) -> tuple[torch.Tensor, torch.Tensor, State]:
        """Play one step.

        Args:
            features: float32, (k, inputs), what the features extractor makes of observations.
            state: the memory before.

        Returns:
            Outputs (k, n_outputs), values (k,) and the memory after.
        """
        state = self.cell.step(self.policy_net.embedding(features), state)  # type: ignore[operator]
        return self.action_net(state[0]), self.value_net(state[0]).squeeze(-1), state

    def predict(
        self,
        observation: np.ndarray | dict[str, np.ndarray],
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...] | None]:
        """Choose actions, and remember.

        Args:
            observation: one observation, or (k, *shape).
            state: what the last call returned; None for an empty memory.
            episode_start: bool, (k,): where an episode begins, and the memory is emptied.
            deterministic: the likeliest actions; otherwise samples.

        Returns:
            The actions, and the memory: two float32 arrays (k, hidden_size).
        """
        self.set_training_mode(False)
        tensor, several = self.obs_to_tensor(observation)
        with torch.no_grad():
            features = self.extract_features(tensor, self.features_extractor)
            memory = self._memory(features, state, episode_start)
            outputs, _, memory = self.step(features, memory)
            chosen = self._choose(outputs, deterministic)
        actions = chosen.cpu().numpy().reshape(-1, *self.action_space.shape)  # type: ignore[misc]
        return actions if several else actions[0], tuple(part.cpu().numpy() for part in memory)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        sizes = {"embedding_size": self.cell.input_size, "hidden_size": self.cell.hidden_size}
        return {k: v for k, v in super()._get_constructor_parameters().items() if k in KEPT} | sizes

    def _memory(
        self, features: torch.Tensor, state: tuple[np.ndarray, ...] | None, episode_start: np.ndarray | None
    ) -> State:
        """Return the memory of a caller as tensors, emptied where an episode begins."""
        if state is None:
            return self.cell.empty(features)
        begins = np.zeros(len(features), bool) if episode_start is None else np.asarray(episode_start, bool)
        kept = torch.as_tensor(~begins, device=self.device)[:, None]
        h, c = (torch.as_tensor(part, device=self.device) * kept for part in state)
        return h, c
