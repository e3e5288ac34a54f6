"""Generations of evolution strategies, lived by hand."""

import numpy as np

from popagents.common.parameters import vector_of
from popagents.common.randomness import Purpose, keys
from popagents.learners.conversation import converse
from popagents.population.noise import standard_normal
from popagents.rollout.jobs import Episodes


def succession(model, returns):
    """Return what follows from a model's next generation if each member plays once and gets such a return."""

    def answer(request):
        assert request.jobs.member.tolist() == list(range(len(returns)))
        return Episodes(request.jobs, np.array(returns, float), np.ones(len(returns), int))

    return converse(model.next_generation(model.loop.run.state, model.now), answer)


def lived(model, slots):
    """Play a model's next generation; return all its requests with their episodes, and what follows from it."""
    answers = []

    def answer(request):
        answers.append((request, model.loop.worker.play(request, slots)))
        return answers[-1][1]

    return answers, converse(model.next_generation(model.loop.run.state, model.now), answer)


def noise_of(model, generation, member):
    """Return the noise of a member: float32, (numbers,)."""
    (key,) = keys(model.run_seed, Purpose.NOISE, generation, [member])
    return standard_normal(key, len(model.centre))


def seated(model, players):
    """Return the parameters with which players sit down in a model's workspace, one vector each."""
    population = players.seated(model.workspace)
    return [vector_of(population.parameters[0], member) for member in range(population.size)]
