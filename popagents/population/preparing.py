"""Observations as networks take them: one float tensor, in which a Dict's parts stand side by side.

So whoever stacks, shuffles or stores what networks take need not know of Dicts; features extractors get dicts again.
"""

import math
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.preprocessing import get_flattened_obs_dim, preprocess_obs

from popagents.common.records import unpacked


def prepared(policy: BasePolicy, observations: np.ndarray) -> torch.Tensor:
    """Turn raw observations into what a policy's network takes: images scaled, numbers of states one-hot.

    Args:
        policy: whose.
        observations: (k, *shape), or records (k,) of a Dict.

    Returns:
        float32, (k, *shape), or (k, inputs) of a Dict or of states.
    """
    space, images = policy.observation_space, policy.normalize_images
    if not isinstance(space, spaces.Dict):
        raw = torch.from_numpy(np.ascontiguousarray(observations))
        return preprocess_obs(raw, space, normalize_images=images)  # type: ignore[return-value]
    parts = {name: torch.from_numpy(part) for name, part in unpacked(observations).items()}
    scaled: Any = preprocess_obs(parts, space, normalize_images=images)
    return torch.cat([part.flatten(1) for part in scaled.values()], dim=1)


def parted(policy: BasePolicy, rows: torch.Tensor) -> torch.Tensor | dict[str, torch.Tensor]:
    """Turn prepared observations (k, ...) into what the policy's features extractor takes: a Dict's parts by name."""
    space = policy.observation_space
    if not isinstance(space, spaces.Dict):
        return rows
    shapes = {name: prepared_shape(part) for name, part in space.spaces.items()}
    parts = rows.split([math.prod(shape) for shape in shapes.values()], dim=1)
    return {name: part.reshape(-1, *shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


def prepared_shape(space: spaces.Space) -> tuple[int, ...]:
    """Return the shape of one observation as a network takes it."""
    if isinstance(space, (spaces.Box, spaces.MultiBinary)):
        return space.shape
    return (int(get_flattened_obs_dim(space)),)
