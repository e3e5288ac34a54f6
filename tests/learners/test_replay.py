"""`replay`: the weights with which any member began any generation, from the folder that a run left."""

import importlib
import re
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from stable_baselines3.common.policies import BasePolicy

pytest.importorskip("rl_zoo3")

import popagents
from popagents.common.lineage import ROW
from popagents.learners.algorithm import PopulationAlgorithm
from popagents.population.noise import Perturbed
from popagents.population.random_players import RandomPlayers
from popagents.rollout.worker import Worker
from popagents.zoo import rebuilding
from popagents.zoo.checkpoint_callback import Checkpoints
from popagents.zoo.replay import main as command
from popagents.zoo.replay import replay
from popagents.zoo.train import main as train
from registration.learners import LEARNERS

ENTRY = {"n_timesteps": 400, "policy": "LinearPolicy", "population_size": 4, "n_envs": 2}
ENTRY |= {"env_kwargs": {"max_steps": 5}}
CULTURE = ENTRY | {"n_epochs": 1, "champion_episodes": 1}
ES = ENTRY | {"sigma": 0.3, "final_sigma": 0.1, "final_learning_rate": 0.001}
GENETIC = ENTRY | {"champion_episodes": 1, "tournament_size": 3, "n_offspring": 2, "mutation_std": 0.3}
LIVES = {"policy": "ActorCriticPolicy", "n_tasks": 2, "n_updates": 1, "n_timesteps": 800}
CASES = {
    "culture": ("culture", CULTURE),
    "designs": ("culture", CULTURE | {"policy": ["LinearPolicy", "MlpPolicy"]}),
    "es": ("es", ES),
    "zscore": ("es", ES | {"fitness_shaping": "zscore", "mirrored": False, "optimizer": "sgd", "episodes": 3}),
    "rank": ("es", ES | {"rank": 1}),
    "scaled": ("es", ES | {"normalize_observations": True}),
    "elitist_es": ("elitist_es", ENTRY | {"sigma": 0.3, "final_sigma": 0.1}),
    "parents": ("elitist_es", ENTRY | {"sigma": 0.3, "n_parents": 2, "density": 0.3}),
    "scaled elitist": ("elitist_es", ENTRY | {"sigma": 0.3, "normalize_observations": True}),
    "genetic": ("genetic", GENETIC),
    "again": ("genetic", GENETIC | {"reevaluate": True, "episodes": 3}),
    "baldwin": ("genetic", GENETIC | LIVES | {"inheritance": "baldwin"}),
    "lamarck": ("genetic", GENETIC | LIVES | {"inheritance": "lamarck"}),
}
PLAYED = ("culture", "designs", "scaled", "lamarck")  # where a lineage does not tell everything


@pytest.fixture
def lived(tmp_path, monkeypatch):
    """Return what runs the training script, and returns all players' designs and parameters, by generation."""
    monkeypatch.chdir(tmp_path)
    play, learn, on_step = Worker.play, PopulationAlgorithm.learn, Checkpoints.on_step
    learning, found = [], {}

    def recorded(self, request, slots, observers=()):
        if observers and not isinstance(request.players, RandomPlayers):  # nobody looks on when champions are chosen
            found.setdefault(learning[-1].generation, parameters_of(request.players, self.workspace))
        return play(self, request, slots, observers)

    def learned(self, *arguments, **keywords):
        learning.append(self)
        for generation in [g for g in found if g >= self.generation]:
            del found[generation]  # it was not finished before
        return learn(self, *arguments, **keywords)

    def run(algo, entry, *arguments, stop=None):
        steps = iter(range(10**6))

        def stopped(self):
            if next(steps) == stop:
                signal.raise_signal(signal.SIGTERM)
            return on_step(self)

        Path("settings.yml").write_text(yaml.safe_dump({"PopPacman-v0": entry}))
        names = ["--algo", algo, "--env", "PopPacman-v0", "-conf", "settings.yml", "--seed", "3", "--num-threads", "1"]
        with monkeypatch.context() as patched:
            patched.setattr(sys, "argv", ["train", *names, "--eval-freq", "-1", *arguments])
            patched.setattr(Worker, "play", recorded)
            patched.setattr(PopulationAlgorithm, "learn", learned)
            patched.setattr(Checkpoints, "on_step", stopped)
            train()
        return found

    return run


