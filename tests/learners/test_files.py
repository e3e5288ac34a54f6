"""What every learner's file holds, and what is refused without a loss."""

import errno
import os

import numpy as np
import pytest
import torch

from popagents.common import model_files
from tests.learners.cases import LEARNERS, assert_same, every_learner, new
from tests.learners.games import Ring


@every_learner
def test_a_loaded_model_is_the_saved_one(name, tmp_path):
    model = new(name, Ring()).learn(300)
    model.save(tmp_path / "model.zip")
    loaded = LEARNERS[name].load(tmp_path / "model")
    assert_same(loaded, model)
    observations = np.eye(8, dtype=np.float32)
    assert (
        loaded.predict(observations, deterministic=True)[0] == model.predict(observations, deterministic=True)[0]
    ).all()
    with pytest.raises(ValueError, match="no environment; give it one with set_env"):
        loaded.learn(10)
    loaded.set_env(Ring())
    assert loaded.learn(300, resume=True).generation == model.generation


@every_learner
@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"PK" + b[2:400], lambda b: b[::-1]]
)
def test_a_damaged_file_is_one_clear_error(name, damage, tmp_path):
    path = tmp_path / "model.zip"
    new(name, Ring()).save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"model\.zip is not a model file of popzoo, or it is damaged"):
        LEARNERS[name].load(path)
    with pytest.raises(FileNotFoundError, match=r"there is no model file .*absent\.zip"):
        LEARNERS[name].load(tmp_path / "absent")


@every_learner
@pytest.mark.parametrize("failing", ["write", "fsync", "replace"])
def test_a_full_disk_loses_nothing_that_was_saved_before(name, failing, tmp_path, monkeypatch):
    model = new(name, Ring())
    path = tmp_path / "model.zip"
    model.save(path)
    kept = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    model.learn(100)
    if failing == "write":
        monkeypatch.setattr("popagents.common.whole_files.open", full, raising=False)
    else:
        monkeypatch.setattr(os, failing, full)
    with pytest.raises(OSError, match="No space left on device.*unchanged; free space or save elsewhere"):
        model.save(path)
    monkeypatch.undo()
    assert path.read_bytes() == kept
    assert [p.name for p in tmp_path.iterdir()] == ["model.zip"]


@every_learner
def test_a_file_is_read_without_running_code_from_it(name, tmp_path):
    class Mine(torch.nn.Tanh):
        pass

    settings = {"net_arch": [4], "activation_fn": Mine}
    model = new(name, Ring(), "MlpPolicy", policy_kwargs=settings)
    model.save(tmp_path / "m")
    with pytest.raises(ValueError, match="names the class .*Mine.*custom_objects"):
        LEARNERS[name].load(tmp_path / "m")
    custom = {"policy": "MlpPolicy", "policy_kwargs": settings}
    assert_same(LEARNERS[name].load(tmp_path / "m", custom_objects=custom), model)


@pytest.mark.parametrize("name", ["culture", "genetic"])
def test_another_size_is_refused_on_loading_where_the_file_holds_members(name, tmp_path):
    new(name, Ring()).save(tmp_path / "m")
    with pytest.raises(ValueError, match=r"float32 \(6, .*\); a model of these settings has float32 \(9, "):
        LEARNERS[name].load(tmp_path / "m", population_size=9)


@pytest.mark.parametrize("name", ["es", "elitist_es"])
def test_another_size_is_welcome_where_the_file_holds_no_members(name, tmp_path):
    model = new(name, Ring()).learn(100)
    model.save(tmp_path / "m")
    loaded = LEARNERS[name].load(tmp_path / "m", env=Ring(), population_size=8)
    assert np.array_equal(loaded.centre, model.centre)
    assert loaded.fitness.shape == (8,)
    assert np.isnan(loaded.fitness).all()
    loaded.learn(100, reset_num_timesteps=False)
    assert np.isfinite(loaded.fitness).all()
    assert (loaded.lineage["generation"] == model.generation).sum() == 8


