"""Short runs of every learner lead to the lineages that are stored: `python -m benchmarks.fingerprints --write`."""

import json

import pytest

from benchmarks.fingerprints import LINEAGES, RUNS, learned, lineage_of
from registration.learners import LEARNERS

STORED = json.loads(LINEAGES.read_text())


@pytest.mark.parametrize("name", RUNS)
def test_a_run_leads_to_the_lineage_that_is_stored(name):
    found = lineage_of(learned(name))
    assert found["last"] == STORED[name]["last"]
    assert found["champion"] == STORED[name]["champion"]
    assert found["sha256"] == STORED[name]["sha256"], "the last generation is as stored, but an earlier one is not"


def test_every_learner_has_runs_and_every_lineage_that_is_stored_has_one():
    assert {run.learner for run in RUNS.values()} == set(LEARNERS)
    assert STORED.keys() == RUNS.keys()
