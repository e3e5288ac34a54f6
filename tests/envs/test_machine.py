"""Threads, processes, copies and kept states in any order; `tests.endurance.environments` does the same at length."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.envs.machine import GAMES, machine

FEW = settings(
    max_examples=8, stateful_step_count=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("game", GAMES)
def test_lanes_and_single_environments_stay_the_same_whatever_is_done_to_them(game):
    run_state_machine_as_test(machine(game), settings=FEW)
