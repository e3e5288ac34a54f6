"""RL Zoo's own scripts run our learners, settings and native vector environments; what was theirs stays theirs."""

import importlib
import re
import runpy
import signal
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import yaml
from stable_baselines3.common.monitor import load_results
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecFrameStack, VecMonitor, VecNormalize

pytest.importorskip("rl_zoo3")

import rl_zoo3.exp_manager
import rl_zoo3.train
import rl_zoo3.utils
from rl_zoo3.exp_manager import ExperimentManager
from rl_zoo3.utils import get_class_by_name

import popagents.zoo.enjoy
import popagents.zoo.record_video
import popagents.zoo.train
from popagents.learners.culture.culture import Culture
from popagents.rollout.make_env import native_vec_env
from popagents.rollout.vec_env import GymVecEnv
from popagents.zoo.enjoy import habits
from popagents.zoo.train import PopulationManager, checked_arguments, prepare, settings_file
from registration.environments import ENVIRONMENTS, register_environments
from registration.learners import LEARNERS, load_learner
from tests.learners.crews import Crew

SMALL = {  # settings that learn nothing, quickly
    "ppo": ["n_envs:4", "n_steps:20", "batch_size:40", "n_epochs:1"],
    "dqn": ["n_envs:4", "learning_starts:100", "batch_size:8", "policy_kwargs:dict(net_arch=[8])"],
    "ppo_lstm": ["n_envs:2", "n_steps:20", "batch_size:40", "n_epochs:1", "policy_kwargs:dict(lstm_hidden_size=4)"],
}
CULTURE = {"n_timesteps": 300, "policy": "LinearPolicy", "population_size": 4, "n_envs": 2, "n_epochs": 1}
Script = Callable[..., list[VecEnv]]


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Script:
    """Run one of the scripts in an empty folder; return the environments that it made, its own training one last."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rl_zoo3.train, "ExperimentManager", ExperimentManager)
    for table in (rl_zoo3.ALGOS, rl_zoo3.exp_manager.HYPERPARAMS_SAMPLER, rl_zoo3.exp_manager.HYPERPARAMS_CONVERTER):
        for name in LEARNERS:
            monkeypatch.delitem(table, name, raising=False)
    made: list[VecEnv] = []
    create_envs = ExperimentManager.create_envs

    def spy(*arguments: Any, **keywords: Any) -> VecEnv:
        made.append(create_envs(*arguments, **keywords))
        return made[-1]

    monkeypatch.setattr(ExperimentManager, "create_envs", spy)

    def run(script: Callable[[], None], *arguments: str) -> list[VecEnv]:
        made.clear()
        monkeypatch.setattr(sys, "argv", ["script", "--num-threads", "1", "--seed", "3", *arguments])
        script()
        return list(made)

    return run


def train(zoo: Script, algo: str, *arguments: str, env: str = "PopPacman-v0") -> list[VecEnv]:
    return zoo(popagents.zoo.train.main, "--algo", algo, "--env", env, "--eval-freq", "-1", *arguments)


def settings(**by_env: Any) -> str:
    """Write a settings file into this folder."""
    Path("settings.yml").write_text(yaml.safe_dump({name.replace("_v", "-v"): value for name, value in by_env.items()}))
    return "settings.yml"


def layers(env: VecEnv) -> list[type]:
    """Return the classes of an environment, from the outside in."""
    return [type(env), *(layers(env.venv) if hasattr(env, "venv") else [])]


def assert_trained(algo: str) -> None:
    """Check that a run left a model that plays, and a csv of its episodes that RL Zoo's plots can read."""
    run = Path(f"logs/{algo}/PopPacman-v0_1")
    model = rl_zoo3.ALGOS[algo].load(run / "PopPacman-v0.zip")
    action, _ = model.predict(np.zeros(180, np.float32))
    assert 0 <= action < 5
    episodes = load_results(str(run))
    assert len(episodes) >= 1
    assert set(episodes.l) == {100}
    assert episodes.r.between(0, 50).all()
    assert (run / "0.monitor.csv").read_text().startswith("#")


