"""When and in which run a generation is lived: what its random numbers are functions of."""

from typing import Any, NamedTuple

import numpy as np

from popagents.common.randomness import Purpose, generator, keys


class Now(NamedTuple):
    """A generation of a run."""

    run_seed: int
    generation: int  # its number
    progress: float = 1.0  # share of the run's steps that were taken before it, 0 to 1

    def keys(self, purpose: Purpose, members: Any, episodes: Any = 0) -> np.ndarray:
        """Derive one key per (member, episode): uint64."""
        return keys(self.run_seed, purpose, self.generation, members, episodes)

    def rng(self, purpose: Purpose) -> np.random.Generator:
        """Return the generator for draws that the whole generation shares."""
        return generator(self.run_seed, purpose, self.generation)

    def rank_keys(self, members: int) -> np.ndarray:
        """Return the keys by which members of equal fitness are ordered: uint64, (members,)."""
        return self.keys(Purpose.RANK, np.arange(members))

    @property
    def before(self) -> "Now":
        """Return the generation before this one."""
        return Now(self.run_seed, self.generation - 1, self.progress)
