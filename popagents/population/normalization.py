"""Observations scaled by what the population has seen.

The mean and the deviation are buffers of a features extractor, so they travel with the policy: `predict`,
`evaluate_policy` and a saved file need nothing else. They stand still within a generation, and what its episodes saw is
merged in the order of the jobs at its end, so that the number of slots never changes a result.
"""

import numpy as np
import torch
from gymnasium import spaces
from numba import njit
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.torch_layers import FlattenExtractor

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
        self._mean, self._deviation = self.mean.numpy(), self.deviation.numpy()  # the same memory

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return scaled features (k, inputs) of observations (k, *shape)."""
        return ((super().forward(observations) - self.mean) / self.deviation).clamp(-CLIP, CLIP)

    def scale(self, rows: np.ndarray) -> np.ndarray:
        """Return what `forward` does, for NumPy rows (k, inputs): float32."""
        scaled = (rows - self._mean) / self._deviation
        return np.minimum(np.maximum(scaled, -CLIP, out=scaled), CLIP, out=scaled)

    def describe(self, seen: "Moments") -> None:
        """Set the buffers to what was seen."""
        count, total, squares = (a.sum(axis=0) for a in (seen.counts, seen.total, seen.squares))
        if count:
            mean = total / count
            variance = np.maximum(squares / count - mean**2, 0)
            self.mean.copy_(torch.from_numpy(mean))
            self.deviation.copy_(torch.from_numpy(np.sqrt(variance + LEAST_VARIANCE)))


class Moments:
    """Sums over what was seen, one row a job.

    Attributes:
        counts: float64, (jobs,), observations.
        total, squares: float64, (jobs, inputs), sums of observations and of their squares.
    """

    def __init__(self, jobs: int, inputs: int) -> None:
        self.counts = np.zeros(jobs)
        self.total, self.squares = np.zeros((jobs, inputs)), np.zeros((jobs, inputs))

    def add(self, jobs: np.ndarray, seen: np.ndarray) -> None:
        """Add one observation (k, *shape) to each of k different jobs."""
        accumulate(jobs, np.ascontiguousarray(seen).reshape(len(jobs), -1), self.counts, self.total, self.squares)

    def merged(self, other: "Moments") -> "Moments":
        """Return this and another's sums as one row, added in the order of the jobs."""
        both = Moments(1, self.total.shape[1])
        for name, rows in vars(both).items():
            rows[0] = np.sum(getattr(self, name), axis=0) + np.sum(getattr(other, name), axis=0)
        return both

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the sums by name, for saving."""
        return dict(vars(self))

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> "Moments":
        """Take back what `arrays` returned."""
        moments = cls(*arrays["total"].shape)
        moments.__dict__.update({name: arrays[name] for name in vars(moments)})
        return moments


@njit(cache=True)
def accumulate(jobs: np.ndarray, rows: np.ndarray, counts: np.ndarray, total: np.ndarray, squares: np.ndarray) -> None:
    """Add a row (k, inputs) to each job's sums."""
    for i in range(len(jobs)):
        job = jobs[i]
        counts[job] += 1
        for j in range(rows.shape[1]):
            value = np.float64(rows[i, j])
            total[job, j] += value
            squares[job, j] += value * value


def normalizing(policy: BasePolicy) -> BasePolicy:
    """Let a policy that flattens its observations scale them too.

    Raises:
        ValueError: it has another features extractor, or sees images or something else than a Box.
    """
    space = policy.observation_space
    if type(policy.features_extractor) is not FlattenExtractor or not isinstance(space, spaces.Box):
        raise ValueError(
            f"normalize_observations is True, but {type(policy).__name__} has the features extractor "
            f"{type(policy.features_extractor).__name__} for {space}; it needs SB3's FlattenExtractor and a Box: use "
            "MlpPolicy or LinearPolicy, or leave normalize_observations out"
        )
    if is_image_space(space) and policy.normalize_images:
        raise ValueError(
            f"normalize_observations is True, but {space} holds images, which the policy scales itself; set "
            "policy_kwargs={'normalize_images': False} or leave normalize_observations out"
        )
    scaler = NormalizedFlatten(space)
    for name in ("features_extractor", "pi_features_extractor", "vf_features_extractor"):
        if hasattr(policy, name):
            setattr(policy, name, scaler)
    return policy
