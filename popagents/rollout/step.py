"""What one step of all slots gave, and who may look at it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from popagents.rollout.slots import Infos


@dataclass(slots=True)
class Step:
    """One step of n slots, in k of which, `live`, a job was played.

    Attributes:
        t: number of the step within the episodes of the table.
        live: int64, (k,), slots.
        jobs: int64, (k,), the job of each.
        observations: (n, *shape), or records (n,) of a Dict, from before the step; the array is not written again.
        actions: (n, ...).
        rewards: float, (n,).
        dones: bool, (n,); those of idle slots mean nothing.
        ended: whether any of them is True.
        infos: one dict a slot.
    """

    t: int
    live: np.ndarray
    jobs: np.ndarray
    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    dones: np.ndarray
    ended: bool
    infos: Infos

    def of_live(self, rows: np.ndarray) -> np.ndarray:
        """Return the rows (one a slot) of the slots in which a job was played."""
        return rows if len(self.live) == len(rows) else rows.take(self.live, axis=0)  # half the time of rows[live]


Observer = Callable[[Step], bool | None]  # sees every step after it was played; False stops at once


class Stopped(Exception):  # noqa: N818 (it is no error)
    """An observer stopped the play."""
