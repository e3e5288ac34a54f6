"""The short form of `stopping.py`: runs that are killed end as their twins do."""

import signal

import numpy as np
import pytest

pytest.importorskip("rl_zoo3")

from registration.learners import LEARNERS
from tests.endurance.stopping import ends_as_its_twin, server


@pytest.mark.parametrize("algo", LEARNERS)
def test_a_run_that_is_killed_and_stopped_ends_as_its_twin(algo, tmp_path):
    signals = [signal.SIGKILL, signal.SIGTERM, signal.SIGKILL]
    _, codes, wrong = ends_as_its_twin(server(), algo, tmp_path, signals, np.random.default_rng(0))
    assert wrong == []
    assert codes == {signal.SIGKILL: {-9}, signal.SIGTERM: {143}}


def test_maximize_that_is_killed_ends_as_its_twin(tmp_path):
    signals = [signal.SIGKILL, signal.SIGTERM, signal.SIGKILL]
    _, _, wrong = ends_as_its_twin(server(), "maximize", tmp_path, signals, np.random.default_rng(0))
    assert wrong == []
