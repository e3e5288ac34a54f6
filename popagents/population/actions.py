"""How the outputs of a policy become actions, for every action space that the zoo serves.

A policy gives one row of *outputs* per observation: logits for Discrete and MultiDiscrete spaces, one for each bit of a
MultiBinary space (of 1 against 0, as in SB3), means for a Box (whose spread is the policy's parameter `log_std`).
Acting takes noise as an argument, so that it stays a pure function.

Means for a Box are numbers in the action's own units, clipped to its bounds, as in SB3; or, for the zoo's own policies,
in units of the bounds: -1 is the lower one, 1 the upper one. The two are the same, bit for bit, where the bounds are -1
and 1.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch.nn import functional

from popagents.common.normal import normal
from popagents.common.randomness import gumbel


@dataclass(frozen=True)
class Actions:
    """An action space as seen by a policy's last layer.

    Attributes:
        space: Discrete, MultiDiscrete, MultiBinary or a bounded Box.
        sizes: logits per component, 2 for a bit; empty for a Box.
        n_outputs: how many outputs a policy needs.
        bounds: the middle and half the width of a Box, (n_outputs,) each, whose units are its bounds; None otherwise.
    """

    space: spaces.Space
    sizes: tuple[int, ...]
    n_outputs: int
    bounds: tuple[np.ndarray, np.ndarray] | None = None

    @classmethod
    def of(cls, space: spaces.Space, in_bounds: bool = False) -> "Actions":
        """Describe a space.

        Args:
            space: Discrete, MultiDiscrete or a bounded Box.
            in_bounds: whether the units of a Box are its bounds.

        Raises:
            ValueError: no policy of the zoo can serve it.
        """
        if isinstance(space, spaces.Discrete) and space.start == 0:
            return cls(space, (int(space.n),), int(space.n))
        if isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1 and not space.start.any():
            sizes = tuple(int(n) for n in space.nvec)
            return cls(space, sizes, sum(sizes))
        if isinstance(space, spaces.MultiBinary) and isinstance(space.n, int):
            return cls(space, (2,) * space.n, space.n)
        if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating) and space.is_bounded():
            return cls(space, (), int(np.prod(space.shape)), middle_and_half(space) if in_bounds else None)
        raise ValueError(
            f"the action space is {space}; policies serve Discrete and one-dimensional MultiDiscrete spaces that start "
            "at 0, MultiBinary(n) with a whole number n, and bounded float Box spaces: wrap the environment to offer "
            "one of these"
        )

    @cached_property
    def n_logits(self) -> int:
        """Return how many logits there are in all; 0 for a Box."""
        return sum(self.sizes)

    @cached_property
    def tensor_dtype(self) -> torch.dtype:
        """Return the space's dtype in torch."""
        return torch.from_numpy(np.zeros(0, self.space.dtype)).dtype

    def idle(self, k: int) -> np.ndarray:
        """Return k valid actions, (k, ...): the first of a discrete space, the middle of a Box."""
        space = self.space
        one = (space.low + space.high) / 2 if isinstance(space, spaces.Box) else np.zeros(space.shape)  # type: ignore
        return np.repeat(one.astype(space.dtype)[None], k, axis=0)

    def noise(self, key: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Draw what sampling needs: float32, (k, n_outputs), a function of (key, step) alone."""
        return gumbel(key, steps, self.n_logits) if self.sizes else normal(key, steps, self.n_outputs)

    def logits(self, outputs: np.ndarray) -> np.ndarray:
        """Return one logit a choice (..., sum(sizes)) for outputs (..., n_outputs): 0 and its output for a bit."""
        if not isinstance(self.space, spaces.MultiBinary):
            return outputs
        return np.stack([np.zeros_like(outputs), outputs], axis=-1).reshape(*outputs.shape[:-1], -1)

    def tensor_logits(self, outputs: torch.Tensor) -> torch.Tensor:
        """Do what `logits` does, in torch."""
        if not isinstance(self.space, spaces.MultiBinary):
            return outputs
        return torch.stack([torch.zeros_like(outputs), outputs], dim=-1).flatten(-2)

    def by_outputs(self, by_logits: np.ndarray) -> np.ndarray:
        """Turn a gradient by logits (..., sum(sizes)) into one by outputs (..., n_outputs)."""
        return by_logits[..., 1::2] if isinstance(self.space, spaces.MultiBinary) else by_logits

    def choose(
        self, outputs: np.ndarray, noise: np.ndarray | None = None, log_std: np.ndarray | None = None
    ) -> np.ndarray:
        """Choose actions: the likeliest without noise, a sample with it.

        Args:
            outputs: float32, (k, n_outputs).
            noise: float32, from `noise`: (k, sum(sizes)), or (k, n_outputs) for a Box.
            log_std: float32, (k, n_outputs) or (n_outputs,), for a Box only.

        Returns:
            Actions in the space, of its dtype: (k,), (k, components) or (k, *shape).
        """
        if not self.sizes:
            return self._box(outputs if noise is None or log_std is None else outputs + np.exp(log_std) * noise)
        if isinstance(self.space, spaces.Discrete):
            likeliest = (outputs if noise is None else outputs + noise).argmax(axis=1)
            return likeliest.astype(self.space.dtype, copy=False)
        logits = self.logits(outputs)
        if noise is not None:
            logits = logits + noise
        parts = np.split(logits, np.cumsum(self.sizes)[:-1], axis=1)
        return np.stack([part.argmax(axis=1) for part in parts], axis=1).astype(self.space.dtype)

    def chosen(
        self, outputs: torch.Tensor, noise: torch.Tensor | None = None, log_std: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Do what `choose` does, in torch."""
        if not self.sizes:
            sampled = outputs if noise is None or log_std is None else outputs + log_std.exp() * noise
            return self._bounded(sampled)
        logits = self.tensor_logits(outputs)
        if noise is not None:
            logits = logits + noise
        if isinstance(self.space, spaces.Discrete):
            return logits.argmax(dim=1)
        parts = torch.split(logits, list(self.sizes), dim=1)
        return torch.stack([part.argmax(dim=1) for part in parts], dim=1).to(self.tensor_dtype)

    def log_likelihood(
        self, outputs: torch.Tensor, actions: torch.Tensor, log_std: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return log pi(action | observation), (k,), for outputs (k, n_outputs) and actions as `choose` gives them.

        For a Box it is the density of the mean's units.
        """
        if log_std is not None:
            deviation = (self._raw(actions.flatten(1)) - outputs) / log_std.exp()
            return -(0.5 * deviation**2 + log_std + 0.5 * np.log(2 * np.pi)).sum(dim=1)
        chosen = actions.reshape(len(outputs), -1)
        parts = torch.split(self.tensor_logits(outputs), list(self.sizes), dim=1)
        logs = [
            functional.log_softmax(part, dim=1).gather(1, chosen[:, [i]].long()).squeeze(1)
            for i, part in enumerate(parts)
        ]
        return torch.stack(logs).sum(dim=0)

    def gradient(
        self, outputs: np.ndarray, actions: np.ndarray, log_std: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the gradient of -log pi(action | observation).

        Args:
            outputs: float32, (..., n_outputs).
            actions: (..., *shape of an action).
            log_std: float32, broadcastable to `outputs`, for a Box only.

        Returns:
            The gradients by the outputs and, for a Box, by `log_std`, both (..., n_outputs).
        """
        if log_std is not None:
            deviation = (self._raw(actions.reshape(outputs.shape)) - outputs) / np.exp(log_std)
            return -deviation / np.exp(log_std), 1 - deviation**2
        chosen = actions.reshape(*outputs.shape[:-1], len(self.sizes))
        error = self.logits(outputs).copy("K")  # sums add up in the order of the memory
        parts = np.split(error, np.cumsum(self.sizes)[:-1], axis=-1)
        for component, (part, size) in enumerate(zip(parts, self.sizes, strict=True)):
            softmax(part)
            part -= np.arange(size) == chosen[..., [component]]
        return self.by_outputs(error), None

    def _box(self, actions: np.ndarray) -> np.ndarray:
        assert isinstance(self.space, spaces.Box)
        if self.bounds is not None:
            actions = self.bounds[0] + self.bounds[1] * actions
        shaped = actions.reshape(len(actions), *self.space.shape).astype(self.space.dtype, copy=False)
        return np.clip(shaped, self.space.low, self.space.high)

    def _bounded(self, actions: torch.Tensor) -> torch.Tensor:
        """Do what `_box` does, in torch."""
        space = self.space
        assert isinstance(space, spaces.Box)
        low, high = (torch.as_tensor(bound, device=actions.device) for bound in (space.low, space.high))
        if self.bounds is not None:
            middle, half = (torch.as_tensor(part, device=actions.device) for part in self.bounds)
            actions = middle + half * actions
        shaped = actions.reshape(-1, *space.shape).to(low.dtype)
        return torch.minimum(torch.maximum(shaped, low), high)

    def _raw(self, actions: Any) -> Any:
        """Return actions of a Box (..., n_outputs), an array or a tensor, in the units of the means."""
        if self.bounds is None:
            return actions
        middle, half = self.bounds if isinstance(actions, np.ndarray) else map(torch.from_numpy, self.bounds)
        return (actions - middle) / half


def middle_and_half(space: spaces.Box) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the middle and half the width of a Box, flat, in its dtype; None if its bounds are -1 and 1."""
    low, high = space.low.ravel(), space.high.ravel()
    if (low == -1).all() and (high == 1).all():
        return None
    half = high / 2 - low / 2  # half of each: their difference may be infinite
    return low / 2 + high / 2, np.where(half > 0, half, np.ones_like(half))


def softmax(logits: np.ndarray) -> None:
    """Turn logits, (..., n), into probabilities in place."""
    logits -= logits.max(axis=-1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=-1, keepdims=True)


def disagreement(actions: np.ndarray, space: spaces.Space) -> float:
    """Measure how differently members act in the same situations.

    Args:
        actions: (situations, members, components).
        space: the action space.

    Returns:
        For discrete spaces the share of pairs of members that choose differently, averaged over situations and
        components; for a Box the members' standard deviation as a share of the action's range. 0: all alike.
    """
    if isinstance(space, spaces.Box):
        spread = (space.high - space.low).ravel()
        return float((actions.std(axis=1) / spread).mean())
    members = actions.shape[1]
    if members < 2:
        return 0.0
    same = [np.sum(counts * (counts - 1)) for counts in _counts(actions)]
    return float(1 - np.mean(same) / (members * (members - 1)))


def at_a_bound(actions: np.ndarray, space: spaces.Space) -> bool:
    """Tell whether every action (situations, members, components) lies at the same bounds of a Box."""
    if not isinstance(space, spaces.Box) or actions.shape[1] < 2:
        return False
    first = actions[:1, :1]
    bounds = (first == space.low.ravel()) | (first == space.high.ravel())
    return bool(bounds.all() and (actions == first).all())


def _counts(actions: np.ndarray) -> list[np.ndarray]:
    """Count each action's choosers, per situation and component."""
    columns = actions.astype(np.int64).transpose(0, 2, 1).reshape(-1, actions.shape[1])
    return [np.bincount(column) for column in columns]
