"""Atari lanes: ale-py's games and pictures, begun by seeds of their own."""

import importlib
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

pytest.importorskip("ale_py")

from ale_py.vector_env import AtariVectorEnv

import popagents.rollout.atari as atari
import popagents.zoo.train
from popagents.learners.culture.culture import Culture
from popagents.plots.animations import episode_frames
from popagents.population.design import Design
from popagents.population.policies import LinearPolicy, SmallCnnPolicy
from popagents.population.population import Population
from popagents.rollout.atari import AtariLanes, Machine
from popagents.rollout.make_env import lanes_stand_in, native_vec_env, second_vec_env, single_env, vec_env_of
from popagents.rollout.make_slots import slots_of
from popagents.rollout.play import play
from popagents.rollout.vec_env import GymVecEnv
from popagents.rollout.vector_slots import VectorSlots
from tests.rollout.seeded import three_episodes

GAME, ID = "space_invaders", "ALE/SpaceInvaders-v5"
FIRE = 1
Trace = list[Any]


def trace(env: AtariLanes, lane: int, seed: int, steps: int) -> Trace:
    """Begin an episode in one lane and play it by a fixed list of actions; return all that was seen there."""
    mask = np.arange(env.num_envs) == lane
    observations, _ = env.reset(seed=[seed] * env.num_envs, options={"reset_mask": mask})
    seen: Trace = [observations[lane].tobytes()]
    for t in range(steps):
        actions = np.full(env.num_envs, t % 2)
        actions[lane] = (t * t) % 6
        observations, rewards, terminated, _, _ = env.step(actions)
        seen.append((observations[lane].tobytes(), rewards[lane], terminated[lane]))
    return seen


@pytest.mark.parametrize("obs_type", ["grayscale", "rgb"])
def test_pictures_and_rewards_are_those_of_ale_pys_vector_environment(
    obs_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atari, "LONGEST_WAIT", 1)
    grey = obs_type == "grayscale"
    ours = AtariLanes(GAME, obs_type=obs_type, repeat_action_probability=0.0, stack_num=4 if grey else 1)
    theirs = AtariVectorEnv(
        GAME,
        1,
        grayscale=grey,
        stack_num=4 if grey else 1,
        noop_max=1,
        reward_clipping=False,
        num_threads=1,
        autoreset_mode=AutoresetMode.SAME_STEP,
    )
    seen, _ = ours.reset(seed=5)
    shown, _ = theirs.reset(seed=np.array([9]))
    scores = []
    for t in range(80):
        shown = shown if grey else shown[:, 0].transpose(0, 3, 1, 2)
        assert seen.shape == shown.shape
        assert np.abs(seen.astype(int) - shown).max() <= 1  # halves may be rounded the other way
        action = np.array([(t * t) % 6])
        seen, reward, *_ = ours.step(action)
        shown, other, *_ = theirs.step(action)
        assert reward == other
        scores.append(reward[0])
    assert max(scores) > 1  # the score itself, not its sign
    theirs.close()


def test_memory_is_that_of_gymnasiums_environment() -> None:
    ours = AtariLanes(GAME, obs_type="ram", repeat_action_probability=0.0)
    theirs = gym.make(ID, obs_type="ram", repeat_action_probability=0.0)
    seen, shown = ours.reset(seed=1)[0], theirs.reset(seed=2)[0]
    for t in range(100):
        assert (seen[0] == shown).all()
        seen, reward, *_ = ours.step(np.array([t % 6]))
        shown, other, *_ = theirs.step(t % 6)
        assert reward[0] == other


@pytest.mark.parametrize("obs_type", ["grayscale", "ram"])
def test_an_episode_is_a_function_of_its_seed_alone(obs_type: str) -> None:
    alone, pair = AtariLanes(GAME, obs_type=obs_type), AtariLanes(GAME, 2, obs_type=obs_type)
    first = trace(alone, 0, 42, 60)
    pair.reset(seed=3)
    assert trace(pair, 1, 42, 60) == first
    assert trace(alone, 0, 43, 60) != first
    assert trace(alone, 0, 42, 60) == first


