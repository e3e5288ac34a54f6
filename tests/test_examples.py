"""The examples, each on a budget of seconds: they run, write what they say, and their numbers are sane."""

import inspect
import re

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")
pytest.importorskip("rl_zoo3")

from examples import (  # noqa: E402
    fruit_catch_dqn,
    harlow_baldwin,
    harlow_dummy,
    harlow_one_shot,
    own_reward,
    space_invaders,
    stag_hunt_flow,
    theory_meets_samples,
    uncertain_dilemma,
)


class Still:
    """Never moves."""

    def predict(self, boards, deterministic=False):
        return np.ones(len(boards), int), None


def paths_written(output):
    return re.findall(r"\S+\.(?:png|gif|zip)$", output, re.MULTILINE)


def test_dqn_on_fruit_catch_leaves_a_model_a_map_and_films(tmp_path, capsys):
    fruit_catch_dqn.main(["--steps", "300", "--folder", str(tmp_path), "--seed", "3"])
    output = capsys.readouterr().out
    names = ["model.zip", "catch_map.png", "film_strip.png", "episodes.gif"]
    assert paths_written(output) == [str(tmp_path / name) for name in names]
    assert all((tmp_path / name).stat().st_size for name in names)
    assert 0 <= int(re.search(r"catches (\d+) of the 195 starts", output)[1]) <= 195
    with Image.open(tmp_path / "episodes.gif") as film:
        assert film.n_frames == 1 + fruit_catch_dqn.STEPS


@pytest.mark.parametrize("settings", [{}, {"observation": "grid", "dtype": "uint8"}])
def test_who_never_moves_catches_what_falls_onto_the_basket(settings):
    fruits, baskets = np.indices((15, 13))
    caught = fruit_catch_dqn.caught_starts(Still(), **settings)
    assert (caught == (abs(fruits - (1 + baskets)) <= 1)).all()


def test_a_rule_about_hands_earns_nothing_and_one_about_objects_nearly_all(tmp_path, capsys):
    harlow_dummy.main(["--steps", "600", "--folder", str(tmp_path)])
    output = capsys.readouterr().out
    earned = {name: int(total) for name, total in re.findall(r"^(\S.*?) +([+-]\d+) after 600", output, re.MULTILINE)}
    assert list(earned) == ["win-stay by hand", "random", "one-shot"]
    assert abs(earned["win-stay by hand"]) < 120  # five standard deviations of a random walk
    assert 450 < earned["one-shot"] <= 600
    assert paths_written(output) == [str(tmp_path / "cumulative_reward.png")]
    assert (tmp_path / "cumulative_reward.png").stat().st_size


def test_rewards_run_through_as_many_episodes_as_the_trials_take():
    env = harlow_dummy.gym.make(harlow_dummy.ENV)
    got = harlow_dummy.rewards(env, "one-shot", 100, seed=0)
    assert got.shape == (100,)
    assert (np.delete(got, slice(0, None, 6)) == 1).all()  # all but the first trial of each episode


def test_the_one_shot_rule_leaves_a_model_and_a_curve(tmp_path, capsys):
    harlow_one_shot.main(["--steps", "1", "--folder", str(tmp_path)])
    output = capsys.readouterr().out
    assert paths_written(output) == [str(tmp_path / "model.zip"), str(tmp_path / "learning_set.png")]
    assert all((tmp_path / name).stat().st_size for name in ("model.zip", "learning_set.png"))
    for name in ("training pairs", "held-out pairs"):
        shares = re.search(rf"{name} +((?:[\d.]+ *){{6}})$", output, re.MULTILINE)[1].split()
        assert all(20 < float(share) < 80 for share in shares)  # one rollout teaches next to nothing


