"""What every environment of the table promises: others' checkers, what is returned, settings, a fresh interpreter."""

import re
import warnings

import gymnasium as gym
import pytest
from envs.shells import STEPS, alone, fresh_python, lanes, random_actions
from gymnasium.error import NameNotFound
from gymnasium.utils.env_checker import check_env

import popenvs
from registration.environments import ENVIRONMENTS

# ---------------------------------------------------------------- others' checkers


def test_gymnasiums_checker_passes_without_a_warning(env_id):
    pytest.importorskip("pygame")
    env = alone(env_id)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env, skip_render_check=False)
    assert env.spec.id == env_id


def test_stable_baselines3s_checker_passes_without_a_warning(env_id):
    from stable_baselines3.common.env_checker import check_env as check_sb3

    env = gym.make(env_id)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_sb3(env, warn=True, skip_render_check=False)
    assert env.spec.id == env_id


def test_gymnasiums_passive_checker_stays_silent_through_episodes(env_id):
    env, ends = gym.make(env_id, disable_env_checker=False), 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env.reset(seed=1)
        for action in random_actions(env_id, STEPS):
            *_, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
                ends += 1
    assert ends >= 2


# ---------------------------------------------------------------- what a single environment returns


def test_rewards_are_python_floats_and_dones_python_bools(env_id):
    env = alone(env_id)
    observation, info = env.reset(seed=0)
    assert type(info) is dict
    assert env.observation_space.contains(observation)
    for action in random_actions(env_id, STEPS):
        observation, reward, terminated, truncated, info = env.step(action)
        assert (type(reward), type(terminated), type(truncated), type(info)) == (float, bool, bool, dict)
        assert env.observation_space.contains(observation)
        if terminated or truncated:
            env.reset()


def test_reference_scores_stand_in_the_metadata_of_both_shells(env_id):
    scores = alone(env_id).metadata["reference_scores"]
    assert scores == lanes(env_id).metadata["reference_scores"]
    assert list(scores.values()) == sorted(scores.values())
    assert "random" in scores


# ---------------------------------------------------------------- settings


def test_bad_settings_of_the_shells_are_refused_with_value_and_range(env_id):
    with pytest.raises(ValueError, match=r"render_mode is 'neon'; choose one of 'ansi', 'rgb_array', 'human'"):
        type(alone(env_id))(render_mode="neon")
    vector_class = type(lanes(env_id))
    for settings, says in [
        ({"render_mode": "human"}, "render_mode is 'human'; choose one of 'ansi', 'rgb_array'"),
        ({"num_envs": 0}, "num_envs is 0; it must be a whole number from 1"),
        ({"num_envs": 2.0}, "num_envs is 2.0; it must be a whole number from 1"),
        ({"max_episode_steps": 0}, "max_episode_steps is 0; it must be a whole number from 1"),
        ({"max_episode_steps": 1.5}, "max_episode_steps is 1.5; it must be a whole number from 1"),
        ({"autoreset_mode": "never"}, "'never'"),
    ]:
        with pytest.raises(ValueError, match=re.escape(says)):
            vector_class(**settings)


def test_an_unknown_setting_is_refused_by_its_name(env_id):
    for make in (alone, lanes):
        with pytest.raises(TypeError, match="colour_of_the_sky"):
            make(env_id, colour_of_the_sky=1)


def test_an_unknown_id_suggests_the_nearest(env_id):
    name, version = env_id.split("-")
    with pytest.raises(NameNotFound, match=f"Did you mean: `{name}`"):
        gym.make(f"{name}x-{version}")


# ---------------------------------------------------------------- in a fresh interpreter


def test_an_id_with_its_module_needs_no_import(env_id):
    code = f"import gymnasium; print(gymnasium.make('popenvs:{env_id}').reset(seed=0)[0].shape)"
    assert fresh_python("-c", code).strip() == str(alone(env_id).observation_space.shape)


def test_importing_popenvs_imports_nothing_heavy():
    heavy = ("numba", "torch", "pygame", "stable_baselines3", "matplotlib")
    code = f"import sys, popenvs; print([name for name in {heavy} if name in sys.modules])"
    assert fresh_python("-c", code).strip() == "[]"


def test_python_m_popenvs_lists_ids_spaces_and_reference_scores():
    listing = fresh_python("-m", "popenvs")
    for env_id in ENVIRONMENTS:
        env = alone(env_id)
        assert env_id in listing.split("\n")
        block = listing.split(f"{env_id}\n")[1]
        assert str(env.observation_space) in block
        assert str(env.action_space) in block
        for name, score in env.metadata["reference_scores"].items():
            assert re.search(rf"{name} +{score:.2f}\n", block)


def test_a_missing_public_name_is_refused_by_its_name():
    with pytest.raises(AttributeError, match="'normalised'"):
        popenvs.normalised  # noqa: B018
    assert all(callable(getattr(popenvs, name)) for name in popenvs.__all__)