def test_clipped_rewards_are_the_signs_of_the_unclipped_ones() -> None:
    whole, sign = (AtariLanes(GAME, obs_type="ram", reward_clipping=clipping) for clipping in (False, True))
    rewards = np.array([[step[1] for step in trace(env, 0, 42, 100)[1:]] for env in (whole, sign)])
    assert rewards[0].max() > 1
    assert (rewards[1] == np.sign(rewards[0])).all()


def test_an_episode_may_end_with_the_first_life_and_the_next_is_a_new_game() -> None:
    whole = AtariLanes(GAME, obs_type="ram")
    life = AtariLanes(GAME, obs_type="ram", episodic_life=True)
    first = whole.reset(seed=3)[0].copy()
    life.reset(seed=3)
    score = 0.0
    for _ in range(2000):
        _, rewards, over, _, _ = whole.step(np.array([FIRE]))
        _, same, lost, _, _ = life.step(np.array([FIRE]))
        assert (rewards == same).all()
        assert lost[0] == (whole.machines[0].ale.lives() == 2)
        score += rewards[0]
        if lost[0]:
            break
    assert lost[0]
    assert not over[0]
    assert score > 0
    assert (life.reset(seed=3)[0] == first).all()
    assert life.machines[0].ale.lives() == 3


def test_an_action_is_held_with_the_asked_probability() -> None:
    class Emulator:
        pressed: list[int] = []  # noqa: RUF012

        def restoreState(self, state: Any) -> None:  # noqa: N802
            pass

        def lives(self) -> int:
            return 3

        def act(self, button: int) -> int:
            self.pressed.append(button)
            return 0

    machine = Machine(GAME, full_action_space=False, sticky=0.25, shown=False)
    machine.ale = Emulator()
    machine.begin(np.random.default_rng(0))
    for frame in range(1, 8001):
        machine.press(frame)
    pressed = np.array(machine.ale.pressed)
    held = np.diff(pressed, prepend=0) == 0
    assert abs(held.mean() - 0.25) < 0.015
    assert (pressed[~held] == np.arange(1, 8001)[~held]).all()
    assert abs((held[1:] & held[:-1]).mean() - 0.0625) < 0.01  # each frame throws a coin of its own


def test_games_of_pixels_begin_after_fewer_than_thirty_frames() -> None:
    env = AtariLanes(GAME)
    waits = set()
    for seed in range(25):
        env.reset(seed=seed)
        waits.add(env.machines[0].ale.getFrameNumber())
    assert len(waits) > 8
    assert min(waits) >= 1
    assert max(waits) < 30


