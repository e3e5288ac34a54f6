"""A generation as a conversation: a learner yields what it wants played, and returns what follows.

    def next_generation(self, state, now):
        episodes = yield Request(players, jobs)
        return Succession(next state, fitness, champion, players)

It reads nothing that changes but `state` and `now`, so that whoever answers may stop it: nothing has changed then.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from popagents.common.lineage import Transmission
from popagents.rollout.jobs import Conversation, Episodes, Players, Request

State = TypeVar("State")
Reply = TypeVar("Reply")


@dataclass(frozen=True)
class Succession(Generic[State]):
    """What a generation leaves.

    Attributes:
        state: the next state.
        fitness: float64, (members,).
        champion: the member that leads.
        players: the members, to compare how they act.
        parents: int64, (members,), from whom each will have learned or be born in the next generation; -1 for nobody.
        second_parents: likewise, of those with two parents.
        transmission: how.
        logs: numbers by name, for the logger.
    """

    state: State
    fitness: np.ndarray
    champion: int
    players: Players
    parents: np.ndarray | None = None
    second_parents: np.ndarray | None = None
    transmission: Transmission = Transmission.NONE
    logs: dict[str, float] = field(default_factory=dict)


Generation = Conversation[Succession[State]]


def converse(conversation: Conversation[Reply], answer: Callable[[Request], Episodes]) -> Reply:
    """Answer every request of a conversation; return what it returns.

    Whatever `answer` raises ends the conversation. Only `send` stands in the `try`: an environment that raises
    StopIteration would look like the end otherwise.
    """
    episodes: Episodes | None = None
    try:
        while True:
            try:
                request = conversation.send(episodes)  # type: ignore[arg-type]
            except StopIteration as end:
                reply: Reply = end.value
                return reply
            episodes = answer(request)
    finally:
        conversation.close()
