"""What every environment of the table promises, whichever game it plays."""

import copy
import os
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import NameNotFound, ResetNeeded
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode

import popenvs  # noqa: F401  (fills the registry)
from registration.environments import ENVIRONMENTS

NEXT_STEP, SAME_STEP, DISABLED = AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED
STEPS = 330  # enough for several episodes of any game in the table
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=ENVIRONMENTS)
def env_id(request):
    return request.param


def alone(env_id, **settings):
    return gym.make(env_id, disable_env_checker=True, **settings).unwrapped


def lanes(env_id, num_envs=3, **settings):
    return gym.make_vec(env_id, num_envs, "vector_entry_point", **settings)


def random_actions(env_id, *shape, seed=0):
    return np.random.default_rng(seed).integers(alone(env_id).action_space.n, size=shape)


def snapshot(env):
    """Return the whole state as plain values that can be compared."""
    games, over, seeded = env.clone_state()
    return games.tobytes(), over.tolist(), seeded


def fresh_python(*arguments):
    """Run an interpreter that has imported nothing."""
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, env=os.environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


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


# ---------------------------------------------------------------- one lane is one single environment


def drive(vector, actions, mode):
    """Yield what every call returns; the second lane is reset early, so that the lanes end apart."""
    yield vector.reset(seed=11)
    for time, action in enumerate(actions):
        returned = vector.step(action)
        yield returned
        over = returned[2] | returned[3]
        if mode is DISABLED and over.any():
            yield vector.reset(options={"reset_mask": over})
        elif time == 5:
            yield vector.reset(options={"reset_mask": np.arange(vector.num_envs) == 1})


def drive_alone(env, seed, actions, mode, reset_early):
    """Yield (observation, reward, terminated, truncated, last observation of an episode) as a lane shows them."""
    observation, _ = env.reset(seed=seed)
    yield (observation,)
    over = False
    for time, action in enumerate(actions):
        last = None
        if over and mode is NEXT_STEP:
            observation, reward, terminated, truncated = env.reset()[0], 0.0, False, False
        else:
            observation, reward, terminated, truncated, _ = env.step(action)
        over = terminated or truncated
        if over and mode is SAME_STEP:
            last, observation = observation, env.reset()[0]
        yield observation, reward, terminated, truncated, last
        if over and mode is DISABLED:
            yield (env.reset()[0],)
        elif time == 5 and reset_early:
            yield (env.reset()[0],)
            over = False


@pytest.mark.parametrize("mode", AutoresetMode)
def test_lane_i_seeded_s_equals_the_single_environment_seeded_s_plus_i(env_id, mode):
    actions, ends = random_actions(env_id, STEPS, 3), 0
    expected = [drive_alone(alone(env_id), 11 + i, actions[:, i], mode, reset_early=i == 1) for i in range(3)]
    waiting = [False] * 3  # lanes to which the last call was a reset
    for returned in drive(lanes(env_id, autoreset_mode=mode), actions, mode):
        is_step = len(returned) == 5
        observations, infos = returned[0], returned[-1]
        for lane in range(3):
            if not is_step and ends + 1 and lane in untouched(returned, expected, waiting):
                continue
            values = next(expected[lane])
            assert observations[lane].tobytes() == values[0].tobytes()
            assert observations[lane].dtype == values[0].dtype
            if is_step:
                assert [row[lane] for row in returned[1:4]] == list(values[1:4])
                ends += bool(returned[2][lane] or returned[3][lane])
                if values[4] is not None:
                    assert infos["final_obs"][lane].tobytes() == values[4].tobytes()
    assert ends >= 6
