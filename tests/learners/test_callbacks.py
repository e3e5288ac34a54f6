"""What SB3's callbacks see of every learner, and what they may do."""

from functools import partial
from itertools import count

import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorWrapper
from stable_baselines3.common.callbacks import (
    BaseCallback,
    CheckpointCallback,
    EvalCallback,
    LogEveryNTimesteps,
    StopTrainingOnMaxEpisodes,
)
from stable_baselines3.common.logger import configure
from stable_baselines3.common.monitor import Monitor, load_results
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecMonitor, VecNormalize

from popagents.learners.progress import StepsBar
from popagents.rollout.make_env import native_vec_env
from popagents.rollout.worker import Worker
from tests.learners.cases import LEARNERS, PACMAN, PLAYED, StopAt, differences, every_learner, new, state
from tests.learners.games import Ring

pandas = pytest.importorskip("pandas")


@every_learner
def test_a_callback_that_returns_false_stops_at_once_and_nothing_is_learned(name):
    model = new(name, Ring())
    before = state(model)
    stop = StopAt(1)
    model.learn(10_000, callback=stop)
    assert stop.late == 0
    assert stop.n_calls == 1
    assert model.num_timesteps == 1
    assert model.generation == 0
    changed = differences(before, state(model))
    assert [k for k in changed if k.startswith(("state", "lineage", "fitness", "generation"))] == []


@every_learner
def test_sb3s_callbacks_work_and_checkpoints_hold_the_generations_start(name, tmp_path):
    steps = 20 * PLAYED[name]  # of a generation
    model = new(name, native_vec_env(PACMAN, 6, max_steps=20), tensorboard_log=str(tmp_path / "tb"))
    save_freq = {"elitist_es": 93}.get(name, 33)  # calls: in the middle of the second generation
    checkpoint = CheckpointCallback(save_freq=save_freq, save_path=str(tmp_path), name_prefix="c")
    evaluation = EvalCallback(
        native_vec_env(PACMAN, 1, max_steps=20),
        eval_freq=40,
        n_eval_episodes=2,
        verbose=0,
        best_model_save_path=str(tmp_path),
        log_path=str(tmp_path),
        warn=False,
    )
    model.learn(6 * steps, callback=[checkpoint, evaluation], progress_bar=True)
    saved_at = min(int(path.stem.split("_")[1]) for path in tmp_path.glob("c_*_steps.zip"))
    assert steps < saved_at < 2 * steps
    path = tmp_path / f"c_{saved_at}_steps.zip"
    loaded = LEARNERS[name].load(path, env=native_vec_env(PACMAN, 6, max_steps=20))
    assert loaded.num_timesteps == steps
    assert loaded.generation == 1
    loaded.learn(6 * steps, resume=True)
    assert differences(state(loaded), state(model)) == []
    assert (tmp_path / "best_model.zip").exists()
    assert (tmp_path / "evaluations.npz").exists()
    assert list((tmp_path / "tb").glob("*/events*"))


@every_learner
def test_the_progress_bar_follows_the_steps_really_taken(name):
    bars = []

    class Kept(StepsBar):
        def _on_training_end(self):
            bars.append(self.pbar.n)
            super()._on_training_end()

    steps = 20 * PLAYED[name]
    model = new(name, native_vec_env(PACMAN, 17, max_steps=20)).learn(2 * steps, callback=Kept())  # 11 slots idle
    model.learn(3 * steps, callback=Kept(), reset_num_timesteps=False)
    assert bars == [2 * steps, 3 * steps]


@every_learner
def test_episodes_are_reported_to_callbacks_and_to_the_monitors_file(name, tmp_path, monkeypatch):
    played, play = [], Worker.play

    def spied(*arguments):
        played.append(play(*arguments))
        return played[-1]

    monkeypatch.setattr(Worker, "play", spied)
    env = VecMonitor(native_vec_env(PACMAN, 6, max_steps=20), str(tmp_path / "0.monitor.csv"))
    model = new(name, env).learn(2 * 20 * PLAYED[name])
    table = load_results(str(tmp_path))
    assert list(table["l"]) == [20] * 2 * PLAYED[name]
    returns = np.concatenate([episodes.returns for episodes in played])
    assert table["r"].to_numpy() == pytest.approx(returns[: len(table)])  # evaluation comes after, and is not told
    if PLAYED[name] == 6:
        assert table["r"].iloc[-6:].mean() == pytest.approx(model.fitness.mean())
    model = new(name, native_vec_env(PACMAN, 6, max_steps=20))
    model.learn(10_000, callback=StopTrainingOnMaxEpisodes(3))
    assert model.num_timesteps <= 480


