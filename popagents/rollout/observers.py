"""Observers of play: what a request or a log wants kept of the steps."""

import numpy as np

from popagents.common.moments import Moments
from popagents.rollout.step import Step

PROBE = 16  # situations in which members are compared


class Recorder:
    """Keeps what is seen and done, in buffers that grow by doubling and are used again by the next record.

    Attributes:
        observations: (steps, slots, *shape).
        actions: (steps, slots, ...).
    """

    def __init__(self) -> None:
        self.observations = self.actions = np.empty((0, 0))

    def __call__(self, step: Step) -> None:
        """Keep a step."""
        t = step.t
        if t in (0, len(self.observations), len(self.actions)):
            self.observations = with_place(self.observations, t, step.observations)
            self.actions = with_place(self.actions, t, step.actions)
        self.observations[t] = step.observations
        self.actions[t] = step.actions


class MomentsObserver:
    """Adds up what each of some jobs sees, in `moments`."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.moments: Moments | None = None

    def __call__(self, step: Step) -> None:
        """Add a step's observations."""
        if self.moments is None:
            self.moments = Moments.zeros(self.jobs, step.observations[0].size)
        self.moments.add(step.jobs, step.of_live(step.observations))


class Probe:
    """Keeps what was seen before the last action of the first jobs: situations in which to compare members."""

    def __init__(self) -> None:
        self.seen: dict[int, np.ndarray] = {}

    def __call__(self, step: Step) -> None:
        """Look at the episodes that end."""
        if step.ended:
            over = np.flatnonzero(step.dones[step.live] & (step.jobs < PROBE))
            for slot, job in zip(step.live[over].tolist(), step.jobs[over].tolist(), strict=True):
                self.seen[job] = step.observations[slot].copy()

    def situations(self) -> np.ndarray:
        """Return what was kept, in the order of the jobs: (up to 16, *shape)."""
        return np.stack([self.seen[job] for job in sorted(self.seen)])


def with_place(buffer: np.ndarray, t: int, row: np.ndarray) -> np.ndarray:
    """Return a buffer that has a place t for a row and keeps the rows before, or at t = 0 one for rows like this."""
    if t == 0 and (buffer.shape[1:] != row.shape or buffer.dtype != row.dtype):
        return np.empty((128, *row.shape), row.dtype)
    if t < len(buffer):
        return buffer
    return np.concatenate([buffer, np.empty_like(buffer)])
