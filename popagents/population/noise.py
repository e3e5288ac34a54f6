"""Members that are a parent and noise around it, which is drawn from keys and never stored."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from popagents.common.actors import Actors
from popagents.common.moments import Moments
from popagents.common.normal import standard_normal
from popagents.common.parameters import set_rows
from popagents.common.randomness import mix, subset, uniform
from popagents.population.design import Design
from popagents.population.population import Population


@dataclass(frozen=True)
class Perturbed:
    """Members around parents, as players.

    Attributes:
        parents: float32, (parents, numbers), each one's parameters as a vector.
        parent: int64, (members,), around which parent each stands.
        keys: uint64, (members,), of each one's noise; a mirrored pair, one after the other, shares one.
        signs: int8, (members,), 1 or -1 times the noise, or 0 for a parent itself.
        sigma: standard deviation of the noise.
        moments: sums over the observations by which these are scaled; None where they are not.
    """

    parents: np.ndarray
    parent: np.ndarray
    keys: np.ndarray
    signs: np.ndarray
    sigma: float
    moments: Moments | None = None

    @property
    def together(self) -> int:
        """Return 1: nobody shares a learner."""
        return 1

    def seated(self, workspace: Any) -> Actors:
        """Draw the members in a `Workspace`, which has room for one set of them."""
        (design,) = workspace.designs
        if self.moments is not None:
            design.scaler.describe(self.moments)
        return workspace.noise.seated(self, design)

    def part(self, who: np.ndarray) -> tuple["Perturbed", np.ndarray]:
        """Return some members around the same parents, numbered from 0."""
        own = replace(self, parent=self.parent[who], keys=self.keys[who], signs=self.signs[who])
        return own, np.arange(len(who))


class Noise(ABC):
    """A kind of noise."""

    @abstractmethod
    def seated(self, members: Perturbed, design: Design) -> Actors:
        """Return members who can act; they are overwritten by the next ones."""

    @abstractmethod
    def vectors(self, members: Perturbed, who: np.ndarray) -> np.ndarray:
        """Return the parameters of some members (int64, (k,)): float32, (k, numbers)."""

    @abstractmethod
    def total(self, keys: np.ndarray, weights: np.ndarray, sigma: float) -> np.ndarray:
        """Add up sigma times the noise of keys (uint64, (k,)), each times its weight: float32, (numbers,)."""


class GaussianNoise(Noise):
    """Independent standard normal numbers e, one a parameter: members stand at parent + sigma e and parent - sigma e.

    Args:
        numbers: parameters of a member.
    """

    def __init__(self, numbers: int) -> None:
        self.numbers = numbers
        self._room: dict[str, np.ndarray] = {}

    def seated(self, members: Perturbed, design: Design) -> Population:
        """Write every member's parameters."""
        size = len(members.keys)
        if not self._room or len(next(iter(self._room.values()))) != size:
            self._room = design.copies(size)
        for member, vector in enumerate(self._each(members, np.arange(size))):
            set_rows(self._room, member, vector)
        return Population([design], [self._room])

    def vectors(self, members: Perturbed, who: np.ndarray) -> np.ndarray:
        """Draw some members' parameters anew."""
        return np.stack([*self._each(members, who)])

    def total(self, keys: np.ndarray, weights: np.ndarray, sigma: float) -> np.ndarray:
        """Draw the noise of every key again, and add it up in the order of the keys."""
        total = np.zeros(self.numbers, np.float32)
        for key, weight in zip(keys, weights.astype(np.float32), strict=True):
            total += weight * self.drawn(key, sigma)
        return total

    def drawn(self, key: np.uint64, sigma: float) -> np.ndarray:
        """Return sigma e of a key."""
        return np.float32(sigma) * standard_normal(key, self.numbers)

    def _each(self, members: Perturbed, who: np.ndarray) -> Any:
        """Yield the parameters of members, drawing a mirrored pair's noise once."""
        last, noise = None, np.empty(0)
        for member in who.tolist():
            key, sign, parent = members.keys[member], members.signs[member], members.parents[members.parent[member]]
            if sign and key != last:
                last, noise = key, self.drawn(key, members.sigma)
            yield parent + noise if sign > 0 else parent - noise if sign else parent


class SparseNoise(GaussianNoise):
    """Standard normal numbers e for a few parameters, drawn by lot; the others stay as they are.

    Most members then differ from their parent in little, and keep what it does well. How many parameters change is
    drawn from one to `density` of them all, each order of magnitude as likely as another. Such mutations are for
    elitist strategies: their covariance is not the identity that the estimate of a gradient needs.

    Args:
        numbers: parameters of a member.
        density: the largest share of the parameters that a member changes.
    """

    def __init__(self, numbers: int, density: float) -> None:
        super().__init__(numbers)
        self.most = max(1.0, density * numbers)

    def drawn(self, key: np.uint64, sigma: float) -> np.ndarray:
        """Return sigma e of a key."""
        how_many, which, values = (np.uint64(mix(key ^ np.uint64(part))) for part in range(3))
        changed = round(self.most ** uniform(how_many))
        noise = np.zeros(self.numbers, np.float32)
        noise[subset(which, self.numbers, changed)] = np.float32(sigma) * standard_normal(values, changed)
        return noise