@pytest.mark.parametrize("algo", SMALL)
def test_sb3s_algorithms_train_on_native_lanes(zoo: Script, algo: str) -> None:
    (env,) = train(zoo, algo, "-n", "440", "-params", *SMALL[algo], env="popenvs:PopPacman-v0")
    assert layers(env) == [VecMonitor, GymVecEnv]
    assert_trained(algo)


@pytest.mark.parametrize("algo", SMALL)
def test_rl_zoos_own_script_trains_in_our_environments(zoo: Script, algo: str) -> None:
    conf_file = str(popagents.zoo.train.SETTINGS / f"{algo}.yml")
    names = ["--algo", algo, "--env", "PopPacman-v0", "--gym-packages", "popenvs", "-conf", conf_file]
    (env,) = zoo(rl_zoo3.train.train, *names, "--eval-freq", "-1", "-n", "440", "-params", *SMALL[algo])
    assert layers(env) == [DummyVecEnv]
    assert_trained(algo)


def test_our_learner_trains_on_native_lanes_and_is_watched(zoo: Script, capsys: pytest.CaptureFixture[str]) -> None:
    evaluation, env = train(zoo, "culture", "-conf", settings(PopPacman_v0=CULTURE), "--eval-freq", "200")
    assert layers(evaluation) == layers(env) == [VecMonitor, GymVecEnv]
    assert_trained("culture")
    assert Path("logs/culture/PopPacman-v0_1/evaluations.npz").is_file()
    zoo(popagents.zoo.enjoy.main, "--algo", "culture", "--env", "PopPacman-v0", "--no-render", "-n", "101")
    assert "Episode Length 100" in capsys.readouterr().out


