"""Answer a learner's conversations by hand, and keep what it asked for."""

from collections.abc import Callable, Generator
from typing import Any

from popagents.common.now import Now
from popagents.learners.conversation import Succession, converse
from popagents.rollout.jobs import Episodes, Request
from popagents.rollout.make_slots import slots_of


def generation_of(model: Any, answer: Callable[[Request], Episodes], now: Now | None = None) -> Succession[Any]:
    """Live one generation from a model's state, as `answer` says; the model stays as it was."""
    return converse(model.next_generation(model.loop.run.state, model.now if now is None else now), answer)


def player_of(model: Any, asked: list[Request]) -> Callable[[Request], Episodes]:
    """Return what plays a model's requests in its environment, and keeps each in `asked`."""
    slots = slots_of(model.env)

    def answer(request: Request) -> Episodes:
        asked.append(request)
        return model.loop.worker.play(request, slots)

    return answer


def first_request(conversation: Generator[Request, Episodes, Any]) -> Request:
    """Return what a conversation asks for first, and end it."""
    request = next(conversation)
    conversation.close()
    return request
