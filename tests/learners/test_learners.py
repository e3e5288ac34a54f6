"""What every learner in the table promises: SB3's contract, repeatable runs, nothing lost."""

import errno
import inspect
import os

import gymnasium as gym
import numpy as np
import pandas
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, CheckpointCallback, EvalCallback, StopTrainingOnMaxEpisodes
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.logger import configure
from stable_baselines3.common.monitor import load_results
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor

from popagents.common.randomness import Purpose, keys
from popagents.common.ranking import ranked
from popagents.learners.progress import StepsBar
from popagents.rollout.make_env import native_vec_env
from popagents.rollout.vec_env import GymVecEnv
from registration.learners import LEARNERS, load_learner
from tests.learners.games import Ring

PACMAN = "popenvs:PopPacman-v0"
every_learner = pytest.mark.parametrize("name", LEARNERS)
mixing = [name for name in LEARNERS if load_learner(name).several_designs]
examined = pytest.mark.parametrize("name", [name for name in LEARNERS if name != "es"])  # its centre needs no exam


OWN = {  # settings that not every learner has
    "culture": {"champion_episodes": 2},
    "genetic": {"champion_episodes": 2, "tournament_size": 3, "n_offspring": 6},  # everybody plays in each generation
}


def new(name, env, policy="LinearPolicy", **settings):
    return load_learner(name)(policy, env, **{"seed": 3, "population_size": 6} | OWN.get(name, {}) | settings)


def state(model):
    """Everything that learning changes, by name."""
    stacks = {f"{i}/{k}": v for i, stack in enumerate(model.population.stacks) for k, v in stack.parameters.items()}
    policy = {f"policy/{k}": v.numpy() for k, v in model.policy.state_dict().items()}
    counts = {k: np.array(getattr(model, k)) for k in ("num_timesteps", "generation", "evaluation_timesteps")}
    lineage = {f"lineage/{k}": model.lineage[k] for k in model.lineage.dtype.names}
    return stacks | policy | counts | lineage | {"fitness": model.fitness} | model.learner_arrays()


def assert_same(first, second):
    first, second = state(first), state(second)
    assert first.keys() == second.keys()
    different = [key for key in first if not np.array_equal(first[key], second[key], equal_nan=True)]
    assert not different


class StopAt(BaseCallback):
    """Stops a run at a number of steps, and counts its calls after that."""

    def __init__(self, steps):
        super().__init__()
        self.steps, self.late = steps, 0

    def _on_step(self):
        self.late += self.num_timesteps > self.steps + 50
        return self.num_timesteps < self.steps


@every_learner
def test_it_is_an_sb3_algorithm_that_predicts_and_can_be_evaluated(name):
    model = new(name, "CartPole-v1").learn(400)
    assert isinstance(model, BaseAlgorithm)
    action, memory = model.predict(np.zeros(4, np.float32), deterministic=True)
    assert action.shape == ()
    assert memory is None
    actions = [int(model.predict(np.zeros(4, np.float32))[0]) for _ in range(60)]
    assert set(actions) == {0, 1}  # not deterministic: it samples
    mean, _ = evaluate_policy(model, make_vec_env("CartPole-v1", 1), n_eval_episodes=3)
    assert mean > 0


@pytest.mark.bits
@every_learner
@pytest.mark.parametrize("slots", [1, 5, 6, 17])
@pytest.mark.parametrize("kind", ["native", "dummy", "sync"])
def test_slots_and_kinds_of_environment_never_change_a_result(name, slots, kind):
    makers = [lambda: gym.make(PACMAN, max_steps=30)] * slots
    env = {
        "native": lambda: native_vec_env(PACMAN, slots, max_steps=30),
        "dummy": lambda: DummyVecEnv(makers),
        "sync": lambda: SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP),
    }[kind]()
    reference = new(name, native_vec_env(PACMAN, 6, max_steps=30)).learn(720)
    assert reference.generation == 4
    assert_same(new(name, env).learn(720), reference)


