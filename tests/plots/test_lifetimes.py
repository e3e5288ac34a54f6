"""The figures of lifetimes: they are drawn, in the colours that they promise, from what a run leaves behind."""

import numpy as np
import pytest

from popagents import plots
from popagents.common.lineage import ROW
from tests.plots.pictures import BLUE, ORANGE, has, pixels


def lineage(generations, members, level):
    rows = np.zeros(generations * members, ROW)
    rows["generation"] = np.repeat(np.arange(generations), members)
    rows["member"] = np.tile(np.arange(members), generations)
    rows["fitness"] = level * rows["generation"]
    return rows


def test_a_life_is_drawn_with_its_last_episode(tmp_path):
    rng = np.random.default_rng(0)
    path = plots.life_curve(rng.uniform(-1, 1, (10, 25)), rng.uniform(0, 1, 10), tmp_path / "life.png")
    image = pixels(path)
    assert has(image, BLUE)
    assert has(image, ORANGE)


def test_boxes_stand_for_each_group(tmp_path):
    rng = np.random.default_rng(0)
    one = pixels(plots.task_boxes({"newcomers": rng.normal(size=40)}, tmp_path / "one.png"))
    two = {"newcomers": rng.normal(size=40), "evolved": rng.normal(9, 1, size=30)}
    assert (one != pixels(plots.task_boxes(two, tmp_path / "two.png"))).any()


def test_inheritances_are_drawn_beside_each_other(tmp_path):
    runs = {"darwin": [lineage(9, 3, 0.1), lineage(9, 3, 0.2)], "lamarck": [lineage(9, 3, 1.0)]}
    image = pixels(plots.inheritance_curves(runs, tmp_path / "inheritance.png"))
    assert has(image, BLUE)
    assert has(image, ORANGE)
    with pytest.raises(ValueError, match="no generations|empty|generation"):
        plots.inheritance_curves({"darwin": [np.empty(0, ROW)]}, tmp_path / "none.png")


def test_every_inheritance_is_named_however_many_there_are(tmp_path):
    names = [f"run {i}," for i in range(8)]
    text = plots.inheritance_curves({name: [lineage(3, 2, 1.0)] for name in names}, tmp_path / "many.svg").read_text()
    assert all(f"{name} 2" in text for name in names)


def test_hyperparameters_drift_in_a_panel_each(tmp_path):
    drift = np.random.default_rng(0).uniform(size=(30, 4, 3)).cumsum(axis=0)
    names = ["learning_rate", "discount", "value_cost", "entropy_cost"]
    image = pixels(plots.drift_figure(drift, names, tmp_path / "drift.png"))
    assert has(image, ORANGE)