@every_learner
def test_settings_are_left_out_of_a_file_and_kept_as_in_sb3(name, tmp_path):
    path = tmp_path / "m"
    model = new(name, Ring(), verbose=2, stats_window_size=7)
    model.save(path)
    assert (LEARNERS[name].load(path).verbose, LEARNERS[name].load(path).stats_window_size) == (2, 7)
    model.save(path, exclude=["verbose", "replay_buffer"])
    loaded = LEARNERS[name].load(path)
    assert (loaded.verbose, loaded.stats_window_size) == (0, 7)
    assert LEARNERS[name].load(path, verbose=1).verbose == 1
    assert_same(loaded, model)
    model.save(path, exclude=["verbose"], include=["verbose"])
    assert LEARNERS[name].load(path).verbose == 2
    with pytest.raises(ValueError, match="include names colour; a file holds the settings .*verbose"):
        model.save(path, include=["colour"])


@every_learner
def test_what_sb3_and_rl_zoo_pass_to_load_is_taken(name, tmp_path):
    model = new(name, Ring(), tensorboard_log=str(tmp_path / "tb"))
    model.save(tmp_path / "m")
    placeholders = {"learning_rate": 0.0, "lr_schedule": lambda _: 0.0, "clip_range": lambda _: 0.0}
    loaded = LEARNERS[name].load(tmp_path / "m", custom_objects=placeholders, verbose=1, seed=0, device="cpu")
    assert_same(loaded, model)
    assert loaded.learning_rate == model.learning_rate  # the file holds it: nothing has to stand in for it
    assert loaded.run_seed == model.run_seed
    assert loaded.verbose == 1
    assert loaded.tensorboard_log is None  # a file names no folder to write into
    changed = LEARNERS[name].load(tmp_path / "m", tensorboard_log="here", print_system_info=False)
    assert changed.tensorboard_log == "here"


@pytest.mark.parametrize("name", ["culture", "es"])
def test_a_keyword_changes_the_learning_rate_on_loading(name, tmp_path):
    new(name, Ring(), learning_rate=0.25).save(tmp_path / "m")
    assert LEARNERS[name].load(tmp_path / "m").learning_rate == 0.25
    assert LEARNERS[name].load(tmp_path / "m", learning_rate=0.5).learning_rate == 0.5


@every_learner
def test_another_space_is_refused_on_loading(name, tmp_path):
    new(name, Ring()).save(tmp_path / "m")
    with pytest.raises(ValueError, match="spaces do not match"):
        LEARNERS[name].load(tmp_path / "m", env="CartPole-v1")


@every_learner
def test_a_file_of_another_learner_is_refused_with_the_remedy(name, tmp_path):
    new(name, Ring()).save(tmp_path / "m")
    other = LEARNERS["culture" if name != "culture" else "es"]
    saved = LEARNERS[name].__name__
    with pytest.raises(ValueError, match=rf"the file was saved by {saved}; load it with {saved}\.load"):
        other.load(tmp_path / "m")


@every_learner
def test_a_file_of_version_0_1_is_refused_by_its_format(name, tmp_path):
    new(name, Ring()).save(tmp_path / "m")
    arrays, description = model_files.read(tmp_path / "m")
    assert description.pop("format") == 2
    model_files.write(tmp_path / "old", arrays, description)
    with pytest.raises(ValueError, match=r"the file has format 0\.1; this version of popzoo reads format 2"):
        LEARNERS[name].load(tmp_path / "old")
    model_files.write(tmp_path / "new", arrays, description | {"format": 3})
    with pytest.raises(ValueError, match="the file has format 3; this version of popzoo reads format 2"):
        LEARNERS[name].load(tmp_path / "new")


@every_learner
def test_a_file_names_no_private_attribute(name, tmp_path):
    new(name, Ring()).learn(100).save(tmp_path / "m")
    arrays, description = model_files.read(tmp_path / "m")
    names = [part for path in arrays for part in path.split("/")]
    names += [*description, *description["settings"], *description["counts"]]
    assert not [part for part in names if part.startswith("_")]
