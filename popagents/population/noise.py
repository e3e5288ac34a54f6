"""The members of an evolution strategy: a centre, and noise around it that is drawn from keys and never stored."""

import numpy as np

from popagents.common.normal import standard_normal
from popagents.common.randomness import mix, subset, uniform
from popagents.population.population import Stack


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

    def scatter(self, members: np.ndarray, key: np.uint64, sigma: float, parent: np.ndarray | None = None) -> None:
        """Put one member at its parent, the centre by default, + sigma e; of two, the second at it - sigma e."""
        parent = self.centre if parent is None else parent
        noise = self._drawn(key, sigma)
        for member, shifted in zip(members, (parent + noise, parent - noise), strict=False):
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


class SparseNoise(GaussianNoise):
    """Standard normal numbers e for a few parameters, drawn by lot; the others stay as they are.

    Most members then differ from the centre in little, and keep what it does well. How many parameters change is drawn
    from one to `density` of them all, each order of magnitude as likely as another. Such mutations are for the elitist
    optimizer: their covariance is not the identity that the estimate of a gradient needs.

    Args:
        stack: the members; they all stand at the centre.
        density: the largest share of the parameters that a member changes.
    """

    def __init__(self, stack: Stack, density: float) -> None:
        super().__init__(stack)
        self.most = max(1.0, density * len(self.centre))

    def _drawn(self, key: np.uint64, sigma: float) -> np.ndarray:
        how_many, which, values = (np.uint64(mix(key ^ np.uint64(part))) for part in range(3))
        changed = round(self.most ** uniform(how_many))
        noise = np.zeros_like(self.centre)
        noise[subset(which, len(noise), changed)] = np.float32(sigma) * standard_normal(values, changed)
        return noise
