"""`train --resume`: which run goes on, from where, and what is refused. How runs end: `tests/endurance`."""

import errno
import hashlib
import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from stable_baselines3.common.monitor import load_results

pytest.importorskip("rl_zoo3")

from popagents import Culture
from popagents.common.checkpoints import SUMS, sums_of
from popagents.common.lineage import ROW
from popagents.zoo.checkpoint_callback import Checkpoints
from popagents.zoo.run_folder import RunFolder
from popagents.zoo.train import main
from tests.endurance.stopping import differences, left

CULTURE = {"n_timesteps": 400, "policy": "LinearPolicy", "population_size": 4, "n_envs": 2, "n_epochs": 1}
CULTURE |= {"champion_episodes": 1, "env_kwargs": {"max_steps": 5}}
PPO = {"n_timesteps": 400, "policy": "MlpPolicy", "n_envs": 2, "n_steps": 20, "batch_size": 40, "n_epochs": 1}
DQN = {"n_timesteps": 400, "policy": "MlpPolicy", "n_envs": 2, "learning_starts": 20, "batch_size": 8}
DQN |= {"buffer_size": 200}
RUN = Path("logs/culture/PopPacman-v0_1")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def train(here, monkeypatch):
    """Return what runs the training script; a step at which a signal comes may be given."""
    on_step = Checkpoints.on_step

    def run(*arguments, algo="culture", env="PopPacman-v0", entry=CULTURE, stop=None, by=signal.SIGTERM):
        Path("settings.yml").write_text(yaml.safe_dump({env: entry}))
        steps = iter(range(10**6))

        def stopped(self):
            if next(steps) == stop:
                signal.raise_signal(by)
            return on_step(self)

        monkeypatch.setattr(Checkpoints, "on_step", stopped)
        names = ["--algo", algo, "--env", env, "-conf", "settings.yml", "--seed", "3", "--num-threads", "1"]
        monkeypatch.setattr(sys, "argv", ["train", *names, "--eval-freq", "-1", "--save-freq", "20", *arguments])
        main()

    return run


@pytest.fixture
def go_on(monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["train", *arguments])
        main()

    return run


def stop(train, *arguments, **keywords):
    """Begin a run and stop it by SIGTERM."""
    with pytest.raises(SystemExit) as stopped:
        train(*arguments, **{"stop": 73} | keywords)
    assert stopped.value.code == 143


