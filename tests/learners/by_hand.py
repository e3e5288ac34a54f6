"""Drive a learner's generations by hand."""

import numpy as np

from popagents.common.now import Now
from popagents.learners.conversation import converse
from popagents.rollout.jobs import Episodes
from popagents.rollout.make_slots import slots_of


def in_env(model):
    """Return what answers requests by playing them in the model's own environment."""
    slots = slots_of(model.env)
    return lambda request: model.loop.worker.play(request, slots)


def by_member(returns, length=2):
    """Return what answers requests with a return for each member (members,), and episodes of one length."""
    returns = np.asarray(returns, float)
    return lambda request: Episodes(request.jobs, returns[request.jobs.member], np.full(len(request.jobs), length))


def generation_of(model, answer, state=None, number=0, progress=0.0):
    """Live one generation; return the succession, and the requests that were answered.

    The model stays as it is: it begins with `state`, or where its run stands.
    """
    requests = []

    def kept(request):
        requests.append(request)
        return answer(request)

    state = model.loop.run.state if state is None else state
    return converse(model.next_generation(state, Now(model.run_seed, number, progress)), kept), requests