def test_a_lane_whose_game_is_over_waits() -> None:
    env = AtariLanes(GAME, 2, obs_type="ram", max_num_frames_per_episode=40)
    env.reset(seed=0)
    mask = np.array([False, True])
    for _ in range(5):
        env.step(np.zeros(2, int))
    env.reset(seed=[0, 7], options={"reset_mask": mask})
    ends = []
    for t in range(12):
        seen, _, terminated, truncated, _ = env.step(np.full(2, FIRE))
        ends += [(t, lane) for lane in np.flatnonzero(truncated)]
        assert not terminated.any()
        if t == 4:
            stood = seen[0].copy()
    assert ends == [(4, 0), (9, 1)]  # ten decisions of four frames each
    assert (seen[0] == stood).all()
    assert env.machines[0].frames == 40


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"game": "space-invaders"}, "game is 'space-invaders'"),
        ({"obs_type": "pixels"}, "obs_type is 'pixels'; choose one of grayscale, rgb, ram"),
        ({"autoreset_mode": AutoresetMode.SAME_STEP}, "know DISABLED only"),
        ({"frameskip": (2, 5)}, r"frameskip is \(2, 5\); it must be a whole number"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AtariLanes(**{"game": GAME} | settings)


def test_seeds_must_be_one_a_lane() -> None:
    with pytest.raises(ValueError, match="2 lanes need one each"):
        AtariLanes(GAME, 2, obs_type="ram").reset(seed=[1, 2, 3])


@pytest.mark.parametrize("module", ["popagents.rollout.atari", "ale_py"])
def test_without_ale_py_the_extra_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ale_py", None)
    monkeypatch.delitem(sys.modules, "popagents.rollout.atari", raising=False)
    with pytest.raises(ImportError, match=r'ale.py.*; run `pip install "\.\[atari\]"` in '):
        importlib.import_module("popagents.rollout.atari") if module == "popagents.rollout.atari" else vec_env_of(ID, 2)


def test_an_id_means_lanes_of_ours_and_few_of_them() -> None:
    assert lanes_stand_in(ID)
    assert not lanes_stand_in("CartPole-v1")
    lanes = native_vec_env(ID, 2, obs_type="ram")
    assert isinstance(lanes.vector_env, AtariLanes)
    second = second_vec_env(lanes)
    assert second is not None
    assert second.num_envs == 2
    assert second.observation_space.shape == (128,)
    assert isinstance(slots_of(lanes), VectorSlots)
    assert vec_env_of(ID, 1).observation_space.shape == (4, 84, 84)


def test_a_culture_lives_on_pixels_and_the_number_of_lanes_changes_nothing() -> None:
    def fitness(lanes: int) -> tuple[np.ndarray, int]:
        env = AtariLanes(GAME, lanes, max_num_frames_per_episode=240)
        model = Culture("SmallCnnPolicy", env, population_size=3, n_epochs=1, champion_episodes=1, seed=1).learn(100)
        return model.fitness, model.num_timesteps

    one, two = fitness(1), fitness(2)
    assert one[1] == two[1] == 180  # three episodes of sixty decisions
    assert (one[0] == two[0]).all()
    assert one[0].any()


def test_lanes_that_wait_for_the_others_are_not_played(monkeypatch: pytest.MonkeyPatch) -> None:
    env = AtariLanes(GAME, 2, obs_type="ram", max_num_frames_per_episode=40)
    frames, press = [], Machine.press
    monkeypatch.setattr(Machine, "press", lambda machine, button: frames.append(machine) or press(machine, button))
    design = Design(LinearPolicy(env.single_observation_space, env.single_action_space))
    play(Population([design], [design.copies(3)]), slots_of(GymVecEnv(env)), three_episodes([0, 1, 2]))
    assert [frames.count(machine) for machine in env.machines] == [4 * 20, 4 * 10]  # frames of 20 and 10 decisions


def test_one_lane_is_a_gymnasium_environment_that_draws_the_screen() -> None:
    env = single_env(ID, render_mode="rgb_array")
    lane = AtariLanes(GAME)
    seen, _ = env.reset(seed=4)
    assert (seen == lane.reset(seed=4)[0][0]).all()
    assert (env.step(FIRE)[0] == lane.step(np.array([FIRE]))[0][0]).all()
    policy = SmallCnnPolicy(env.observation_space, env.action_space)
    frames = episode_frames(env, policy, max_frames=3)
    assert [frame.shape for frame in frames] == [(210, 160, 3)] * 3
    assert frames[0].any()


def test_weights_of_areas_share_out_every_pixel() -> None:
    first, weights = atari.cells(5, 2)
    assert first.tolist() == [0, 1]  # pixels 0, 1 and half of 2; half of 2, 3 and 4
    np.testing.assert_allclose(weights, [[0.4, 0.4, 0.2, 0], [0, 0.2, 0.4, 0.4]])
    out = np.zeros((2, 2), np.uint8)
    screens = np.zeros((2, 5, 5), np.uint8)
    screens[0, 0, 0], screens[1, 0, 0], screens[1, 4, 4] = 50, 100, 200
    atari.shrink(screens, first, weights, first, weights, out)
    assert out.tolist() == [[16, 0], [0, 32]]  # the larger of 50 and 100, times 0.4 each way


@pytest.mark.parametrize("name", ["LunarLander-v3", "BipedalWalker-v3"])
def test_without_box2d_the_extra_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "Box2D", None)
    for module in [m for m in sys.modules if m.startswith("gymnasium.envs.box2d")]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(gym.error.DependencyNotInstalled, match=r'pip install "gymnasium\[box2d\]"'):
        vec_env_of(name, 2)


def test_settings_for_atari_games_ship_with_culture() -> None:
    text = (Path(popagents.zoo.train.__file__).parent / "hyperparams" / "culture.yml").read_text()
    assert "\natari:\n" in text
