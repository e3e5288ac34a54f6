"""Runs of `maximize` that are kept in files."""

from pathlib import Path

import numpy as np
import pytest

import popagents
from popagents import maximize
from tests.learners.test_maximize import FAST, quadratic


@pytest.mark.bits
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_stopped_run_goes_on_bit_for_bit(optimizer, tmp_path):
    settings = {"generations": 8, "population_size": 4, "final_sigma": 0.01, "final_learning_rate": 0.001}
    settings |= {"optimizer": optimizer}
    whole = maximize(quadratic, [np.zeros(3)], seed=2, **settings)
    calls = []

    def failing(parameters):
        calls.append(0)
        if len(calls) == 1 + 3 * 5 + 2:  # in the fourth generation
            raise KeyboardInterrupt
        return quadratic(parameters)

    start = [np.zeros(3)]
    with pytest.raises(KeyboardInterrupt):
        maximize(failing, start, seed=2, path=tmp_path / "run", **settings)
    assert not start[0].any()
    calls.clear()

    def counted(parameters):
        calls.append(0)
        return quadratic(parameters)

    found = maximize(counted, start, path=tmp_path / "run", resume=True, **settings)  # the file knows the seed
    assert len(calls) == 5 * 5
    assert found.rewards.tolist() == whole.rewards.tolist()
    assert (found.parameters[0] == whole.parameters[0]).all()
    assert (start[0] == whole.parameters[0]).all()
    again = maximize(counted, start, seed=2, path=tmp_path / "run", resume=True, **settings)
    assert len(calls) == 5 * 5
    assert (again.parameters[0] == whole.parameters[0]).all()


def test_a_run_may_be_made_longer(tmp_path):
    whole = maximize(quadratic, [np.zeros(3)], generations=9, population_size=4, seed=0)
    for generations in (4, 9):
        found = maximize(
            quadratic,
            [np.zeros(3)],
            generations=generations,
            population_size=4,
            seed=0,
            path=tmp_path / "run.zip",
            resume=True,
        )
        assert found.rewards.tolist() == whole.rewards[: generations + 1].tolist()
    assert (found.parameters[0] == whole.parameters[0]).all()
    assert [file.name for file in tmp_path.iterdir()] == ["run.zip"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sigma": 0.3}, r"holds a run with sigma 0\.05 \(asked: 0\.3\); ask for the same, or give another path"),
        ({"seed": 9}, r"seed 1 \(asked: 9\)"),
        ({"population_size": 6, "optimizer": "sgd"}, r"population_size 4 \(asked: 6\), optimizer adam \(asked: sgd\)"),
        ({"parameters": [np.zeros(4)]}, r"parameters .*\(3,\).* \(asked: .*\(4,\)"),
        ({"parameters": [np.zeros(3, np.float32)]}, r"parameters .*float64.* \(asked: .*float32"),
    ],
)
def test_a_file_of_other_settings_or_shapes_is_one_error(changed, message, tmp_path):
    maximize(quadratic, [np.zeros(3)], path=tmp_path / "run", **FAST)
    before = (tmp_path / "run.zip").read_bytes()
    arguments = {"parameters": [np.zeros(3)], "path": tmp_path / "run", "resume": True, **FAST} | changed
    with pytest.raises(ValueError, match=message):
        maximize(quadratic, **arguments)
    assert (tmp_path / "run.zip").read_bytes() == before


def test_a_run_is_not_overwritten_unasked(tmp_path):
    maximize(quadratic, [np.zeros(3)], path=tmp_path / "run", **FAST)
    with pytest.raises(FileExistsError, match=r"run\.zip holds a run; go on with it by resume=True, or delete it"):
        maximize(quadratic, [np.zeros(3)], path=tmp_path / "run", **FAST)


def test_a_file_of_something_else_is_refused(tmp_path):
    champion = Path(popagents.__file__).parent / "zoo" / "champions"
    (tmp_path / "other.zip").write_bytes(next(champion.rglob("*.zip")).read_bytes())
    (tmp_path / "text.zip").write_text("no zip")
    for name, message in (("other", "is no file of maximize; give another path"), ("text", "is not a model file")):
        with pytest.raises(ValueError, match=message):
            maximize(quadratic, [np.zeros(3)], path=tmp_path / name, resume=True, **FAST)
