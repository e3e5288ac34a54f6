"""Folders of agents that somebody else made are data: `enjoy` runs nothing that they say."""

import runpy
import sys
from pathlib import Path

import pytest
import yaml

pytest.importorskip("rl_zoo3")

import popagents.zoo.enjoy
from popagents.zoo.agent_folder import STATISTICS, data_of, keywords_of, literal, settings_in
from popagents.zoo.train import main as train

ATTACK = "!!python/object/apply:os.system ['touch ran']\n"
WATCH = ["enjoy", "--algo", "culture", "--env", "PopPacman-v0", "--no-render", "-n", "12", "-f", "logs"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Train a culture in normalized observations; return where its settings are."""
    monkeypatch.chdir(tmp_path)
    entry = {"n_timesteps": 60, "policy": "LinearPolicy", "population_size": 2, "n_envs": 2, "n_epochs": 1}
    entry |= {"normalize": "{'norm_obs': True, 'norm_reward': False}", "champion_episodes": 1}
    Path("s.yml").write_text(yaml.safe_dump({"PopPacman-v0": entry}))
    arguments = ["--algo", "culture", "--env", "PopPacman-v0", "--eval-freq", "-1", "-conf", "s.yml", "--seed", "1"]
    monkeypatch.setattr(sys, "argv", ["train", *arguments])
    train()
    return Path("logs/culture/PopPacman-v0_1/PopPacman-v0")


def watch(monkeypatch, *more):
    monkeypatch.setattr(sys, "argv", [*WATCH, *more])
    popagents.zoo.enjoy.main()


def test_a_folder_that_asks_for_more_than_data_is_refused_and_runs_nothing(folder, monkeypatch, capsys):
    (folder / "vecnormalize.pkl").write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    watch(monkeypatch)  # by the statistics beside the pickle
    for file, text, reason in [
        ("config.yml", ATTACK, "hold more than data"),
        ("args.yml", ATTACK, "hold more than data"),
        ("config.yml", "env_wrapper: {subprocess.Popen: {args: touch ran}}\n", "env_wrapper"),
        ("config.yml", "normalize: __import__('os').system('touch ran')\n", "is no data"),
    ]:
        kept = (folder / file).read_text()
        (folder / file).write_text(text)
        with pytest.raises(SystemExit) as stop:
            watch(monkeypatch)
        assert stop.value.code == 2
        assert reason in capsys.readouterr().err
        (folder / file).write_text(kept)
    (folder / STATISTICS).unlink()
    with pytest.raises(SystemExit):
        watch(monkeypatch)
    assert "vecnormalize.pkl may run code: --trust reads it" in capsys.readouterr().err
    assert not Path("ran").exists()


def test_files_of_other_algorithms_ask_for_trust(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["enjoy", "--algo", "ppo", "--env", "PopPacman-v0"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(popagents.zoo.enjoy.__file__, run_name="__main__")
    assert stop.value.code == 2
    assert "files of ppo run code when they are read; if you know who made them, add --trust" in capsys.readouterr().err


def test_rl_zoos_ordered_dicts_are_data_and_no_other_tag_is():
    tag = "!!python/object/apply:collections.OrderedDict"
    assert data_of(f"{tag}\n- - - policy\n    - LinearPolicy\n") == {"policy": "LinearPolicy"}
    for text in (ATTACK, "a: !!python/name:os.system\n", "a: !!python/object/new:os.system []\n", "- 1\n", "3\n"):
        with pytest.raises(ValueError, match="hold more than data"):
            data_of(text)


def test_normalize_is_a_literal():
    assert literal("dict(norm_obs=True, clip_obs=5.0)") == {"norm_obs": True, "clip_obs": 5.0}
    assert (keywords_of("{'gamma': 0.9}"), keywords_of(True), keywords_of(False)) == ({"gamma": 0.9}, {}, None)
    for text in ("open('x')", "dict(a=open('x'))", "().__class__"):
        with pytest.raises(ValueError, match="is no data"):
            keywords_of(text)


def test_shipped_champions_have_settings_that_are_data():
    for file in popagents.zoo.enjoy.CHAMPIONS.rglob("config.yml"):
        assert settings_in(file.parent)["normalize"] is None