NUMBERS = count()
FORK = "fork"  # starts at once; the others import torch
MONITORED = {
    "DummyVecEnv": (lambda folder: DummyVecEnv([lambda: Monitor(Ring(), f"{folder}/{next(NUMBERS)}")] * 9), 0),
    "Monitors inside": (
        lambda folder: VecNormalize(DummyVecEnv([lambda: Monitor(Ring(), f"{folder}/{next(NUMBERS)}")] * 9)),
        0,
    ),
    "SubprocVecEnv": (lambda folder: SubprocVecEnv([partial(monitored, f"{folder}/{i}") for i in range(9)], FORK), 9),
    "VecMonitor around DummyVecEnv": (lambda folder: VecMonitor(DummyVecEnv([Ring] * 9), f"{folder}/0"), 0),
    "VecMonitor around SubprocVecEnv": (lambda folder: VecMonitor(SubprocVecEnv([Ring] * 9, FORK), f"{folder}/0"), 0),
    "VecMonitor inside": (lambda folder: VecNormalize(VecMonitor(DummyVecEnv([Ring] * 9), f"{folder}/0")), 0),
    "VecMonitor outside": (lambda folder: VecMonitor(VecNormalize(DummyVecEnv([Ring] * 9)), f"{folder}/0"), 0),
}


def monitored(file):
    return Monitor(Ring(), file)


@pytest.mark.filterwarnings("ignore:episodes in a Vec")
@pytest.mark.parametrize("kind", MONITORED)
def test_monitors_write_the_episodes_that_were_played_and_none_of_idle_slots(kind, tmp_path):
    make, exams = MONITORED[kind]
    watch = Watch()
    env = make(tmp_path)
    model = new("genetic", env).learn(100, callback=watch)
    env.close()
    table = load_results(str(tmp_path))
    told = [seen["infos"][slot]["episode"] for seen in watch.seen for slot in np.flatnonzero(seen["dones"])]
    assert len(told) == 6 * model.generation
    examined = 2 if exams else 0  # the champion's episodes, which a Monitor in another process sees too
    assert len(table) == len(told) + examined
    assert table["l"].sum() == model.num_timesteps + (model.evaluation_timesteps if exams else 0)


@every_learner
def test_a_monitors_file_holds_what_infos_told_and_the_monitor_writes_again_afterwards(name, tmp_path):
    env = VecMonitor(DummyVecEnv([Successful] * 3), str(tmp_path / "0"), info_keywords=("is_success",))
    model = new(name, env).learn(60)
    written = pandas.read_csv(tmp_path / "0.monitor.csv", skiprows=1)
    assert list(written["is_success"]) == list(model.ep_success_buffer)
    assert env.results_writer is not None


@pytest.mark.parametrize("kind", ["AsyncVectorEnv", "SubprocVecEnv", "VecMonitor"])
def test_stop_training_on_max_episodes_counts_episodes_that_were_played(kind):
    make = {
        "AsyncVectorEnv": lambda: AsyncVectorEnv([Ring] * 9, autoreset_mode=AutoresetMode.DISABLED),
        "SubprocVecEnv": lambda: SubprocVecEnv([Ring] * 9, FORK),
        "VecMonitor": lambda: VecMonitor(DummyVecEnv([Ring] * 9)),
    }
    stop, watch = StopTrainingOnMaxEpisodes(1), Watch()
    model = new("genetic", make[kind]()).learn(5000, callback=[watch, stop])
    model.env.close()
    assert stop.n_episodes == sum(np.count_nonzero(seen["dones"]) for seen in watch.seen)
    assert all("episode" in seen["infos"][i] for seen in watch.seen for i in np.flatnonzero(seen["dones"]))


# ---------------------------------------------------------------- logs


class Successful(Ring):
    def step(self, action):
        *step, info = super().step(action)
        return *step, info | {"is_success": bool(step[2])}


@every_learner
def test_logs_are_written_every_n_timesteps_in_mid_generation_too(name, tmp_path):
    model = new(name, Successful(), stats_window_size=7)
    model.set_logger(configure(str(tmp_path), ["csv"]))
    model.learn(100, callback=LogEveryNTimesteps(5), log_interval=None)
    table = pandas.read_csv(tmp_path / "progress.csv")
    assert table["time/total_timesteps"].diff().iloc[1:].between(5, 5 + 1).all()
    assert table["time/total_timesteps"].iloc[-1] > model.num_timesteps - 6
    assert table["rollout/success_rate"].iloc[-1] == np.mean(model.ep_success_buffer)
    assert model.ep_info_buffer.maxlen == model.ep_success_buffer.maxlen == 7
    assert table["rollout/ep_len_mean"].iloc[-1] > 0


