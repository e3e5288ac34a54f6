"""Two things side by side, seen so that what is learned of some pairs holds for pairs that were never met."""

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor


class PairDifference(BaseFeaturesExtractor):
    """Extract from two things, one-hot side by side, by how much their numbers differ; pass the rest on as it is.

    A network that sees the one-hots can learn each pair by heart, and nothing in what it makes of them keeps two things
    apart that never meet in training. On a line of numbers all are apart, an exchange of sides turns the sign, and what
    is learned of one difference holds for every pair with that difference.

    Args:
        observation_space: Box of shape (2 * things + passed_on,): left one-hot, right one-hot, the rest.
        passed_on: numbers of the rest; 3 are the last reward and the last of two actions one-hot.

    Raises:
        ValueError: what comes before the rest is no two one-hots of one length.
    """

    numbers: torch.Tensor

    def __init__(self, observation_space: spaces.Box, passed_on: int = 3) -> None:
        both = observation_space.shape[0] - passed_on
        if len(observation_space.shape) != 1 or both < 2 or both % 2:
            raise ValueError(
                f"observations have shape {observation_space.shape}; they must be two one-hots of one length and then "
                f"{passed_on} numbers: choose passed_on to fit"
            )
        super().__init__(observation_space, 1 + passed_on)
        self.register_buffer("numbers", torch.arange(both // 2, dtype=torch.float32))

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return features (k, 1 + passed_on) of observations (k, 2 * things + passed_on)."""
        things = len(self.numbers)
        left, right, rest = observations.split([things, things, self.features_dim - 1], dim=1)
        return torch.cat([((left - right) @ self.numbers)[:, None], rest], dim=1)
