"""Whoever plays which part of a request, what is learned is the same; and what travels is small."""

import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv

from tests.learners.cases import PACMAN, assert_same, every_learner, new
from tests.learners.crews import Crew
from tests.learners.games import DictRing, Ring


@pytest.fixture
def crews(monkeypatch):
    """Let workers be of this process; return those that were made."""
    made = []

    def crew(*arguments):
        made.append(Crew(*arguments))
        return made[-1]

    monkeypatch.setattr("popagents.learners.training.RayExecutor", crew)
    return made


@pytest.mark.bits
@every_learner
@pytest.mark.parametrize("workers", [2, 3, 20])
def test_workers_never_change_a_result(name, workers, crews):
    settings = {"env": Ring, "policy": "MlpPolicy", "episodes": 2}
    assert_same(new(name, **settings, workers=workers).learn(600), new(name, **settings).learn(600))
    assert len(crews) == 1
