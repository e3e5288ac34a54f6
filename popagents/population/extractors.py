"""Convolutional features extractors for SB3 policies, ours and SB3's own."""

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn


class BoardCNN(BaseFeaturesExtractor):
    """Extract features from a small channel-first board: two 3x3 convolutions of 16 channels and a dense layer.

    Args:
        observation_space: Box of shape (channels, rows, columns), any numbers of each.
        features_dim: outputs of the dense layer.
    """

    def __init__(self, observation_space: spaces.Box, features_dim: int = 100) -> None:
        super().__init__(observation_space, features_dim)
        channels, rows, columns = observation_space.shape
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16 * rows * columns, features_dim),
            nn.ReLU(),
        )

    def forward(self, board: torch.Tensor) -> torch.Tensor:
        """Return features (k, features_dim) of boards (k, channels, rows, columns)."""
        return self.layers(board)


class SmallCNN(BaseFeaturesExtractor):
    """Extract features from large images with few weights: 8x8 filters side by side, then 4x4 filters, no dense layer.

    On Atari's (4, 84, 84) it has 4 120 parameters, a four-hundredth of SB3's `NatureCNN`: what an evolution strategy
    draws noise for, and a population evaluates in a sixth of the time that the emulator takes.

    Args:
        observation_space: Box of shape (channels, rows, columns), 28 or more of the latter two.
    """

    def __init__(self, observation_space: spaces.Box) -> None:
        check_sides(self, observation_space, 28)
        channels, rows, columns = observation_space.shape
        tall, wide = (_after(_after(length + 4, 8, 8), 4, 2) for length in (rows, columns))
        super().__init__(observation_space, 16 * tall * wide)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 8, 8, stride=8, padding=2),
            nn.ReLU(),
            nn.Conv2d(8, 16, 4, stride=2),
            nn.ReLU(),
            nn.Flatten(),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return features (k, features_dim) of images (k, channels, rows, columns)."""
        return self.layers(image)


class StridedCNN(BaseFeaturesExtractor):
    """Extract features with five 3x3 convolutions of stride 2: 16, 32, 64, 128, 256 filters, LeakyReLU behind each.

    The stack with which the source of our evolution strategy learned Space Invaders from 128x128 RGB pictures.

    Args:
        observation_space: Box of shape (channels, rows, columns), 63 or more of the latter two.
    """

    def __init__(self, observation_space: spaces.Box) -> None:
        check_sides(self, observation_space, 63)
        channels, rows, columns = observation_space.shape
        layers: list[nn.Module] = []
        for filters in (16, 32, 64, 128, 256):
            layers += [nn.Conv2d(channels, filters, 3, stride=2), nn.LeakyReLU()]
            channels, rows, columns = filters, _after(rows, 3, 2), _after(columns, 3, 2)
        super().__init__(observation_space, channels * rows * columns)
        self.layers = nn.Sequential(*layers, nn.Flatten())

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return features (k, features_dim) of images (k, channels, rows, columns)."""
        return self.layers(image)


def check_sides(extractor: BaseFeaturesExtractor, space: spaces.Box, least: int) -> None:
    """Refuse pictures that the filters do not fit.

    Raises:
        ValueError: one has fewer than `least` rows or columns.
    """
    if min(space.shape[1:]) < least:
        raise ValueError(
            f"{type(extractor).__name__} was given pictures of {space.shape[1]} rows and {space.shape[2]} columns; it "
            f"needs {least} or more of each: use CnnPolicy, whose default fits small boards, or larger pictures"
        )


def _after(length: int, kernel: int, stride: int) -> int:
    """Return how many times a filter stops along so many pixels."""
    return (length - kernel) // stride + 1
