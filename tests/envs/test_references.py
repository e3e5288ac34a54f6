import gymnasium as gym
import numba
import numpy as np
import pytest

import popenvs
from popenvs.engine.references import normalized_score, play_reference, reference_scores
from registration.environments import ENVIRONMENTS

EPISODES = 8 if numba.config.DISABLE_JIT else 300
ROUNDING = 0.005  # of a score in the tables


@pytest.mark.parametrize("env_id", ENVIRONMENTS)
def test_every_reference_policy_reaches_its_score(env_id):
    env = gym.make(env_id, disable_env_checker=True).unwrapped
    for name, score in reference_scores(env_id).items():
        returns = play_reference(env, env.game.references()[name], EPISODES, seed=10**6)
        standard_error = returns.std(ddof=1) / EPISODES**0.5
        assert abs(returns.mean() - score) < 4 * standard_error + ROUNDING, name


@pytest.mark.parametrize("env_id", ENVIRONMENTS)
def test_every_score_has_its_policy_and_every_policy_its_score(env_id):
    policies = gym.make(env_id).unwrapped.game.references()
    assert list(policies) == list(reference_scores(env_id))
    assert "random" in policies


@pytest.mark.parametrize("env_id", ENVIRONMENTS)
def test_the_normalized_score_is_0_for_random_and_1_for_the_best_and_linear(env_id):
    scores = reference_scores(env_id)
    random, best = scores["random"], max(scores.values())
    assert normalized_score(env_id, random) == 0
    assert normalized_score(env_id, best) == 1
    assert normalized_score(env_id, (random + best) / 2) == pytest.approx(0.5)
    assert normalized_score(env_id, 2 * best - random) == pytest.approx(2)
    assert normalized_score(env_id, best) > normalized_score(env_id, random)


def test_an_id_without_scores_is_refused_by_its_name():
    for ask in (reference_scores, lambda env_id: normalized_score(env_id, 1.0)):
        with pytest.raises(ValueError, match="CartPole-v1 carries no reference scores"):
            ask("CartPole-v1")


def test_scores_handed_out_are_a_copy():
    reference_scores("PopPacman-v0")["random"] = 99
    assert reference_scores("PopPacman-v0")["random"] < 2


def test_playing_a_reference_is_reproducible_and_seeds_episode_i_with_seed_plus_i():
    env = gym.make("PopPacman-v0", max_episode_steps=30)
    nearest = env.unwrapped.game.references()["nearest token"]
    returns = play_reference(env, nearest, 4, seed=5)
    assert returns.shape == (4,)
    assert returns.dtype == np.float64
    assert (returns > 0).all()
    assert play_reference(env, nearest, 2, seed=7).tolist() == returns[2:].tolist()
    random = env.unwrapped.game.references()["random"]
    assert play_reference(env, random, 3, seed=5).tolist() == play_reference(env, random, 3, seed=5).tolist()


def test_the_package_hands_out_these_functions():
    assert popenvs.normalized_score is normalized_score
    assert popenvs.reference_scores is reference_scores
    assert popenvs.play_reference is play_reference
