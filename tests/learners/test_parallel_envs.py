"""Every learner in a PettingZoo parallel environment, in whose seats its members meet."""

import numpy as np
import pettingzoo
import pytest
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.callbacks import EvalCallback

from popagents.learners.culture.culture import Culture
from popagents.learners.genetic.genetic import Genetic
from popagents.rollout.parallel_env import ParallelVectorEnv
from popagents.rollout.vec_env import GymVecEnv
from popenvs.dilemmas import Game
from popenvs.social_dilemma_v0 import parallel_env, vector_env
from tests.learners.by_hand import generation_of, in_env
from tests.learners.cases import LEARNERS, StopAt, assert_same, every_learner, new
from tests.rollout.parallels import Camp

OWN = {"genetic": {"tournament_size": 4, "n_offspring": 5}}
LIVES = {"inheritance": "baldwin", "n_tasks": 2, "n_updates": 2, "tournament_size": 3, "n_offspring": 4}


def camp(lanes):
    return ParallelVectorEnv([Camp] * lanes)


def learner(name, env, size=12, **settings):
    return new(name, env, population_size=size, **OWN.get(name, {}) | settings)


@every_learner
def test_runs_are_the_same_at_any_number_of_copies(name):
    runs = [learner(name, env).learn(1000) for env in (camp(1), camp(4), Camp())]
    assert runs[0].generation > 2
    assert [run.n_envs for run in runs] == [3, 12, 12]
    assert_same(runs[0], runs[1])
    assert_same(runs[0], runs[2])


@every_learner
def test_members_meet_others_and_only_what_somebody_does_is_counted(name):
    model = learner(name, camp(2), episodes=2)
    _, (request, *_) = generation_of(model, in_env(model))
    assert request.jobs.seats == 3
    assert all(len(set(group)) == 3 for group in request.jobs.member.reshape(-1, 3).tolist())
    camps = camp(4)
    model = learner(name, camps, episodes=2).learn(200)
    assert model.num_timesteps + model.evaluation_timesteps == sum(env.acted for env in camps.envs)


@every_learner
@pytest.mark.parametrize(("game", "players"), [("stag_hunt", 2), ("public_goods", 3)])
def test_a_dilemma_as_a_pettingzoo_environment_gives_the_same_run_as_native_lanes(name, game, players):
    settings = {"game": game, "continuation": 0.9, "noise": 0.05}
    native = vector_env(4 * players, max_steps=12, autoreset_mode=AutoresetMode.DISABLED, **settings)
    runs = [learner(name, env, 12).learn(600) for env in (native, parallel_env(max_cycles=12, **settings))]
    assert_same(*runs)


@every_learner
def test_a_stopped_and_saved_run_goes_on_with_other_copies(name, tmp_path):
    whole = learner(name, Camp()).learn(700)
    stopped = learner(name, Camp())
    stopped.learn(700, StopAt(400))
    stopped.save(tmp_path / "model")
    loaded = LEARNERS[name].load(tmp_path / "model", env=camp(2))
    assert_same(whole, loaded.learn(700, resume=True), but=["evaluation_timesteps"])  # it was evaluated twice


def test_in_a_lifetime_a_group_keeps_its_problem():
    models = [Genetic("RecurrentPolicy", camp(lanes), population_size=6, seed=1, **LIVES) for lanes in (1, 3)]
    for model in models:
        model.learn(300)
    assert_same(*models)
    asked = models[0].env.unwrapped.vector_env.envs[0].asked
    first, *later = [
        [keywords.get("options", {}).get("problem") for keywords in asked[at : at + 4]] for at in (1, 5, 9)
    ]
    assert first == [None] * 4  # six members, two lives each, three in a camp; Stable-Baselines3 reset it before
    assert later[0] == later[1]  # the second and third episodes
    assert None not in later[0]


def test_evaluations_seat_the_policy_everywhere(tmp_path):
    evaluation = EvalCallback(GymVecEnv(camp(1)), n_eval_episodes=3, eval_freq=50, verbose=0)
    model = Culture("LinearPolicy", Camp(), population_size=6, seed=0).learn(600, evaluation)
    assert 0 <= evaluation.best_mean_reward <= 6
    seen, _ = Camp().reset(seed=1)
    action, _ = model.predict(seen["a"])
    assert action in (0, 1)


def test_players_of_unequal_actions_are_refused():
    game = Game.from_payoffs(np.zeros((2, 2, 3)))
    with pytest.raises(ValueError, match=r"of 'player_0' is Discrete\(2\) and that of 'player_1' is Discrete\(3\)"):
        learner("culture", parallel_env(game=game))


def test_members_that_do_not_fill_the_seats_are_refused():
    with pytest.raises(ValueError, match="population_size is 8, and 3 members play with each other"):
        learner("culture", Camp(), 8)


def rock_paper_scissors():
    pytest.importorskip("pygame")
    return pettingzoo.make("parallel", "classic/rps_v2", max_cycles=5)


def simple_spread():
    return pytest.importorskip("mpe2.simple_spread_v3").parallel_env(max_cycles=5)


@pytest.mark.parametrize(("make", "size"), [(rock_paper_scissors, 8), (simple_spread, 9)])
def test_environments_of_other_people_are_learned_in_alike_at_any_number_of_copies(make, size):
    env = make()
    runs = [
        new("culture", at, population_size=size).learn(3 * size * 5) for at in (env, ParallelVectorEnv([lambda: env]))
    ]
    assert runs[0].generation == 3
    assert_same(*runs)
    assert np.isfinite(runs[0].fitness).all()