@pytest.mark.parametrize(
    ("name", "policy"),
    [(name, policy) for name in LEARNERS for policy in ("LinearPolicy", "MlpPolicy", "ActorCriticPolicy")]
    + [(name, ["LinearPolicy", "MlpPolicy"]) for name in mixing],
)
@pytest.mark.bits
def test_a_stopped_saved_and_loaded_run_goes_on_bit_for_bit(name, policy, tmp_path):
    makers = [Ring] * 3
    whole = new(name, DummyVecEnv(makers), policy).learn(600)
    stopped = new(name, DummyVecEnv(makers), policy).learn(600, callback=StopAt(333))
    assert 333 <= stopped.num_timesteps < 340  # at once
    stopped.save(tmp_path / "stopped")
    loaded = load_learner(name).load(tmp_path / "stopped", env=DummyVecEnv([Ring] * 5), seed=99)
    assert loaded.num_timesteps <= 333
    loaded.learn(600, resume=True)
    stopped.learn(600, resume=True)
    for model in (loaded, stopped):
        model.evaluation_timesteps = whole.evaluation_timesteps  # they sat one exam more
        assert_same(model, whole)


@every_learner
def test_a_loaded_model_is_the_saved_one(name, tmp_path):
    model = new(name, Ring()).learn(300)
    model.save(tmp_path / "model.zip")
    loaded = load_learner(name).load(tmp_path / "model")
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
def test_num_timesteps_equals_the_steps_really_taken(name):
    taken = 0

    class Counted(Ring):
        def step(self, action):
            nonlocal taken
            taken += 1
            return super().step(action)

    model = new(name, Counted()).learn(500)  # one slot: none ever idles
    assert model.num_timesteps == taken - model.evaluation_timesteps
    assert model.num_timesteps >= 500
    assert model.num_timesteps == model.lineage["timesteps"][-1]


@every_learner
def test_a_callback_that_returns_false_stops_at_once_and_nothing_is_learned(name):
    model = new(name, Ring())
    before = {k: v.copy() for k, v in model.population.stacks[0].parameters.items()}
    stop = StopAt(1)
    model.learn(10_000, callback=stop)
    assert stop.late == 0
    assert stop.n_calls == 1
    assert model.num_timesteps == 1
    assert model.generation == 0
    assert all((before[k] == v).all() for k, v in model.population.stacks[0].parameters.items())


@every_learner
def test_sb3s_callbacks_work_and_checkpoints_hold_the_generations_start(name, tmp_path):
    model = new(name, native_vec_env(PACMAN, 6, max_steps=20), tensorboard_log=str(tmp_path / "tb"))
    checkpoint = CheckpointCallback(save_freq=33, save_path=str(tmp_path), name_prefix="c")  # mid-generation
    evaluation = EvalCallback(
        native_vec_env(PACMAN, 1, max_steps=20),
        eval_freq=40,
        n_eval_episodes=2,
        verbose=0,
        best_model_save_path=str(tmp_path),
        log_path=str(tmp_path),
        warn=False,
    )
    model.learn(720, callback=[checkpoint, evaluation], progress_bar=True)
    loaded = load_learner(name).load(tmp_path / "c_198_steps.zip", env=native_vec_env(PACMAN, 6, max_steps=20))
    assert loaded.num_timesteps == 120
    assert loaded.generation == 1
    loaded.learn(720, resume=True)
    assert all((state(loaded)[k] == v).all() for k, v in state(model).items() if k.startswith(("0/", "lineage")))
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

    model = new(name, native_vec_env(PACMAN, 17, max_steps=20)).learn(240, callback=Kept())  # 11 slots idle
    model.learn(360, callback=Kept(), reset_num_timesteps=False)
    assert bars == [240, 360]


@every_learner
def test_episodes_are_reported_to_callbacks_and_to_the_monitors_file(name, tmp_path):
    env = VecMonitor(native_vec_env(PACMAN, 6, max_steps=20), str(tmp_path / "0.monitor.csv"))
    model = new(name, env).learn(240)
    table = load_results(str(tmp_path))
    assert list(table["l"]) == [20] * 12
    assert table["r"].iloc[-6:].mean() == pytest.approx(model.fitness.mean())
    model = new(name, native_vec_env(PACMAN, 6, max_steps=20))
    model.learn(10_000, callback=StopTrainingOnMaxEpisodes(3))
    assert model.num_timesteps <= 480


