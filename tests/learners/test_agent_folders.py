"""Folders of agents that somebody else made are data: `enjoy` and `train -i` run nothing that they say."""

import pickle
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file, save_file
from stable_baselines3.common.vec_env import VecNormalize

pytest.importorskip("rl_zoo3")

import popagents.zoo.enjoy
from popagents.rollout.make_env import native_vec_env
from popagents.zoo.agent_folder import data_of, keywords_of, literal, settings_in
from popagents.zoo.statistics import STATISTICS, normalized, save_statistics
from popagents.zoo.train import PopulationManager
from popagents.zoo.train import main as train

PICKLED_ATTACK = b"cos\nsystem\n(S'touch ran'\ntR."
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
    (folder / "vecnormalize.pkl").write_bytes(PICKLED_ATTACK)
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
    assert "vecnormalize.pkl may run code: if you know who made it, --trust reads it" in capsys.readouterr().err
    assert not Path("ran").exists()


def go_on(monkeypatch, *more, algo="culture", agent="logs/culture/PopPacman-v0_1/PopPacman-v0.zip"):
    """Train on from an agent, without learning; return the environment in which it would have learned."""
    made = []
    monkeypatch.setattr(PopulationManager, "learn", lambda manager, model: made.append(model.env))
    common = ["--env", "PopPacman-v0", "--eval-freq", "-1", "-conf", "s.yml", "-n", "60", "--seed", "1"]
    monkeypatch.setattr(sys, "argv", ["train", "--algo", algo, *common, "-i", agent, *more])
    train()
    return made[0]


def statistics_of(env):
    parts = [part for one in (env.obs_rms, env.ret_rms) for part in (one.mean, one.var, one.count)]
    return [np.asarray(part).tolist() for part in parts]


def test_training_goes_on_from_statistics_that_are_data_and_runs_no_pickle(folder, monkeypatch):
    kept = pickle.loads((folder / "vecnormalize.pkl").read_bytes())
    (folder / "vecnormalize.pkl").write_bytes(PICKLED_ATTACK)
    env = go_on(monkeypatch)
    assert statistics_of(env) == statistics_of(kept)
    for name in ("norm_obs", "norm_reward", "clip_obs", "clip_reward", "epsilon", "gamma"):
        assert getattr(env, name) == getattr(kept, name)
    assert env.training
    assert env.obs_rms.count > 60
    (folder / "vecnormalize.pkl").unlink()
    assert statistics_of(go_on(monkeypatch)) == statistics_of(kept)
    assert not Path("ran").exists()


def test_training_on_from_files_that_run_code_asks_for_trust(folder, monkeypatch, capsys):
    def refused(reason, **names):
        with pytest.raises(SystemExit) as stop:
            go_on(monkeypatch, **names)
        assert stop.value.code == 2
        assert reason in capsys.readouterr().err

    agent, pickled = folder.with_suffix(".zip"), folder / "vecnormalize.pkl"
    refused("files of ppo run code when they are read; if you know who made them, add --trust", algo="ppo")
    (agent.parent / "replay_buffer.pkl").write_bytes(PICKLED_ATTACK)
    refused("lies a replay_buffer.pkl, and culture has no replay buffer; move it away")
    (agent.parent / "replay_buffer.pkl").unlink()
    kept = (folder / STATISTICS).read_bytes()
    (folder / STATISTICS).unlink()
    assert go_on(monkeypatch, "--trust").obs_rms.count > 60  # RL Zoo's own pickle
    pickled.write_bytes(PICKLED_ATTACK)
    refused("vecnormalize.pkl may run code: if you know who made it, --trust reads it")
    (folder / STATISTICS).write_bytes(kept[:-1])
    refused(f"{STATISTICS} cannot be loaded")
    assert not Path("ran").exists()


def test_statistics_that_are_not_like_the_environments_are_refused(tmp_path):
    env = VecNormalize(native_vec_env("popenvs:PopPacman-v0", 2))
    save_statistics(env, tmp_path)
    good = load_file(tmp_path / STATISTICS)
    assert statistics_of(normalized(env.venv, tmp_path)) == statistics_of(env)
    for name in good:
        for bad in (good[name].astype(np.float32), good[name][None], np.full_like(good[name], np.nan), None):
            arrays = {k: v for k, v in good.items() if k != name} | ({} if bad is None else {name: bad})
            save_file(arrays, tmp_path / STATISTICS)
            with pytest.raises(ValueError, match=rf"{STATISTICS} cannot be loaded: {name} is"):
                normalized(env.venv, tmp_path)
        if not name.endswith("/mean"):
            save_file(good | {name: np.full_like(good[name], -1)}, tmp_path / STATISTICS)
            with pytest.raises(ValueError, match=rf"{name} is .* in its range"):
                normalized(env.venv, tmp_path)


def test_rewards_alone_may_be_scaled_and_are_not_where_nobody_trains(tmp_path):
    env = VecNormalize(native_vec_env("popenvs:PopPacman-v0", 2), norm_obs=False)
    env.ret_rms.var = np.float64(4.0)
    save_statistics(env, tmp_path)
    watched, trained = (normalized(env.venv, tmp_path, training=training) for training in (False, True))
    assert (watched.norm_obs, watched.norm_reward, watched.training) == (False, False, False)
    assert (trained.norm_obs, trained.norm_reward, trained.training) == (False, True, True)
    assert trained.ret_rms.var == 4


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