def parameters_of(players, workspace):
    """Return each member's parameters, and the scales by which it sees: arrays by name."""
    if isinstance(players, Perturbed):
        scaler = workspace.designs[0].scaler
        if players.moments is not None:
            scaler.describe(players.moments)
        scales = {} if scaler is None else {name: values.numpy().copy() for name, values in scaler.named_buffers()}
        vectors = workspace.noise.vectors(players, np.arange(len(players.keys)))
        return [{"vector": vector} | scales for vector in vectors]
    given = players.parameters if isinstance(players.parameters, list) else [players.parameters]
    size = sum(len(next(iter(parameters.values()))) for parameters in given)
    where = [(given[m % len(given)], m // len(given)) for m in range(size)]
    return [{name: values[row].copy() for name, values in parameters.items()} for parameters, row in where]


def assert_is(policy, expected):
    """Check that a policy has some parameters, bit for bit, and acts."""
    assert isinstance(policy, BasePolicy)
    own = {name: tensor.numpy() for name, tensor in policy.state_dict().items()}
    if "vector" in expected:
        scales = {f"features_extractor.{name}": values for name, values in expected.items() if name != "vector"}
        assert all(own[name].tobytes() == values.tobytes() for name, values in scales.items())
        numbers = [values.ravel() for name, values in own.items() if not re.search("(mean|deviation)$", name)]
        assert np.concatenate(numbers).tobytes() == expected["vector"].tobytes()
    else:
        assert {name: own[name].tobytes() for name in expected} == {k: v.tobytes() for k, v in expected.items()}
    policy.predict(policy.observation_space.sample())


def run_of(algo):
    return Path(f"logs/{algo}/PopPacman-v0_1")


def told(run):
    return np.fromfile(run / "lineage.bin", ROW)


@pytest.mark.parametrize("case", CASES)
def test_a_member_is_rebuilt_bit_for_bit(case, lived, monkeypatch):
    algo, entry = CASES[case]
    found, made = lived(algo, entry), []
    training_env = rebuilding.training_env
    monkeypatch.setattr(rebuilding, "training_env", lambda run: made.append(run) or training_env(run))
    last = int(told(run_of(algo))["generation"].max())
    assert last >= 5
    weights = set()
    for generation in sorted({int(case == "scaled elitist"), 1, 3, last // 2 + 1, last}):
        for member in (0, 3):
            expected = found[generation][member]
            assert_is(replay(run_of(algo), generation, member), expected)
            weights.add(b"".join(values.tobytes() for values in expected.values()))
    assert len(weights) > 3
    assert bool(made) == (case in PLAYED)


def test_scales_that_random_play_gives_in_the_first_generation_are_not_known_before(lived):
    lived(*CASES["scaled elitist"])
    with pytest.raises(ValueError, match="scales of generation 0 come of random play in it; ask for generation 1"):
        replay(run_of("elitist_es"), 0, 0)


def test_every_learner_has_a_case():
    assert {algo for algo, _ in CASES.values()} == set(LEARNERS)


@pytest.mark.parametrize("algo", ["es", "elitist_es", "genetic"])
def test_at_most_64_bytes_are_kept_of_a_member_and_generation(algo, lived):
    _, entry = CASES[algo]
    lived(algo, entry | {"n_timesteps": 2000})
    run = run_of(algo)
    members_and_generations = len(np.unique(told(run)[["generation", "member"]]))
    assert (run / "lineage.bin").stat().st_size <= 64 * members_and_generations
    assert [path.name for path in (run / "milestones").iterdir()] == ["0"]  # which does not grow with the run


@pytest.mark.parametrize("algo", ["es", "culture"])
def test_a_run_that_was_stopped_and_went_on_with_other_settings_is_replayed_with_those_of_the_time(algo, lived):
    _, entry = CASES[algo]
    run = run_of(algo)
    with pytest.raises(SystemExit):
        lived(algo, entry, stop=73)
    found = lived(algo, entry, "-n", "600", "-params", "learning_rate:0.5", "--resume", str(run), "--override")
    last = int(told(run)["generation"].max())
    for generation in (2, 6, 7, 9, last):
        assert_is(replay(run, generation, 2), found[generation][2])


def test_a_run_that_has_not_ended_is_replayed_up_to_its_last_checkpoint(lived):
    with pytest.raises(SystemExit):
        lived("es", ES, stop=73)
    with pytest.raises(ValueError, match="generation is 9; the run has 0 to 6"):
        replay(run_of("es"), 9, 0)
    replay(run_of("es"), 6, 0)


def play(monkeypatch, run, generation, member):
    arguments = [str(run), "--generation", str(generation), "--member", str(member)]
    monkeypatch.setattr(sys, "argv", ["replay", *arguments])
    command()


def test_the_command_plays_a_member(lived, monkeypatch, capsys):
    lived("es", ES)
    fitness = told(run_of("es"))["fitness"][4 * 5 + 2]
    capsys.readouterr()
    play(monkeypatch, run_of("es"), 5, 2)
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert first == f"Member 2 of generation 5, whose fitness is {fitness:g} in the lineage,"
    assert re.fullmatch(r"plays an episode of 5 steps and returns \d\.", second)


def test_what_cannot_be_replayed_is_one_error_that_says_why(lived, monkeypatch, capsys):
    lived("culture", CULTURE)
    run = run_of("culture")
    for generation, member, reason in [
        (20, 0, "generation is 20; the run has 0 to 19: choose one of these"),
        (-1, 0, "generation is -1; the run has 0 to 19: choose one of these"),
        (3, 4, "member is 4; the run has 0 to 3: choose one of these"),
        (3, -1, "member is -1; the run has 0 to 3: choose one of these"),
    ]:
        with pytest.raises(ValueError, match=reason):
            replay(run, generation, member)
        with pytest.raises(SystemExit):
            play(monkeypatch, run, generation, member)
        assert reason in capsys.readouterr().err
    with pytest.raises(ValueError, match="there is no run nowhere"):
        replay("nowhere", 0, 0)


def test_a_damaged_log_is_one_error_that_names_the_file_and_the_remedy(lived):
    lived("culture", CULTURE)
    run, whole = run_of("culture"), Path("whole")
    shutil.copytree(run, whole)
    rows, remedy = (run / "lineage.bin").read_bytes(), "bring it back from a copy, or train anew"
    for file, content, reason in [
        ("lineage.bin", rows[:-1], f"lineage.bin is torn: 1 bytes are missing; {remedy}"),
        ("lineage.bin", rows[: -ROW.itemsize], f"lineage.bin was altered.*; {remedy}"),
        ("lineage.bin", b"?" + rows[1:], f"lineage.bin was altered.*; {remedy}"),
        ("lineage.bin.sha256", b"", f"lineage.bin was altered.*; {remedy}"),
        ("milestones/2/model.zip", b"", "milestones/2 is damaged, from which generation 3 is replayed; bring it back"),
    ]:
        (run / file).write_bytes(content)
        with pytest.raises(ValueError, match=reason):
            replay(run, 3, 0)
        shutil.copy(whole / file, run / file)
    (run / "lineage.bin.sha256").unlink()
    with pytest.raises(ValueError, match="there is no .*lineage.bin.sha256; "):
        replay(run, 3, 0)


def test_a_generation_that_comes_out_otherwise_is_refused(lived):
    lived("culture", CULTURE)
    settings = run_of("culture") / "PopPacman-v0/config.yml"
    settings.write_text(settings.read_text().replace("max_steps: 5", "max_steps: 60"))
    with pytest.raises(ValueError, match="generation 2 that is played again has the fitness .* and the lineage tells"):
        replay(run_of("culture"), 3, 0)


@pytest.mark.filterwarnings("ignore:episodes in a VecNormalize")
def test_a_run_behind_wrappers_that_episodes_share_is_not_played_again(lived):
    lived("culture", CULTURE | {"normalize": True})
    with pytest.raises(ValueError, match="was trained with normalize, in which an episode depends on those before"):
        replay(run_of("culture"), 3, 0)


def test_the_function_is_found_before_and_after_the_module_of_its_name_was_imported():
    assert popagents.__getattr__("replay") is replay
    importlib.import_module("popagents.replay")
    with pytest.raises(ValueError, match="there is no run nowhere"):
        popagents.replay("nowhere", 0, 0)