@every_learner
def test_every_generation_is_logged(name, tmp_path):
    model = new(name, Ring())
    model.set_logger(configure(str(tmp_path), ["csv"]))
    model.learn(300)
    table = pandas.read_csv(tmp_path / "progress.csv")
    fitness = model.lineage["fitness"].reshape(-1, 6)
    assert list(table["time/generation"]) == list(range(1, model.generation + 1))
    assert table["time/total_timesteps"].iloc[-1] == model.num_timesteps
    for statistic in ("mean", "max", "min", "std"):
        assert np.allclose(table[f"population/fitness_{statistic}"], getattr(fitness, statistic)(axis=1))
    assert table["population/diversity"].between(0, 1).all()
    assert (table["time/fps"] > 0).all()


@every_learner
def test_the_screen_gets_a_table_a_second_at_most_and_files_get_them_all(name, tmp_path, monkeypatch, capsys):
    clock = iter(range(0, 100_000, 300))
    monkeypatch.setattr(
        "popagents.learners.logging.time.monotonic", lambda: next(clock) / 1000
    )  # a generation takes 0.3 s
    model = new(name, Ring())
    model.set_logger(configure(str(tmp_path), ["stdout", "csv"]))
    model.learn(600)
    assert len(pandas.read_csv(tmp_path / "progress.csv")) == model.generation > 4
    tables = capsys.readouterr().out.count("fitness_mean")
    assert tables == -(-model.generation // 4)  # after 0, 1.2, 2.4, ... seconds


@examined
def test_the_champion_is_the_best_finalist_of_an_exam_that_is_counted_apart(name):
    model = new(name, Ring(), champion_episodes=5).learn(400)
    rank_keys = keys(model.run_seed, Purpose.RANK, model.generation - 1, np.arange(6))
    finalists = ranked(model.fitness, rank_keys)[:1]  # a quarter of 6
    genes = model.population.genes(int(finalists[0]))
    assert all((model.policy.state_dict()[k].numpy() == v).all() for k, v in genes.items())
    assert 0 < model.evaluation_timesteps <= 5 * 20


@every_learner
def test_a_population_can_start_from_a_trained_sb3_policy(name):
    ppo = PPO("MlpPolicy", "CartPole-v1", n_steps=64, device="cpu", seed=0).learn(64)
    model = new(name, "CartPole-v1", "ActorCriticPolicy")
    model.start_from(ppo.policy)
    observations = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    expected, _ = ppo.predict(observations, deterministic=True)
    assert (model.predict(observations, deterministic=True)[0] == expected).all()
    assert all((model.population.act(np.full(40, m), observations) == expected).all() for m in range(6))
    with pytest.raises(ValueError, match="the policy has the parameters .*members of this design need"):
        new(name, "CartPole-v1", "LinearPolicy").start_from(ppo.policy)


@every_learner
def test_parameters_can_be_taken_and_set_as_in_sb3(name):
    first, second = new(name, Ring(), seed=1), new(name, Ring(), seed=2)
    second.set_parameters(first.get_parameters())
    assert all(torch.equal(a, b) for a, b in zip(first.policy.parameters(), second.policy.parameters(), strict=True))


@every_learner
@pytest.mark.parametrize("space", [spaces.MultiDiscrete([2, 3]), spaces.Box(-1, 1, (2,), np.float32)], ids=str)
def test_other_action_spaces_are_learned_too(name, space, tmp_path):
    model = new(name, Ring(space), "MlpPolicy").learn(300)
    assert space.contains(model.predict(np.zeros(8, np.float32), deterministic=True)[0])
    model.save(tmp_path / "m")
    assert_same(load_learner(name).load(tmp_path / "m"), model)


# ---------------------------------------------------------------- bad input


@every_learner
def test_unknown_names_suggest_the_nearest(name):
    with pytest.raises(ValueError, match="policy is 'LinerPolicy'; .* did you mean 'LinearPolicy'"):
        new(name, Ring(), "LinerPolicy")
    with pytest.raises(gym.error.NameNotFound, match="PopPacman"):
        new(name, "popenvs:PopPackman-v0")
    with pytest.raises(ValueError, match=f"did you mean .?{name}"):
        load_learner(name[:-1])


@every_learner
@pytest.mark.parametrize(
    ("setting", "value"), [("population_size", 0), ("population_size", 2.5), ("episodes", 0), ("champion_episodes", -1)]
)
def test_settings_out_of_range_are_named(name, setting, value):
    if setting not in inspect.signature(load_learner(name)).parameters:
        pytest.skip(f"{name} has no {setting}")
    with pytest.raises(ValueError, match=f"{setting} is {value}"):
        new(name, Ring(), **{setting: value})


@every_learner
def test_spaces_that_cannot_be_served_are_named(name):
    with pytest.raises(ValueError, match=r"the action space is MultiBinary\(2\); policies serve"):
        new(name, Ring(spaces.MultiBinary(2)))
    env = Ring()
    env.observation_space = spaces.Dict(a=spaces.Discrete(2))
    with pytest.raises(ValueError, match="FlattenObservation"):
        new(name, env)


@every_learner
@pytest.mark.parametrize("flaw", ["nan", "raises"])
def test_a_failing_environment_leaves_the_population_as_it_was(name, flaw, tmp_path):
    env = Ring()
    model = new(name, env).learn(200)
    model.save(tmp_path / "before")
    before = state(model)
    env.flaw = flaw
    with pytest.raises(RuntimeError, match="nan|wheel"):
        model.learn(10_000, reset_num_timesteps=False)
    env.flaw = None
    after = state(model)
    assert all(np.array_equal(before[k], after[k]) for k in before if k.startswith(("0/", "lineage", "fitness")))
    model.save(tmp_path / "after")
    assert load_learner(name).load(tmp_path / "after").generation == model.generation


@every_learner
def test_an_interrupt_loses_nothing(name):
    class Interrupt(StopAt):
        def _on_step(self):
            if not super()._on_step():
                raise KeyboardInterrupt
            return True

    whole = new(name, Ring()).learn(600)
    model = new(name, Ring())
    with pytest.raises(KeyboardInterrupt):
        model.learn(600, callback=Interrupt(333))
    model.learn(600, resume=True)
    assert_same(model, whole)


@every_learner
@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"PK" + b[2:400], lambda b: b[::-1]]
)
def test_a_damaged_file_is_one_clear_error(name, damage, tmp_path):
    path = tmp_path / "model.zip"
    new(name, Ring()).save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"model\.zip is not a model file of popzoo, or it is damaged"):
        load_learner(name).load(path)
    with pytest.raises(FileNotFoundError, match=r"there is no model file .*absent\.zip"):
        load_learner(name).load(tmp_path / "absent")


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
        monkeypatch.setattr("popagents.common.model_files.open", full, raising=False)
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
        load_learner(name).load(tmp_path / "m")
    custom = {"policy": "MlpPolicy", "policy_kwargs": settings}
    assert_same(load_learner(name).load(tmp_path / "m", custom_objects=custom), model)


@every_learner
def test_another_size_or_another_space_is_refused_on_loading(name, tmp_path):
    new(name, Ring()).save(tmp_path / "m")
    if load_learner(name).stores_members:
        with pytest.raises(ValueError, match="population_size is 9; the file holds 6 members"):
            load_learner(name).load(tmp_path / "m", population_size=9)
    with pytest.raises(ValueError, match="spaces do not match"):
        load_learner(name).load(tmp_path / "m", env="CartPole-v1")


@every_learner
def test_a_vector_environment_that_resets_at_the_next_step_is_refused(name):
    with pytest.raises(ValueError, match="NEXT_STEP.*SAME_STEP or DISABLED"):
        new(name, SyncVectorEnv([Ring] * 2))


def test_an_id_gets_a_native_vector_environment_with_one_slot_a_member():
    for name in LEARNERS:
        model = new(name, PACMAN)
        assert isinstance(model.env, GymVecEnv)
        assert model.env.vector_env.__class__.__name__ == "PacmanVectorEnv"
        assert model.n_envs == 6