def test_atari_games_are_played_on_lanes_of_ours_by_likeliest_actions(
    zoo: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ale_py")
    likeliest = []
    predict = Culture.predict

    def spy(*arguments: Any, **keywords: Any) -> Any:
        likeliest.append(keywords["deterministic"])
        return predict(*arguments, **keywords)

    monkeypatch.setattr(Culture, "predict", spy)
    names = ["--algo", "culture", "--env", "ALE/SpaceInvaders-v5"]
    entry = CULTURE | {"env_kwargs": {"obs_type": "ram", "max_num_frames_per_episode": 40}, "champion_episodes": 1}
    conf = settings(atari=entry | {"n_timesteps": 60})
    evaluation, env = zoo(popagents.zoo.train.main, *names, "-conf", conf, "--eval-freq", "30", "--eval-episodes", "1")
    assert layers(evaluation) == layers(env) == [VecMonitor, GymVecEnv]
    assert evaluation.observation_space.shape == env.observation_space.shape == (128,)
    assert likeliest
    zoo(popagents.zoo.enjoy.main, *names, "--no-render", "-n", "11")
    assert "Atari Episode Length 10" in capsys.readouterr().out
    assert all(likeliest)
    zoo(popagents.zoo.enjoy.main, *names, "--no-render", "-n", "1", "--stochastic")
    assert not likeliest[-1]


def test_enjoy_plays_where_the_run_was_evaluated(zoo: Script, capsys: pytest.CaptureFixture[str]) -> None:
    entry = CULTURE | {"env_kwargs": {"max_steps": 5}, "eval_env_kwargs": {"max_steps": 30}}
    train(zoo, "culture", "-conf", settings(PopPacman_v0=entry), "--eval-freq", "-1")
    zoo(popagents.zoo.enjoy.main, "--algo", "culture", "--env", "PopPacman-v0", "--no-render", "-n", "31")
    assert "Episode Length 30" in capsys.readouterr().out


def test_a_champion_ships_and_plays_well(zoo: Script, capsys: pytest.CaptureFixture[str]) -> None:
    zoo(popagents.zoo.enjoy.main, "--algo", "culture", "--env", "PopPacman-v0", "--no-render", "-n", "1000")
    score = re.search(r"Mean reward: ([\d.]+)", capsys.readouterr().out)
    assert float(score[1]) > 18


def test_a_champion_of_space_invaders_ships_and_plays_well(zoo: Script, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ale_py")
    zoo(popagents.zoo.enjoy.main, "--algo", "elitist_es", "--env", "ALE/SpaceInvaders-v5", "--no-render", "-n", "8000")
    scores = [float(score) for score in re.findall(r"Episode Score: ([\d.]+)", capsys.readouterr().out)]
    assert len(scores) >= 4
    assert np.mean(scores) > 450  # 800 on average, which chance and another processor's rounding may shift; firing: 285


@pytest.mark.parametrize("name", LEARNERS)
def test_the_shipped_settings_of_our_learners_are_their_arguments(name: str) -> None:
    pytest.importorskip("ale_py")
    zoo_keys = {"n_timesteps", "n_envs", "env_kwargs", "eval_env_kwargs", "callback"}
    register_environments()
    files = [file for file in popagents.zoo.train.SETTINGS.glob("*.yml") if file.stem.partition("-")[0] == name]
    assert files
    for file in files:
        for env_id, entry in yaml.safe_load(file.read_text()).items():
            kwargs = {k: v for k, v in entry.items() if k not in zoo_keys}
            if isinstance(kwargs.get("policy_kwargs"), str):
                kwargs["policy_kwargs"] = eval(kwargs["policy_kwargs"], {"get_class_by_name": get_class_by_name})
            model = load_learner(name)(env=stand_in(env_id, entry.get("env_kwargs", {})), **kwargs)
            if name != "genetic":  # whose lives are of many episodes
                jobs = model.population_size * model.episodes
                assert jobs % entry["n_envs"] == 0  # no slot waits while another plays twice


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_has_settings_for_any_task_any_atari_game_and_each_of_our_ids(name: str) -> None:
    entries = yaml.safe_load((popagents.zoo.train.SETTINGS / f"{name}.yml").read_text())
    assert {"default", "atari", *ENVIRONMENTS} <= set(entries)


@pytest.mark.parametrize("name", ["es", "elitist_es"])
def test_ids_that_no_settings_name_are_trained_by_the_default_ones(zoo: Script, name: str) -> None:
    (env,) = train(zoo, name, "-n", "40", "-params", "population_size:4", "n_envs:2", env="Acrobot-v1")
    assert env.num_envs == 2
    assert Path(f"logs/{name}/Acrobot-v1_1/Acrobot-v1.zip").is_file()


def test_runs_that_start_in_the_same_instant_write_into_folders_of_their_own(
    zoo: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rl_zoo3.exp_manager, "get_latest_run_id", lambda *_: 0)  # neither sees the other
    for _ in range(2):
        train(zoo, "culture", "-conf", settings(PopPacman_v0=CULTURE), "-n", "10")
    runs = sorted(Path("logs/culture").iterdir())
    assert [run.name for run in runs] == ["PopPacman-v0_1", "PopPacman-v0_2"]
    assert all((run / "PopPacman-v0.zip").is_file() and (run / "PopPacman-v0/config.yml").is_file() for run in runs)


def test_a_folder_without_a_model_is_passed_over_by_enjoy(zoo: Script, capsys: pytest.CaptureFixture[str]) -> None:
    Path("logs/culture/PopPacman-v0_3/PopPacman-v0").mkdir(parents=True)  # as -optimize leaves it
    watch = ["--algo", "culture", "--env", "PopPacman-v0", "--no-render", "-n", "1"]
    zoo(popagents.zoo.enjoy.main, *watch)
    assert "champions/culture/PopPacman-v0_1/PopPacman-v0.zip" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        zoo(popagents.zoo.enjoy.main, *watch, "-f", "logs")
    assert "no culture player of PopPacman-v0 in logs; train one" in capsys.readouterr().err


def test_rl_zoos_plots_read_our_runs(zoo: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("seaborn", "scipy"):
        pytest.importorskip(module)
    import matplotlib.pyplot as plt
    import rl_zoo3.plots

    train(zoo, "culture", "-conf", settings(PopPacman_v0=CULTURE))
    drawn: list[int] = []
    monkeypatch.setattr(plt, "show", lambda: drawn.append(len(plt.gca().lines)))
    monkeypatch.setattr(sys, "argv", ["plot", "-a", "culture", "-e", "PopPacman-v0", "-f", "logs", "-w", "1"])
    rl_zoo3.plots.plot_train()
    plt.close("all")
    assert drawn == [1]


@pytest.mark.parametrize("script", ["enjoy", "train", "record_video"])
def test_help_is_rl_zoos(zoo: Script, capsys: pytest.CaptureFixture[str], script: str) -> None:
    with pytest.raises(SystemExit) as stop:
        zoo(importlib.import_module(f"popagents.zoo.{script}").main, "-h")
    assert stop.value.code == 0
    assert "--algo" in capsys.readouterr().out


def test_an_atari_game_is_watched_to_its_end_unless_a_length_is_asked_for() -> None:
    names = Namespace(algo="elitist_es", env="ALE/SpaceInvaders-v5")
    assert habits(names, []) == ["--deterministic", "-n", "20000"]
    assert habits(names, ["-n", "5", "--stochastic"]) == []
    assert habits(Namespace(algo="ppo", env="CartPole-v1"), []) == []


def test_a_champion_is_filmed(zoo: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("moviepy")
    monkeypatch.setattr(sys, "argv", ["script", "--algo", "culture", "--env", "PopPacman-v0", "-n", "3"])
    for name in ("create_test_env", "get_saved_hyperparams"):  # which the script replaces
        monkeypatch.setattr(rl_zoo3.utils, name, getattr(rl_zoo3.utils, name))
    popagents.zoo.record_video.main()
    assert len(list(Path("videos").glob("*.mp4"))) == 1


def stand_in(env_id: str, env_kwargs: dict[str, Any]) -> Any:
    """Make what an entry of a settings file is for; another task where it takes Box2D or any."""
    if env_id in ("default", "LunarLander-v3", "BipedalWalker-v3"):
        return "CartPole-v1"
    if env_id == "atari" or env_id.startswith("ALE/"):
        return native_vec_env("ALE/Pong-v5", 1, **env_kwargs)
    return env_id


def test_our_learner_is_tuned_by_optimize(zoo: Script) -> None:
    arguments = ["-optimize", "--n-trials", "2", "--n-evaluations", "1", "--no-optim-plots", "--eval-episodes", "1"]
    entry = CULTURE | {"n_timesteps": 200, "env_kwargs": {"max_steps": 5}}
    train(zoo, "culture", "-conf", settings(PopPacman_v0=entry), *arguments)
    (report,) = Path("logs/culture").glob("report_*.csv")
    rows = report.read_text().splitlines()
    assert len(rows) == 3
    assert {"params_learning_rate", "params_n_epochs", "params_teacher_share", "params_population_size"} <= set(
        rows[0].split(",")
    )
    assert all("COMPLETE" in row for row in rows[1:])


def test_gymnasiums_own_environments_go_rl_zoos_way(zoo: Script, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["n_envs:2", "n_steps:16", "batch_size:32", "n_epochs:1"]
    (env,) = train(zoo, "ppo", "-n", "32", "-params", *small, env="CartPole-v1")
    assert layers(env) == [DummyVecEnv]
    assert f"{Path(rl_zoo3.__file__).parent}/hyperparams/ppo.yml" in capsys.readouterr().out


def test_processes_go_rl_zoos_way(zoo: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    class Processes(DummyVecEnv):
        """Stands for SubprocVecEnv, which takes seconds to start."""

    monkeypatch.setattr(rl_zoo3.exp_manager, "SubprocVecEnv", Processes)
    (env,) = train(zoo, "ppo", "--vec-env", "subproc", "-n", "80", "-params", *SMALL["ppo"])
    assert layers(env) == [Processes]


def test_an_env_wrapper_goes_rl_zoos_way(zoo: Script) -> None:
    wrapped = {"n_timesteps": 20, "policy": "MlpPolicy", "env_wrapper": "gymnasium.wrappers.FlattenObservation"}
    (env,) = train(zoo, "ppo", "-conf", settings(PopPacman_v0=wrapped), "-params", "n_steps:20", "batch_size:20")
    assert layers(env) == [DummyVecEnv]
    assert env.env_is_wrapped(gym.wrappers.FlattenObservation) == [True]


def test_native_lanes_are_wrapped_as_the_settings_say(zoo: Script) -> None:
    wrappers = {
        "normalize": True,
        "frame_stack": 2,
        "vec_env_wrapper": [{"stable_baselines3.common.vec_env.VecCheckNan": {"raise_exception": True}}],
    }
    entry = {"n_timesteps": 40, "policy": "MlpPolicy", "n_steps": 20, "batch_size": 20, "n_envs": 2} | wrappers
    (env,) = train(zoo, "ppo", "-conf", settings(PopPacman_v0=entry))
    assert [c.__name__ for c in layers(env)] == [
        "VecFrameStack",
        "VecNormalize",
        "VecCheckNan",
        "VecMonitor",
        "GymVecEnv",
    ]
    assert {VecFrameStack, VecNormalize} <= set(layers(env))
    assert Path("logs/ppo/PopPacman-v0_1/PopPacman-v0/vecnormalize.pkl").is_file()


def evaluate(zoo: Script, *arguments: str, **entry: Any) -> np.ndarray:
    """Train PPO with an evaluation; return the lengths of the evaluation's episodes."""
    entry = {"n_timesteps": 40, "policy": "MlpPolicy", "n_steps": 20, "batch_size": 20} | entry
    conf_file = settings(PopPacman_v0=entry)
    evaluation, env = train(zoo, "ppo", "-conf", conf_file, "--eval-freq", "20", "--eval-episodes", "2", *arguments)
    assert evaluation.observation_space == env.observation_space
    (run,) = Path("logs/ppo").iterdir()
    return np.load(run / "evaluations.npz")["ep_lengths"]


def test_the_evaluation_is_made_with_the_ymls_env_kwargs(zoo: Script) -> None:
    assert (evaluate(zoo, env_kwargs={"observation": "grid", "max_steps": 9}) == 9).all()


def test_the_ymls_eval_env_kwargs_take_their_place(zoo: Script) -> None:
    lengths = evaluate(zoo, env_kwargs={"width": 5}, eval_env_kwargs={"width": 5, "max_steps": 8})
    assert (lengths == 8).all()


def test_the_command_lines_eval_env_kwargs_come_first(zoo: Script) -> None:
    assert (evaluate(zoo, "--eval-env-kwargs", "max_steps:6", eval_env_kwargs={"max_steps": 8}) == 6).all()


def test_a_run_shorter_than_the_evaluations_interval_is_evaluated_at_its_end(zoo: Script) -> None:
    assert len(evaluate(zoo, "--eval-freq", "25000")) == 1
    assert Path("logs/ppo/PopPacman-v0_1/best_model.zip").is_file()


def test_ctrl_c_saves_the_model_and_says_so(
    zoo: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step_wait = GymVecEnv.step_wait

    calls = iter(range(1000))

    def interrupted(self: GymVecEnv) -> Any:
        if next(calls) == 30:
            signal.raise_signal(signal.SIGINT)
        return step_wait(self)

    monkeypatch.setattr(GymVecEnv, "step_wait", interrupted)
    with pytest.raises(SystemExit) as stopped:
        train(zoo, "ppo", "-n", "5000", "-params", *SMALL["ppo"])
    assert stopped.value.code == 130
    lines = capsys.readouterr().out.splitlines()
    assert "Stopped after 120 of 5000 steps; the model is saved as it stands." in lines
    assert lines[-1] == "python -m popagents.train --resume logs/ppo/PopPacman-v0_1 --trust"
    assert Path("logs/ppo/PopPacman-v0_1/PopPacman-v0.zip").is_file()


def test_settings_are_ours_by_id_and_else_rl_zoos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popagents.zoo.train, "SETTINGS", tmp_path)
    for name in ("ppo", "culture", "culture-long"):
        (tmp_path / f"{name}.yml").write_text("PopPacman-v0: {n_timesteps: 5}\n")
    assert settings_file("ppo", "PopPacman-v0", None) == str(tmp_path / "ppo.yml")
    assert settings_file("ppo", "CartPole-v1", None) is None
    assert settings_file("a2c", "PopPacman-v0", None) is None
    assert settings_file("culture", "CartPole-v1", None) == str(tmp_path / "culture.yml")
    for name in ("culture-long", "culture-long.yml"):
        assert settings_file("culture", "PopPacman-v0", name) == str(tmp_path / "culture-long.yml")
    assert settings_file("culture", "PopPacman-v0", "somewhere/else.yml") is None
    monkeypatch.chdir(tmp_path)  # a file of the user's own comes before a shipped one of the same name
    assert settings_file("culture", "PopPacman-v0", "culture-long.yml") is None


def test_the_longer_preset_is_found_by_its_bare_name(zoo: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"n_timesteps": 40, "policy": "MlpPolicy", "n_envs": 2, "n_steps": 20, "batch_size": 40}
    Path("shipped").mkdir()
    Path("shipped/ppo-tiny.yml").write_text(yaml.safe_dump({"PopPacman-v0": entry}))
    monkeypatch.setattr(popagents.zoo.train, "SETTINGS", Path("shipped").absolute())
    (env,) = train(zoo, "ppo", "--conf-file", "ppo-tiny")
    assert env.num_envs == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--algo", "cultur"], "--algo cultur is unknown; did you mean 'culture'?"),
        (["--algo", "xyz"], "--algo xyz is unknown; there are a2c,"),
        (["--env", "PopPackman-v0"], "--env PopPackman-v0 is unknown; did you mean 'PopPacman-v0'?"),
        (["--env", "Pacman"], "--env Pacman is unknown; did you mean 'PopPacman-v0'?"),
        (["--env", "MsPacman-v9"], "--env MsPacman-v9 is unknown; did you mean 'MsPacman-v"),
        (["--env", "popenvz:PopPacman-v0"], "No module named 'popenvz'; --env takes an id or module:id"),
    ],
)
@pytest.mark.parametrize("script", [popagents.zoo.train, popagents.zoo.enjoy])
def test_an_unknown_name_is_answered_by_the_nearest(
    zoo: Script, capsys: pytest.CaptureFixture[str], script: Any, arguments: list[str], reason: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        zoo(lambda: runpy.run_path(script.__file__, run_name="__main__"), *arguments)
    assert stop.value.code == 2
    captured = capsys.readouterr()
    assert reason in captured.err
    assert len(captured.err.splitlines()) == 1


def test_the_rest_of_the_command_line_reaches_rl_zoo_as_it_was() -> None:
    prepare()
    rest = ["-params", "n_envs:2", "n_steps:3", "-n", "-1", "--eval-freq", "-1", "-tb", "here", "-P", "-optimize"]
    names, arguments = checked_arguments(
        [*rest, "--env=popenvs:PopPacman-v0", "-f", "there", "--gym-packages", "popenvs"]
    )
    assert (names.algo, names.env, names.folder) == ("ppo", "PopPacman-v0", "there")
    assert arguments == ["--algo", "ppo", "--env", "PopPacman-v0", "--gym-packages", "popenvs", *rest]


def test_rl_zoos_tables_know_our_learners(zoo: Script) -> None:
    prepare()
    assert rl_zoo3.ALGOS is rl_zoo3.exp_manager.ALGOS is rl_zoo3.train.ALGOS
    for name in LEARNERS:
        assert name in rl_zoo3.ALGOS
        assert name in rl_zoo3.exp_manager.HYPERPARAMS_SAMPLER
        assert rl_zoo3.exp_manager.HYPERPARAMS_CONVERTER[name]({"n_epochs": 3}) == {"n_epochs": 3}
    assert rl_zoo3.train.ExperimentManager is PopulationManager


@pytest.mark.parametrize(
    ("script", "module"),
    [("train", "rl_zoo3.train"), ("train", "yaml"), ("enjoy", "rl_zoo3.enjoy"), ("record_video", "rl_zoo3.utils")],
)
def test_a_missing_rl_zoo_is_named_with_the_remedy(script: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf'RL Zoo .*{module}.*; run `pip install "\.\[zoo\]"` in '):
        runpy.run_path(str(getattr(popagents.zoo, script).__file__))


def test_enjoy_plays_the_run_in_logs_first_and_else_a_champion(
    zoo: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(popagents.zoo.enjoy, "CHAMPIONS", Path("shipped").absolute())
    watch = ["--algo", "ppo", "--env", "popenvs:PopPacman-v0", "--no-render", "-n", "105", "--trust"]
    with pytest.raises(SystemExit) as stop:
        zoo(popagents.zoo.enjoy.main, *watch)
    assert stop.value.code == 2
    assert "no ppo player of PopPacman-v0 in logs/ nor among the shipped champions" in capsys.readouterr().err

    train(zoo, "ppo", "-n", "80", "-params", *SMALL["ppo"])
    for folder in ("logs", "shipped"):
        zoo(popagents.zoo.enjoy.main, *watch)
        out = capsys.readouterr().out
        assert f"{folder}/ppo/PopPacman-v0_1/PopPacman-v0.zip" in out
        assert "Episode Length 100" in out
        if folder == "logs":
            Path("logs").rename("shipped")
    zoo(popagents.zoo.enjoy.main, *watch, "-f", "shipped")
    assert "Loading shipped/ppo" in capsys.readouterr().out


def test_enjoy_opens_a_window(zoo: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    pygame = pytest.importorskip("pygame")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    shown: list[Any] = []
    flip, update = pygame.display.flip, pygame.display.update
    monkeypatch.setattr(pygame.display, "flip", lambda: (shown.append(1), flip()))
    monkeypatch.setattr(pygame.display, "update", lambda *a: (shown.append(1), update(*a)))
    train(zoo, "ppo", "-n", "80", "-params", *SMALL["ppo"])
    zoo(popagents.zoo.enjoy.main, "--algo", "ppo", "--env", "PopPacman-v0", "-n", "2", "--trust")
    assert shown


@pytest.mark.parametrize(
    ("conf_file", "reason"),
    [
        ("culture-lng", "--conf-file culture-lng is unknown; did you mean 'culture-long'?"),
        ("nowhere.yml", "--conf-file nowhere.yml is unknown; "),
        ("no.such.package", "--conf-file no.such.package is unknown; "),
    ],
)
def test_unknown_settings_are_answered_by_the_nearest(
    zoo: Script, capsys: pytest.CaptureFixture[str], conf_file: str, reason: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        zoo(popagents.zoo.train.main, "--algo", "culture", "--env", "PopPacman-v0", "-conf", conf_file)
    assert stopped.value.code == 2
    assert reason in capsys.readouterr().err


# ---------------------------------------------------------------- workers


@pytest.mark.parametrize("env", ["PopPacman-v0", "CartPole-v1"])
def test_workers_share_the_environments_and_evaluations_count_steps(zoo, env, monkeypatch):
    monkeypatch.setattr("popagents.learners.training.RayExecutor", Crew)
    own = CULTURE | {"n_timesteps": 2000, "n_envs": 4}
    given = ["--conf-file", settings(**{env.replace("-v", "_v"): own}), "--eval-freq", "500", "--eval-episodes", "1"]
    *_, training = train(zoo, "culture", *given, "--workers", "2", env=env)
    assert training.num_envs == 2
    assert_trained_in(Path(f"logs/culture/{env}_1"), 2000, every=500)


def assert_trained_in(folder: Path, steps: int, every: int) -> None:
    """Check that a run's csv has all steps and its evaluations came in the first request after so many."""
    ends = load_results(str(folder))["l"].cumsum()
    held = np.load(folder / "evaluations.npz")["timesteps"]
    assert ends.iloc[-1] >= steps
    assert set(held) <= set(ends)
    assert len(set(held // every)) == len(held) >= 2


def test_workers_are_for_learners_of_ours(zoo, capsys):
    with pytest.raises(SystemExit):
        train(zoo, "ppo", "--workers", "2", env="CartPole-v1")
    assert "--workers and --ray-address are for culture" in capsys.readouterr().err