@every_learner
def test_a_generations_log_tells_how_many_episodes_succeeded(name, tmp_path):
    model = new(name, Successful())
    model.set_logger(configure(str(tmp_path), ["csv"]))
    model.learn(60)
    table = pandas.read_csv(tmp_path / "progress.csv")
    assert table["rollout/success_rate"].iloc[-1] == np.mean(model.ep_success_buffer)


@every_learner
@pytest.mark.parametrize("log_interval", [0, -1])
def test_an_interval_at_which_nothing_can_be_logged_is_refused(name, log_interval):
    with pytest.raises(ValueError, match=f"log_interval is {log_interval}; .*None never logs"):
        new(name, Ring()).learn(100, log_interval=log_interval)


# ---------------------------------------------------------------- locals


class Watch(BaseCallback):
    """Keeps a copy of the locals of every step."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def _on_step(self):
        self.seen.append({**self.locals})
        return True


LANES = 9  # three more than members
ENVIRONMENTS = {
    "lanes that may wait": lambda: native_vec_env(PACMAN, LANES, max_steps=7),
    "stepped one by one": lambda: DummyVecEnv([Ring] * LANES),
    "stepped together": lambda: VectorWrapper(SyncVectorEnv([Ring] * LANES, autoreset_mode=AutoresetMode.DISABLED)),
}


@every_learner
@pytest.mark.parametrize("kind", ENVIRONMENTS)
def test_locals_hold_a_row_a_slot_and_idle_rows_say_nothing(name, kind):
    watch = Watch()
    model = new(name, ENVIRONMENTS[kind]()).learn(300, callback=watch)
    assert watch.seen
    idle_rows = 0
    for seen in watch.seen:
        live = seen["live"]
        assert all(len(seen[k]) == LANES for k in ("observations", "new_obs", "actions", "rewards", "dones", "infos"))
        assert live.dtype == seen["dones"].dtype == bool
        assert live.shape == seen["dones"].shape == seen["rewards"].shape == (LANES,)
        assert live.any()
        assert not seen["dones"][~live].any()
        assert (seen["rewards"][~live] == 0).all()
        assert [seen["infos"][slot] for slot in np.flatnonzero(~live)] == [{}] * np.count_nonzero(~live)
        assert all("episode" in seen["infos"][slot] for slot in np.flatnonzero(seen["dones"]))
        idle_rows += np.count_nonzero(~live)
    assert idle_rows > 0
    assert sum(np.count_nonzero(seen["live"]) for seen in watch.seen) == model.num_timesteps
    done = [seen["infos"][slot]["episode"] for seen in watch.seen for slot in np.flatnonzero(seen["dones"])]
    assert sum(episode["l"] for episode in done) == model.num_timesteps
    assert sum(episode["r"] for episode in done) == pytest.approx(sum(seen["rewards"].sum() for seen in watch.seen))


@every_learner
def test_locals_tell_what_was_seen_before_and_after_each_action(name):
    watch = Watch()
    new(name, DummyVecEnv([Ring] * LANES)).learn(200, callback=watch)
    for before, after in zip(watch.seen[:-1], watch.seen[1:], strict=True):
        going = before["live"] & ~before["dones"] & after["live"]
        assert (before["new_obs"][going] == after["observations"][going]).all()
        cell, went = (x[going].argmax(axis=1) for x in (before["observations"], before["new_obs"]))
        assert ((cell + np.where(before["actions"][going] > 0, 1, -1)) % 8 == went).all()


@every_learner
def test_saving_in_the_middle_of_a_generation_evaluates_nobody_and_changes_nothing(name, tmp_path):
    evaluated = []

    class Save(BaseCallback):
        def _on_step(self):
            if self.n_calls % 25 == 5:
                self.model.save(tmp_path / "m")
                loaded = LEARNERS[name].load(tmp_path / "m")
                evaluated.append(loaded.evaluation_timesteps)
                observations = np.eye(8, dtype=np.float32)
                ours, theirs = (m.predict(observations, deterministic=True)[0] for m in (self.model, loaded))
                assert (ours == theirs).all()
                assert loaded.generation == self.model.generation
                assert loaded.champion == self.model.champion
            return True

    model = new(name, Ring()).learn(600, callback=Save())
    assert evaluated
    assert set(evaluated) == {0}
    assert differences(state(model), state(new(name, Ring()).learn(600))) == []