def refused(capsys, run, *arguments, **keywords):
    """Return the one line with which something is refused."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        run(*arguments, **keywords)
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def twin(train, *arguments, run=RUN, **keywords):
    """Return what a run leaves that is never stopped."""
    train(*arguments, **keywords)
    found = left(run)
    shutil.rmtree("logs")
    return found


def test_a_run_says_how_to_go_on_and_ends_as_its_twin(train, go_on, capsys):
    whole = twin(train)
    capsys.readouterr()
    stop(train)
    *_, stopped, _, command = capsys.readouterr().out.splitlines()
    assert command == f"python -m popagents.train --resume {RUN}"
    assert re.fullmatch(r"Stopped after 140 of 400 steps; the model is saved as it stands\.", stopped)
    assert not RunFolder(RUN).has_ended
    go_on(*command.split()[3:])
    assert f"{RUN} goes on after 140 steps as if it had never been stopped." in capsys.readouterr().out
    assert differences(left(RUN), whole) == []
    assert RunFolder(RUN).has_ended
    line = refused(capsys, go_on, "--resume", str(RUN))
    assert f"the run {RUN} has ended; train on from its model by -i {RUN}/PopPacman-v0.zip" in line


def test_the_newest_run_that_waits_goes_on_and_where_none_does_one_begins(train, capsys):
    stop(train)
    stop(train)
    train("--resume", entry=CULTURE)
    assert "PopPacman-v0_2 goes on after" in capsys.readouterr().out
    train("--resume")
    assert "PopPacman-v0_1 goes on after" in capsys.readouterr().out
    train("--resume")
    assert (
        "No run of culture on PopPacman-v0 in logs/culture waits to go on; a new one begins." in capsys.readouterr().out
    )
    assert [RunFolder(RUN.with_name(f"PopPacman-v0_{n}")).has_ended for n in (1, 2, 3)] == [True, True, True]


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_with_its_own_settings(train, go_on):
    whole = twin(train)
    stop(train)
    shutil.rmtree(RUN / "checkpoints")
    (RUN / "checkpoints").mkdir()
    (RUN / "PopPacman-v0.zip").unlink()
    go_on("--resume", str(RUN))
    assert differences(left(RUN), whole) == []


def test_a_damaged_checkpoint_is_named_and_the_one_before_is_taken(train, go_on, capsys):
    whole = twin(train)
    stop(train)
    *_, last = sorted(RUN.glob("checkpoints/*"), key=lambda path: int(path.name))
    content = bytearray((last / "model.zip").read_bytes())
    content[len(content) // 2] ^= 1
    (last / "model.zip").write_bytes(content)
    go_on("--resume", str(RUN))
    assert f"The checkpoint {last} is damaged; the run goes on from the one before." in capsys.readouterr().out
    assert differences(left(RUN), whole) == []


def rows_at(checkpoint):
    return json.loads((checkpoint / "progress.json").read_text())["lineage"]["rows"]


@pytest.mark.parametrize("how", ["torn", "altered"])
def test_a_lineage_that_is_damaged_behind_the_checkpoint_before_is_named_and_that_one_is_taken(
    how, train, go_on, capsys
):
    whole = twin(train, "--save-freq", "40")
    stop(train, "--save-freq", "40")
    before, last = sorted(RUN.glob("checkpoints/*"), key=lambda path: int(path.name))
    content = bytearray((RUN / "lineage.bin").read_bytes())
    assert rows_at(before) < rows_at(last) == len(content) / ROW.itemsize
    if how == "torn":
        del content[rows_at(before) * ROW.itemsize + 1 :]
    else:
        content[-1] ^= 1
    (RUN / "lineage.bin").write_bytes(content)
    go_on("--resume", str(RUN))
    out = capsys.readouterr().out
    assert f"The checkpoint {last} has lost its lineage ({RUN}/lineage.bin" in out
    assert how in out
    assert "; the run goes on from the one before." in out
    assert differences(left(RUN), whole) == []


@pytest.mark.parametrize(("how", "reason"), [("gone", "there is no"), ("altered", "was altered"), ("torn", "is torn")])
def test_a_run_whose_lineage_fits_no_checkpoint_is_refused(how, reason, train, go_on, capsys):
    stop(train)
    file = RUN / "lineage.bin"
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(b"?" + file.read_bytes()[1:] if how == "altered" else file.read_bytes()[:40])
    line = refused(capsys, go_on, "--resume", str(RUN))
    assert line.count(f"has lost its lineage ({'' if how != 'gone' else 'there is no '}{file}") == 2
    assert reason in line
    assert line.endswith("and there is no other checkpoint; train anew")


def test_what_a_killed_process_added_to_the_lineage_is_cut_off(train, go_on):
    whole = twin(train)
    stop(train)
    with open(RUN / "lineage.bin", "ab") as file:
        file.write(b"?" * 50)  # of generations that are played again, and torn
    go_on("--resume", str(RUN))
    assert differences(left(RUN), whole) == []


def test_checkpoints_hold_no_lineage_and_the_model_holds_all_of_it(train):
    stop(train)
    for checkpoint in RUN.glob("checkpoints/*"):
        assert len(Culture.load(checkpoint / "model.zip").lineage) == 0
    shutil.rmtree("logs")
    train()
    lineage = Culture.load(RUN / "PopPacman-v0.zip").lineage
    assert len(lineage) == 80
    assert lineage.tobytes() == (RUN / "lineage.bin").read_bytes()
    digest, name = (RUN / "lineage.bin.sha256").read_text().split()
    assert (digest, name) == (hashlib.sha256(lineage.tobytes()).hexdigest(), "lineage.bin")


@pytest.mark.parametrize("file", ["model.zip", "progress.json", "SHA256SUMS"])
def test_a_run_whose_checkpoints_are_all_damaged_is_refused(file, train, go_on, capsys):
    stop(train)
    for checkpoint in RUN.glob("checkpoints/*"):
        (checkpoint / file).unlink() if file != "progress.json" else (checkpoint / file).write_text("{")
    line = refused(capsys, go_on, "--resume", str(RUN))
    assert re.search(r"the checkpoint \S+/\d+ is damaged, the checkpoint \S+/\d+ is damaged, .* train anew$", line)


def test_a_checkpoint_of_another_version_is_refused(train, go_on, capsys):
    stop(train)
    for checkpoint in RUN.glob("checkpoints/*"):
        progress = json.loads((checkpoint / "progress.json").read_text())
        (checkpoint / "progress.json").write_text(json.dumps(progress | {"format": 0}))
        (checkpoint / SUMS).write_text(sums_of(checkpoint))
    assert "has format 0; this version of popzoo reads format 2: go on with the version that" in refused(
        capsys, go_on, "--resume", str(RUN)
    )


def test_another_setting_is_refused_unless_it_is_to_override(train, go_on, capsys):
    stop(train)
    line = refused(capsys, go_on, "--resume", str(RUN), "-params", "learning_rate:0.5", "n_epochs:1")
    assert re.search(rf"{RUN} has learning_rate None \(asked: 0\.5\); ask for the same, or add --override$", line)
    line = refused(capsys, go_on, "--resume", str(RUN), "-n", "800")
    assert "n_timesteps -1 (asked: 800)" in line
    for option, value in (("--env", "PopFruitCatch-v0"), ("--seed", "4"), ("--algo", "es")):
        line = refused(capsys, go_on, "--resume", str(RUN), "--override", option, value)
        assert f"(asked: {value}); begin another run without --resume" in line
    go_on("--resume", str(RUN), "--override", "-params", "learning_rate:0.5", "-n", "800")
    assert "800" in capsys.readouterr().out
    assert RunFolder(RUN).settings()["learning_rate"] == 0.5
    assert RunFolder(RUN).arguments()["n_timesteps"] == 800


def test_a_run_on_which_another_process_is_at_work_is_left_in_peace(train, go_on, capsys):
    stop(train)
    lock = RunFolder(RUN).lock()
    assert f"another process is at work on {RUN}" in refused(capsys, go_on, "--resume", str(RUN))
    train("--resume")
    os.close(lock)
    assert "No run of culture on PopPacman-v0 in logs/culture waits" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "reason"), [("nowhere", "there is no run"), ("empty", "holds no args.yml")])
def test_a_folder_that_is_no_run_is_refused(name, reason, here, go_on, capsys):
    Path("empty").mkdir()
    assert reason in refused(capsys, go_on, "--resume", name)


def test_a_folder_that_would_run_something_asks_for_trust(train, go_on, capsys):
    stop(train)
    options = (RUN / "PopPacman-v0/args.yml").read_text()
    for file, text in [
        ("config.yml", "!!python/object/apply:os.system ['touch ran']\n"),
        ("args.yml", "!!python/object/apply:os.system ['touch ran']\n"),
        ("config.yml", "policy_kwargs: __import__('os').system('touch ran')\n"),
        ("config.yml", "callback: subprocess.Popen\n"),
        ("config.yml", "policy: os.path.Policy\n"),
        ("args.yml", options.replace("gym_packages\n    - []", "gym_packages\n    - [evil]")),
    ]:
        kept = (RUN / "PopPacman-v0" / file).read_text()
        (RUN / "PopPacman-v0" / file).write_text(text)
        assert "--trust" in refused(capsys, go_on, "--resume", str(RUN))
        (RUN / "PopPacman-v0" / file).write_text(kept)
    assert not Path("ran").exists()


def test_what_a_killed_process_left_half_written_is_removed(train, go_on):
    stop(train)
    dead = 2**22 + 1  # above every process's number
    parts = [RUN / f"checkpoints/.7.{dead}.part/model.zip", RUN / f".best_model.zip.{dead}.part"]
    parts.append(RUN.parent / f".PopPacman-v0_2.{dead}.part/x")
    for part in parts:
        part.parent.mkdir(exist_ok=True)
        part.touch()
    go_on("--resume", str(RUN))
    assert [part.exists() for part in parts] == [False, False, True]
    train()
    assert not parts[2].exists()


@pytest.mark.parametrize(
    "entry", [{"normalize": True}, {"env_wrapper": "gymnasium.wrappers.FlattenObservation"}, {"frame_stack": 2}]
)
def test_wrapped_environments_go_on_as_if_they_had_not_been_stopped(entry, train, go_on):
    entry = CULTURE | entry
    whole = twin(train, entry=entry)
    stop(train, entry=entry)
    go_on("--resume", str(RUN))
    assert [name for name in differences(left(RUN), whole) if "pkl" not in name] == []


def test_a_disk_that_is_full_costs_a_checkpoint_and_not_the_run(train, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Checkpoints, "fill", full)
    with pytest.warns(UserWarning, match="no checkpoint could be written .*No space left.*free space"):
        train()
    assert RunFolder(RUN).has_ended


def test_episodes_in_monitors_are_there_once_and_their_times_go_on(train, go_on):
    stop(train)
    with open(RUN / "0.monitor.csv", "a") as file:
        file.write("1,5,9\n1,")  # of a generation that was dropped, and torn
    go_on("--resume", str(RUN))
    episodes = load_results(str(RUN))
    assert len(episodes) == 80
    assert episodes.t.is_monotonic_increasing


@pytest.mark.parametrize(("algo", "entry"), [("ppo", PPO), ("dqn", DQN)])
def test_other_algorithms_go_on_as_well_as_they_can_and_it_is_said_how(algo, entry, train, go_on, capsys):
    stop(train, "--save-replay-buffer", algo=algo, entry=entry)
    run = Path(f"logs/{algo}/PopPacman-v0_1")
    command = capsys.readouterr().out.splitlines()[-1]
    assert command == f"python -m popagents.train --resume {run} --trust"
    assert "files of" in refused(capsys, go_on, "--resume", str(run))
    go_on(*command.split()[3:])
    out = capsys.readouterr().out
    assert f"with the weights, optimisers and counts of {algo}. Its environments begin new episodes" in out
    assert np.isin(load_results(str(run)).l, [100]).all()
    assert RunFolder(run).has_ended


def test_tensorboard_goes_on_in_the_same_folder(train, go_on):
    pytest.importorskip("tensorboard")
    stop(train, "-tb", "tb")
    train("-tb", "tb", "-n", "20")
    go_on("--resume", str(RUN))
    events = {path.name: len([*path.glob("events*")]) for path in Path("tb/PopPacman-v0").iterdir()}
    assert events == {"Culture_1": 2, "Culture_2": 1}
