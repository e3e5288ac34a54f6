"""Lifetimes: which problems a life meets, in which slots it is lived, what it teaches, and what is refused."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from popagents.learners.genetic.genetic import Genetic
from popagents.learners.updates.a2c import Hyperparameters
from popagents.learners.updates.lifetime import live_again
from popagents.population.recurrent import RecurrentPolicy
from popagents.rollout.make_env import native_vec_env
from popagents.rollout.vector_slots import VectorSlots
from tests.learners.cases import new
from tests.learners.games import Ring
from tests.learners.harlow import HARLOW, LIFE, SMALL, TWENTY, genes, harlow, same


def test_a_life_keeps_its_problem_and_meets_its_evaluation_last():
    met = []

    class Watched(gym.Wrapper):
        def reset(self, **given):
            observation, info = super().reset(**given)
            met.append((tuple(info["problem"]), (given.get("options") or {}).get("n_trials", 6)))
            return observation, info

    model = harlow(env=DummyVecEnv([lambda: Watched(gym.make(HARLOW))]))
    model.learn(1)
    met.pop(0)  # SB3 resets once, when a run begins
    lives = 6 * 3
    training, last = met[: 2 * lives], met[2 * lives : 3 * lives]
    problems = [problem for problem, _ in training[:lives]]
    assert len(set(problems)) > 9
    assert training == [(problem, 6) for problem in problems] * 2
    assert last == [(problem, 20) for problem in problems]


def test_problems_that_are_not_pinned_change(monkeypatch):
    problems, begin = [], VectorSlots.begin

    def kept(slots, *given):
        infos = begin(slots, *given)
        problems.append(infos["problem"])
        return infos

    monkeypatch.setattr(VectorSlots, "begin", kept)
    harlow(pin_problems=False, n_tasks=8).learn(1)
    assert len(problems[0]) == 2 * 8  # a slot for each child and problem
    first, second = (np.concatenate(problems[episode : episode + 3]) for episode in (0, 3))  # 48 lives in 16 slots
    assert (first != second).any(axis=1).mean() > 0.7


@pytest.mark.bits
@pytest.mark.parametrize("inheritance", ["darwin", "lamarck"])
def test_slots_and_kinds_of_environment_never_change_a_lifetime(inheritance):
    reference = harlow(inheritance).learn(9 * LIFE)
    makers = [lambda: gym.make(HARLOW)] * 4
    envs = [native_vec_env(HARLOW, 5), native_vec_env(HARLOW, 40), DummyVecEnv(makers)]
    envs.append(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED))
    for env in envs:
        assert same(harlow(inheritance, env).learn(9 * LIFE), reference)


@pytest.mark.bits
@pytest.mark.parametrize("policy", ["RecurrentPolicy", "ActorCriticPolicy"])
def test_a_stopped_saved_and_loaded_lifetime_goes_on_bit_for_bit(policy, tmp_path):
    whole = harlow("lamarck", policy=policy, reevaluate=True).learn(12 * LIFE)
    stopped = harlow("lamarck", policy=policy, reevaluate=True)
    stopped.learn(12 * LIFE, callback=lambda local, _: local["self"].num_timesteps < 7 * LIFE)
    stopped.save(tmp_path / "model")
    loaded = Genetic.load(tmp_path / "model", env=HARLOW)
    assert loaded.generation == stopped.generation > 0
    assert same(loaded.learn(12 * LIFE, resume=True), whole)
    assert (loaded.lineage == whole.lineage).all()


@pytest.mark.parametrize("space", [spaces.Discrete(2), spaces.MultiDiscrete([2, 2]), spaces.Box(-1, 1, (1,))], ids=str)
@pytest.mark.parametrize("policy", ["RecurrentPolicy", "ActorCriticPolicy"])
def test_members_learn_in_an_ordinary_environment(policy, space):
    model = Genetic(policy, Ring(space), inheritance="baldwin", **SMALL).learn(500)
    assert model.num_timesteps == model.lineage["timesteps"][-1]
    assert np.isfinite(model.fitness).all()


def test_a_lifetime_of_learning_raises_the_score_on_an_ordinary_environment():
    settings = SMALL | {"n_tasks": 5, "n_updates": 60, "hyperparameters": {"learning_rate": (1e-2, 0, 0, 1)}}
    fitness = {
        inheritance: Genetic("RecurrentPolicy", DummyVecEnv([Ring] * 20), inheritance=inheritance, **settings).learn(1)
        for inheritance in ("darwin", "baldwin")
    }
    assert fitness["baldwin"].fitness.mean() > fitness["darwin"].fitness.mean() + 1.5


def test_newcomers_score_what_the_source_measured():
    """49.5 in the source; 60 newcomers have a standard error of 2.6."""
    torch.manual_seed(1)
    env = native_vec_env(HARLOW, 250)
    policies = [RecurrentPolicy(env.observation_space, env.action_space) for _ in range(60)]
    hyperparameters = Hyperparameters(learning_rate=7.5e-4, discount=0.91, value_cost=0.4, entropy_cost=1e-3)
    scores = live_again(policies, env, hyperparameters, n_tasks=10, seed=1, evaluation_options=TWENTY)
    assert scores.shape == (60, 10)
    assert 42 < scores.sum(axis=1).mean() < 57


def test_a_recurrent_champion_remembers_in_evaluate_policy():
    model = harlow("darwin").learn(200)
    mean, _ = evaluate_policy(model, native_vec_env(HARLOW, 4), n_eval_episodes=8, warn=False)
    assert -6 <= mean <= 6
    _, memory = model.predict(np.zeros(5, np.float32))
    assert memory[0].shape == (1, 20)


# ---------------------------------------------------------------- bad input


def test_problems_asked_for_where_there_are_none_are_refused():
    with pytest.raises(ValueError, match=r"pin_problems is True, but reset\(\) returned no info\[\"problem\"\]"):
        harlow(env=Ring(), pin_problems=True, evaluation_options=None).learn(1)
    with pytest.raises(ValueError, match="pin_problems is True .*nobody lives a lifetime"):
        Genetic("LinearPolicy", Ring(), pin_problems=True)


@pytest.mark.parametrize("settings", [{"evaluation_options": None}, {"pin_problems": False}], ids=str)
def test_slots_that_take_no_options_are_refused_where_lives_keep_problems_or_end_with_options(settings):
    model = harlow(env=VecNormalize(DummyVecEnv([Ring])), **settings)
    with pytest.raises(ValueError, match="cannot be reset one by one"), pytest.warns(UserWarning, match="seeded"):
        model.learn(1)
    assert model.num_timesteps == 0


@pytest.mark.parametrize("flaw", ["nan", "raises"])
def test_an_environment_that_fails_in_a_lifetime_leaves_the_population_as_it_was(flaw):
    env = Ring()
    model = Genetic("RecurrentPolicy", env, inheritance="lamarck", **SMALL).learn(1)
    before, generation = genes(model), model.generation
    env.flaw = flaw
    with pytest.raises(RuntimeError, match="nan|wheel"):
        model.learn(1, reset_num_timesteps=False)
    after = genes(model)
    assert all(np.array_equal(before[k], after[k]) for k in before)
    assert model.generation == generation


def test_an_error_names_the_member_and_not_its_life():
    env = DummyVecEnv([lambda: Ring(flaw="nan")] * 60)
    model = new("genetic", env, "ActorCriticPolicy", inheritance="baldwin", n_tasks=10)  # 60 lives
    with pytest.raises(RuntimeError, match="member [0-5] got a return of nan"):
        model.learn(100)
