"""Observations scaled by what the population has seen.

The mean and the deviation are buffers of a features extractor, so they travel with the policy: `predict`,
`evaluate_policy` and a saved file need nothing else. They stand still within a generation, and what its episodes saw is
merged in the order of the jobs at its end, so that the number of slots never changes a result.
"""

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.torch_layers import FlattenExtractor

from popagents.common.moments import Moments

CLIP = 5.0  # deviations; a number that hardly ever changes must not drown the others when it does
LEAST_VARIANCE = 1e-8


class NormalizedFlatten(FlattenExtractor):
    """Flatten observations and scale them: clip((x - mean) / deviation, -5, 5).

    A number that had never changed is 5 or -5 once it does: a switch, which policies may learn to use.

    Args:
        observation_space: Box of any shape.

    Attributes:
        mean, deviation: buffers, float32, (inputs,); 0 and 1 until something was seen.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, observation_space: spaces.Space) -> None:
        super().__init__(observation_space)
        self.register_buffer("mean", torch.zeros(self.features_dim))
        self.register_buffer("deviation", torch.ones(self.features_dim))
        self._view()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take up a copy's or a pickle's state, whose arrays are no longer the buffers' memory."""
        super().__setstate__(state)
        self._view()

    def _view(self) -> None:
        self._mean, self._deviation = self.mean.numpy(), self.deviation.numpy()  # the same memory

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return scaled features (k, inputs) of observations (k, *shape)."""
        return ((super().forward(observations) - self.mean) / self.deviation).clamp(-CLIP, CLIP)

    def scale(self, rows: np.ndarray) -> np.ndarray:
        """Return what `forward` does, for NumPy rows (k, inputs): float32."""
        scaled = (rows - self._mean) / self._deviation
        return np.minimum(np.maximum(scaled, -CLIP, out=scaled), CLIP, out=scaled)

    def describe(self, moments: Moments) -> None:
        """Set the buffers to what was seen."""
        for name, values in scales(moments).items():
            getattr(self, name).copy_(torch.from_numpy(values))


def scales(moments: Moments) -> dict[str, np.ndarray]:
    """Return the mean and the deviation of what was seen: float64, (inputs,); 0 and 1 if nothing was."""
    count, total, squares = (a.sum(axis=0) for a in (moments.counts, moments.total, moments.squares))
    if not count:
        return {"mean": np.zeros_like(total), "deviation": np.ones_like(total)}
    mean = total / count
    variance = np.maximum(squares / count - mean**2, 0)
    return {"mean": mean, "deviation": np.sqrt(variance + LEAST_VARIANCE)}


def normalizing(policy: BasePolicy) -> BasePolicy:
    """Let a policy that flattens its observations scale them too.

    Raises:
        ValueError: see `check_flattens`.
    """
    check_flattens(policy)
    scaler = NormalizedFlatten(policy.observation_space)
    for name in ("features_extractor", "pi_features_extractor", "vf_features_extractor"):
        if hasattr(policy, name):
            setattr(policy, name, scaler)
    policy.features_extractor_class = NormalizedFlatten  # by which `policy.load` makes it again
    return policy


def check_flattens(policy: BasePolicy) -> None:
    """Check that a policy only flattens its observations.

    Raises:
        ValueError: it has another features extractor, or sees images or something else than a Box.
    """
    space = policy.observation_space
    if type(policy.features_extractor) is not FlattenExtractor or not isinstance(space, spaces.Box):
        raise ValueError(
            f"normalize_observations is True, but {type(policy).__name__} has the features extractor "
            f"{type(policy.features_extractor).__name__} for {space}; it needs SB3's FlattenExtractor and a Box: use "
            "MlpPolicy or LinearPolicy (of a Dict gymnasium.wrappers.FlattenObservation makes a Box), or leave it out"
        )
    if is_image_space(space) and policy.normalize_images:
        raise ValueError(
            f"normalize_observations is True, but {space} holds images, which the policy scales itself; set "
            "policy_kwargs={'normalize_images': False} or leave normalize_observations out"
        )
