"""The members of an evolution strategy: a centre, and noise around it that is drawn from keys and never stored."""

import numpy as np

from popagents.population import Stack


class GaussianNoise:
    """Independent standard normal numbers e, one a parameter.

    Args:
        stack: the members; they all stand at the centre.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.centre = stack.vector(0)

    def gather(self, centre: np.ndarray) -> None:
        """Let every member stand at a new centre: float32, (parameters,)."""
        self.centre = centre
        self.stack.set_vector(slice(None), centre)

    def scatter(self, members: np.ndarray, key: np.uint64, sigma: float) -> None:
        """Put one member at the centre + sigma e; of two, the second at the centre - sigma e."""
        noise = self._drawn(key, sigma)
        for member, shifted in zip(members, (self.centre + noise, self.centre - noise), strict=False):
            self.stack.set_vector(member, shifted)

    def recall(self, member: int) -> None:
        """Put a member back at the centre."""
        self.stack.set_vector(member, self.centre)

    def total(self, keys: np.ndarray, weights: np.ndarray, sigma: float) -> np.ndarray:
        """Add up sigma e of the keys, each times its weight: float32, (parameters,)."""
        total = np.zeros_like(self.centre)
        for key, weight in zip(keys, weights.astype(np.float32), strict=True):
            total += weight * self._drawn(key, sigma)
        return total

    def _drawn(self, key: np.uint64, sigma: float) -> np.ndarray:
        return np.float32(sigma) * standard_normal(key, len(self.centre))


def standard_normal(key: np.uint64, size: int) -> np.ndarray:
    """Draw the numbers that belong to a key: float32, (size,)."""
    return np.random.Generator(np.random.Philox(key=int(key))).standard_normal(size, np.float32)
