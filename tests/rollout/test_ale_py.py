"""ale-py's own vector environment, for which lanes of ours stand in, and which may be used all the same."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

pytest.importorskip("ale_py")

import ale_py
from ale_py.vector_env import AtariVectorEnv

from popagents.population.design import Design
from popagents.population.policies import LinearPolicy
from popagents.population.population import Population
from popagents.rollout.make_env import has_native, native_spec
from popagents.rollout.make_slots import slots_of
from popagents.rollout.play import play
from popagents.rollout.vec_env import GymVecEnv
from popagents.rollout.vector_slots import AtariSlots
from tests.rollout.seeded import AnySeeds, three_episodes


def test_lanes_of_ours_stand_in_for_ataris_vector_environment() -> None:
    assert has_native("ALE/Pong-v5")
    assert native_spec("ALE/Pong-v5").vector_entry_point == "popagents.rollout.atari:AtariLanes"
    assert gym.spec("ALE/Pong-v5").vector_entry_point == "ale_py.vector_env:AtariVectorEnv"  # for all others


def test_ataris_vector_environment_keeps_its_mode_when_another_is_made() -> None:
    first = AtariVectorEnv("pong", 2, autoreset_mode=AutoresetMode.SAME_STEP)
    AtariVectorEnv("pong", 1, autoreset_mode=AutoresetMode.NEXT_STEP)  # writes into the metadata that both share
    env = AnySeeds(first)
    assert env.autoreset_mode is AutoresetMode.SAME_STEP
    env.seed([7, 7])
    one, two = env.reset()
    assert (one == two).all()


def test_ataris_lanes_end_one_by_one_though_it_gives_no_masks() -> None:
    gym.register_envs(ale_py)
    settings = {"autoreset_mode": AutoresetMode.SAME_STEP, "max_num_frames_per_episode": 120, "noop_max": 1}
    env = GymVecEnv(gym.make_vec("ALE/Pong-v5", num_envs=2, **settings))
    env.seed(1)
    env.reset()
    for _ in range(5):
        env.step(np.zeros(2, int))
    env.env_method("reset", seed=3, indices=[1])
    ended = []
    for _ in range(40):
        _, _, dones, infos = env.step(np.zeros(2, int))
        assert not any("final_obs" in info for info in infos)
        assert [info.get("terminal_observation", np.empty(0)).shape == (4, 84, 84) for info in infos] == dones.tolist()
        ended += np.flatnonzero(dones).tolist()
    assert sorted(ended) == [0, 1]
    assert ended[0] == 0


def test_ale_pys_vector_environment_plays_seeded_episodes_too() -> None:
    def scores(lanes: int) -> np.ndarray:
        settings = {"reward_clipping": False, "repeat_action_probability": 0.25, "max_num_frames_per_episode": 480}
        env = AtariVectorEnv("space_invaders", lanes, autoreset_mode=AutoresetMode.SAME_STEP, num_threads=1, **settings)
        slots = slots_of(GymVecEnv(env))
        assert isinstance(slots, AtariSlots)
        design = Design(LinearPolicy(env.single_observation_space, env.single_action_space))
        population = Population([design], [design.normal(np.random.default_rng(0), 3, 0.1)])
        episodes = play(population, slots, three_episodes([11, 12, 13]))
        env.close()
        assert (episodes.lengths == 120).all()
        return episodes.returns

    one, two = scores(1), scores(2)
    assert (one == two).all()
    assert one.max() > 1
