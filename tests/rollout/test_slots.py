"""Each environment gets the slots that suit it."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack, VecNormalize

from popagents.common.randomness import Purpose, keys
from popagents.rollout.jobs import Jobs
from popagents.rollout.make_env import native_vec_env
from popagents.rollout.make_slots import slots_of
from popagents.rollout.play import play
from popagents.rollout.sb3_slots import SharedSlots, SyncSlots
from popagents.rollout.slots import LONGEST
from popagents.rollout.vec_env import GymVecEnv
from popagents.rollout.vector_slots import VectorSlots
from tests.rollout.rings import population_of, ring_slots


def test_a_limit_that_an_environment_names_may_be_higher_than_ours():
    makers = [lambda: gym.make("CartPole-v1", max_episode_steps=2 * LONGEST)]
    assert slots_of(GymVecEnv(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED))).longest == 2 * LONGEST
    assert slots_of(DummyVecEnv(makers)).longest == 2 * LONGEST
    assert slots_of(native_vec_env("popenvs:PopPacman-v0", 2)).longest == LONGEST


def test_each_environment_gets_its_slots_and_shared_ones_say_that_they_are():
    assert isinstance(slots_of(native_vec_env("popenvs:PopPacman-v0", 2)), VectorSlots)
    assert isinstance(ring_slots("monitored", 2), SyncSlots)
    assert isinstance(ring_slots("SyncVectorEnv, wrapped", 2), VectorSlots)
    assert isinstance(slots_of(make_vec_env("CartPole-v1", 2)), SyncSlots)
    for wrap in (VecNormalize, lambda env: VecFrameStack(env, 2)):
        with pytest.warns(UserWarning, match="can be repeated only with 2 slots"):
            assert isinstance(slots_of(wrap(make_vec_env("CartPole-v1", 2))), SharedSlots)


@pytest.mark.filterwarnings("ignore:episodes in a VecNormalize")
def test_behind_vecnormalize_returns_are_the_environments_own_and_repeat():
    def run():
        slots = slots_of(VecNormalize(make_vec_env("CartPole-v1", 3)))
        members = np.arange(4)
        action_keys = keys(0, Purpose.ACTION, 0, members)[:, None]
        jobs = Jobs(members, members, members[:, None], action_keys, np.ones(4, bool))
        return play(population_of(gym.make("CartPole-v1")), slots, jobs)

    first, second = run(), run()
    assert (first.returns == first.lengths).all()  # CartPole pays 1 a step
    assert (first.returns == second.returns).all()
