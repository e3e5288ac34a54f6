"""Small populations that live lifetimes in Harlow's experiment."""

import numpy as np

from popagents.learners.genetic.genetic import Genetic
from popagents.learners.snapshot import flat

HARLOW = "popenvs:PopHarlow-v0"
SMALL = {"population_size": 6, "tournament_size": 3, "n_offspring": 2, "n_tasks": 3, "n_updates": 2}
SMALL |= {"champion_episodes": 2, "seed": 0}
TWENTY = {"n_trials": 20}
LIFE = 3 * (2 * 6 + 20)  # steps of a small lifetime


def harlow(inheritance="baldwin", env=HARLOW, policy="RecurrentPolicy", **settings):
    return Genetic(policy, env, **{"inheritance": inheritance, "evaluation_options": TWENTY} | SMALL | settings)


def genes(model):
    """Copy what members pass on: parameters by name."""
    return {name: values.copy() for name, values in model.loop.run.state.parameters.items()}


def same(first, second):
    """Tell whether two runs stand at the same state, bit for bit."""
    first, second = (flat(model.loop.run.state, "state") for model in (first, second))
    return first.keys() == second.keys() and all(np.array_equal(first[k], second[k], equal_nan=True) for k in first)
