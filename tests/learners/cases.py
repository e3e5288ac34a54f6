"""The learners that every test of this folder's table runs over, and how their runs are compared."""

import numpy as np
import pytest
from stable_baselines3.common.callbacks import BaseCallback

from popagents.learners.snapshot import flat
from registration import learners as table

PACMAN = "popenvs:PopPacman-v0"
LEARNERS = {name: table.load_learner(name) for name in table.LEARNERS}
OWN = {  # settings that not every learner has
    "culture": {"champion_episodes": 2},
    "genetic": {"champion_episodes": 2, "tournament_size": 3, "n_offspring": 6},  # everybody plays in each generation
}
PLAYED = {"culture": 6, "es": 6, "elitist_es": 6 + 3 * 1 + 2 * 2, "genetic": 6}  # episodes of a generation
every_learner = pytest.mark.parametrize("name", LEARNERS)


def new(name, env, policy="LinearPolicy", **settings):
    return LEARNERS[name](policy, env, **{"seed": 3, "population_size": 6} | OWN.get(name, {}) | settings)


def state(model):
    """Everything that learning changes, by name."""
    run = model.loop.run
    policy = {f"policy/{k}": v.numpy().copy() for k, v in model.policy.state_dict().items()}
    names = ("num_timesteps", "generation", "champion", "evaluation_timesteps")
    counts = {k: np.array(getattr(model, k)) for k in names}
    lineage = {f"lineage/{k}": model.lineage[k].copy() for k in model.lineage.dtype.names}
    learned = {k: v.copy() for k, v in flat(run.state, "state").items()}
    return learned | policy | counts | lineage | {"fitness": model.fitness.copy()}


def differences(first, second):
    """Return the names under which two states differ."""
    assert first.keys() == second.keys()
    return [key for key in first if not np.array_equal(first[key], second[key], equal_nan=True)]


def assert_same(first, second, but=()):
    assert [key for key in differences(state(first), state(second)) if key not in but] == []


class StopAt(BaseCallback):
    """Stops a run at a number of steps, and counts its calls after that."""

    def __init__(self, steps):
        super().__init__()
        self.steps, self.late = steps, 0

    def _on_step(self):
        self.late += self.num_timesteps > self.steps + 50
        return self.num_timesteps < self.steps