def test_newcomers_and_the_evolved_agent_live_and_are_drawn(tmp_path, capsys):
    harlow_baldwin.main(["--individuals", "4", "--generations", "1", "--runs", "2", "--folder", str(tmp_path)])
    output = capsys.readouterr().out
    names = ["life", "boxes", "before_after", "learning_set", "inheritance", "drift"]
    assert paths_written(output) == [str(tmp_path / f"{name}.png") for name in names]
    assert all((tmp_path / f"{name}.png").stat().st_size for name in names)
    fitness = dict(re.findall(r"(newcomers|evolved) +mean fitness of 4 lifetimes: ([-\d.]+)", output))
    assert float(fitness["newcomers"]) < 110 < float(fitness["evolved"])
    assert float(re.search(r"trials 2 to 6: ([\d.]+) % right, no learning", output)[1]) > 95


def test_own_rewards_are_maximised(capsys):
    own_reward.main(["--seed", "0"])
    output = capsys.readouterr().out
    assert float(re.search(r"([\d.]+) from the target", output)[1]) < 0.01
    assert own_reward.GOAL <= float(re.search(r"CartPole: ([\d.]+) steps", output)[1]) <= 500


def test_the_stag_hunt_takes_385_steps_and_about_twenty_lines(tmp_path, capsys):
    assert inspect.signature(stag_hunt_flow.main).parameters["path"].default.startswith("runs/")
    stag_hunt_flow.main(str(tmp_path / "new" / "flow.png"))
    output = capsys.readouterr().out
    assert "converged after 385 steps" in output
    assert paths_written(output) == [str(tmp_path / "new" / "flow.png")]
    assert (tmp_path / "new" / "flow.png").stat().st_size > 10_000
    code = inspect.getsource(stag_hunt_flow).split('"""', 2)[2]
    assert len([line for line in code.splitlines() if line.strip()]) <= 20


def test_samples_meet_the_theory(tmp_path, capsys):
    theory_meets_samples.main(["--batches", "32", "--folder", str(tmp_path)])
    output = capsys.readouterr().out
    assert float(re.search(r"slope (-[\d.]+)", output)[1]) == pytest.approx(-0.5, abs=0.1)
    assert paths_written(output) == [str(tmp_path / "theory_meets_samples.png")]


def test_not_seeing_clearly_helps_as_published(tmp_path, capsys):
    uncertain_dilemma.main(["--starts", "60", "--folder", str(tmp_path)])
    output = capsys.readouterr().out
    for noise, published in uncertain_dilemma.PUBLISHED.items():
        row = re.search(rf"^ *{noise:.2f} .*$", output, re.MULTILINE)[0]
        found = [float(number) for number in re.findall(r"([\d.]+) \(", row)]
        assert found == pytest.approx(published, abs=0.005)
        assert ("unstable" in row) == (noise < 0.25)
    assert paths_written(output) == [str(tmp_path / "uncertain_dilemma.png")]


def test_space_invaders_leaves_the_best_centres_their_tests_and_a_film(tmp_path, capsys, monkeypatch):
    shipped = space_invaders.preset

    def small(*names):
        steps, n_envs, env_kwargs, settings = shipped(*names)
        return steps, n_envs, env_kwargs, settings | {"population_size": 4}

    monkeypatch.setattr(space_invaders, "preset", small)
    monkeypatch.setattr(space_invaders, "LANES", 1)  # a test of one game needs no more
    space_invaders.main(["--runs", "2", "--steps", "2000", "--games", "1", "--folder", str(tmp_path)])
    output = capsys.readouterr().out
    names = ["seed_0/best_model.zip", "seed_1/best_model.zip", "tests.png", "game.gif"]
    assert paths_written(output) == [str(tmp_path / name) for name in names]
    assert all((tmp_path / name).stat().st_size for name in names)
    points = [int(score) for score in re.findall(r"^seed \d: (\d+) points", output, re.MULTILINE)]
    tests = [np.load(tmp_path / f"seed_{seed}" / "evaluations.npz")["results"] for seed in range(2)]
    assert points == [results.mean(axis=1).max() for results in tests]
    with Image.open(tmp_path / "game.gif") as film:
        assert film.n_frames > 50
