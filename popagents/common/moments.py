"""Sums over observations, from which their mean and deviation follow."""

from dataclasses import dataclass

import numpy as np

from popagents.common.compiling import njit


@dataclass(frozen=True)
class Moments:
    """Counts, sums and sums of squares, one row a job.

    Sums are kept by job and added up once, in the order of the jobs, so that the number of slots never changes a bit.

    Attributes:
        counts: float64, (jobs,), observations.
        total: float64, (jobs, inputs), sums of observations.
        squares: float64, (jobs, inputs), sums of their squares.
    """

    counts: np.ndarray
    total: np.ndarray
    squares: np.ndarray

    @classmethod
    def zeros(cls, jobs: int, inputs: int) -> "Moments":
        """Make sums over nothing."""
        return cls(np.zeros(jobs), np.zeros((jobs, inputs)), np.zeros((jobs, inputs)))

    def add(self, jobs: np.ndarray, observations: np.ndarray) -> None:
        """Add one observation (k, *shape) to each of k different jobs."""
        rows = np.ascontiguousarray(observations).reshape(len(jobs), -1)
        accumulate(jobs, rows, self.counts, self.total, self.squares)

    def merged(self, other: "Moments") -> "Moments":
        """Return this and another's sums as one row, added in the order of the jobs."""
        pairs = [(self.counts, other.counts), (self.total, other.total), (self.squares, other.squares)]
        return Moments(*(np.sum(mine, axis=0, keepdims=True) + np.sum(its, axis=0) for mine, its in pairs))


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
