"""Who answers requests: this process, or workers (`ray_executor.py`)."""

from dataclasses import dataclass
from typing import Protocol

from popagents.rollout.jobs import Episodes, Request
from popagents.rollout.slots import Slots
from popagents.rollout.step import Step
from popagents.rollout.worker import Worker


class Listener(Protocol):
    """Sees what is played, for SB3's callbacks; False stops."""

    def __call__(self, step: Step) -> bool | None:
        """See a step that this process played."""

    def answered(self, episodes: Episodes) -> bool | None:
        """See a request that workers have played."""


class Executor(Protocol):
    """Answers requests."""

    def play(self, request: Request, listener: Listener | None = None) -> Episodes:
        """Answer a request.

        Raises:
            Stopped: the listener returned False.
            RuntimeError: the environment failed, or a return is not finite; it names the member and the seed.
        """


@dataclass(frozen=True)
class LocalExecutor:
    """Plays in this process.

    Attributes:
        worker: plays.
        slots: where.
    """

    worker: Worker
    slots: Slots

    def play(self, request: Request, listener: Listener | None = None) -> Episodes:
        """Answer a request; the listener sees every step."""
        return self.worker.play(request, self.slots, [listener] if listener else [])
