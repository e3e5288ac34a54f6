"""GymVecEnv is SB3's DummyVecEnv, step for step, over any Gymnasium vector environment that it accepts."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

import popenvs  # noqa: F401
from popagents.rollout.make_env import has_native, native_vec_env
from popagents.rollout.vec_env import GymVecEnv, joint_seed
from registration.learners import LEARNERS, load_learner
from tests.rollout.seeded import AnySeeds

MODES = [AutoresetMode.SAME_STEP, AutoresetMode.DISABLED]
LANES = 3


class Talker(gym.Env):
    """Ends at random; sees a dict and says something of every type, not always the same things."""

    observation_space = spaces.Dict({"x": spaces.Box(-1, 1, (2,)), "n": spaces.Discrete(9)})
    action_space = spaces.Discrete(2)
    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self.mood = "calm"

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        return self.look(), {"level": int(self.np_random.integers(100)), "options": str(options or {})}

    def step(self, action: int) -> Any:
        draw = self.np_random.random()
        info: dict[str, Any] = {"draw": draw, "inner": {"array": np.full(2, draw), "deep": {"word": f"{draw:.2f}"}}}
        if action:
            info |= {"_private": True, "is_success": draw > 0.5}
        return self.look(), draw, draw < 0.1, draw < 0.2, info

    def look(self) -> dict[str, Any]:
        return {"x": self.np_random.uniform(-1, 1, 2).astype(np.float32), "n": self.np_random.integers(9)}

    def twice(self, number: int) -> int:
        return 2 * number

    def render(self) -> Any:
        return np.full((4, 4, 3), 7, np.uint8)


def cart() -> gym.Env:
    return gym.make("CartPole-v1", max_episode_steps=12)


def talker() -> gym.Env:
    return Monitor(Talker(render_mode="rgb_array"))


def pacman() -> gym.Env:
    return gym.make("PopPacman-v0", max_steps=7, n_tokens=40)


def native(mode: AutoresetMode = AutoresetMode.DISABLED) -> GymVecEnv:
    return GymVecEnv(gym.make_vec("PopPacman-v0", num_envs=LANES, autoreset_mode=mode, max_steps=7, n_tokens=40))


def sync(make: Any, mode: AutoresetMode = AutoresetMode.DISABLED) -> GymVecEnv:
    return GymVecEnv(SyncVectorEnv([make] * LANES, autoreset_mode=mode))


def without_clock(infos: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for info in infos:
        info.get("episode", {}).pop("t", None)
    return infos


def assert_same_play(ours: GymVecEnv, theirs: DummyVecEnv, steps: int = 60) -> int:
    """Play both with the same seeds and actions, compare everything; return how many episodes ended."""
    rng = np.random.default_rng(0)
    ended = 0
    for env in (ours, theirs):
        env.seed(5)
    np.testing.assert_equal(ours.reset(), theirs.reset())
    np.testing.assert_equal(ours.reset_infos, theirs.reset_infos)
    for _ in range(steps):
        actions = rng.integers(ours.action_space.n, size=LANES)
        (observations, *mine, infos), (their_observations, *yours, their_infos) = (
            ours.step(actions),
            theirs.step(actions),
        )
        np.testing.assert_equal(observations, their_observations)
        for a, b in zip(mine, yours, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
        np.testing.assert_equal(without_clock(infos), without_clock(their_infos))
        np.testing.assert_equal(ours.reset_infos, theirs.reset_infos)
        ended += int(mine[1].sum())
    return ended


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("make", [cart, talker, pacman])
def test_sync_lanes_play_as_in_dummy_vec_env(make: Any, mode: AutoresetMode) -> None:
    ours, theirs = sync(make, mode), DummyVecEnv([make] * LANES)
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    assert assert_same_play(ours, theirs) >= 10


@pytest.mark.parametrize("mode", MODES)
def test_native_lanes_play_as_in_dummy_vec_env(mode: AutoresetMode) -> None:
    assert assert_same_play(native(mode), DummyVecEnv([pacman] * LANES)) == LANES * (60 // 7)


def test_an_episode_that_is_lost_at_its_last_step_is_not_called_cut_off() -> None:
    env = sync(talker)
    env.seed(0)
    env.reset()
    flags = set()
    for _ in range(200):
        _, rewards, dones, infos = env.step(np.ones(LANES, int))
        flags |= {
            (bool(r < 0.1), info["TimeLimit.truncated"]) for r, d, info in zip(rewards, dones, infos, strict=True) if d
        }
    assert flags == {(True, False), (False, True)}


def test_what_an_info_keeps_is_not_overwritten_later() -> None:
    env = native()
    env.reset()
    for _ in range(7):
        observations, _, _, infos = env.step(np.zeros(LANES, int))
    last = infos[0]["terminal_observation"].copy()
    env.step(np.full(LANES, 2))
    np.testing.assert_array_equal(infos[0]["terminal_observation"], last)
    assert observations.shape == (LANES, 180)


def test_next_step_mode_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"NEXT_STEP.*SAME_STEP or DISABLED.*make it with"):
        GymVecEnv(gym.make_vec("PopPacman-v0", num_envs=2))


def test_overwritten_observations_are_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="make it with copy=True"):
        GymVecEnv(gym.make_vec("PopPacman-v0", num_envs=2, autoreset_mode="Disabled", copy=False))


@pytest.mark.parametrize("make", [native, lambda: sync(pacman)])
def test_seeds_may_be_any_and_are_used_once(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = AnySeeds(make().vector_env), [pacman() for _ in range(LANES)]
    given, reset = [], ours.vector_env.reset
    monkeypatch.setattr(ours.vector_env, "reset", lambda **named: given.append(named["seed"]) or reset(**named))
    ours.seed([3, 3, 8])
    first = ours.reset()
    np.testing.assert_array_equal(first, [env.reset(seed=seed)[0] for env, seed in zip(theirs, [3, 3, 8], strict=True)])
    np.testing.assert_array_equal(first[0], first[1])
    np.testing.assert_array_equal(ours.reset(), [env.reset()[0] for env in theirs])
    assert given == [[3, 3, 8], None]


def test_seeds_that_count_up_are_one_seed() -> None:
    assert joint_seed([None, None]) is None
    assert joint_seed([5, 6, 7]) == 5
    assert joint_seed([3, 3, 8]) == [3, 3, 8]
    assert joint_seed([None, 1]) == [None, 1]


def test_options_reach_every_lane_once() -> None:
    env = sync(talker)
    env.set_options({"level": 4})
    env.reset()
    assert [info["options"] for info in env.reset_infos] == ["{'level': 4}"] * LANES
    env.reset()
    assert [info["options"] for info in env.reset_infos] == ["{}"] * LANES


def test_options_that_differ_between_lanes_are_refused() -> None:
    env = sync(talker)
    env.set_options([{"level": 1}, {}, {}])
    with pytest.raises(ValueError, match="one dict for all lanes"):
        env.reset()


def test_sub_environments_are_reached_one_by_one() -> None:
    env, theirs = sync(talker), DummyVecEnv([talker] * LANES)
    for each in (env, theirs):
        each.set_attr("mood", "wild", indices=1)
        assert each.get_attr("mood", [0, 2]) == ["calm", "calm"]
        assert each.env_method("twice", 4, indices=[0, 1]) == [8, 8]
        assert each.env_is_wrapped(Monitor) == [True] * LANES
        assert each.render_mode == "rgb_array"
        assert each.has_attr("mood")
        assert not each.has_attr("moods")
    assert env.envs[1].get_wrapper_attr("mood") == "wild"
    np.testing.assert_array_equal(env.get_images(), theirs.get_images())


def test_native_lanes_answer_for_their_vector_environment() -> None:
    env = native()
    assert [spec.id for spec in env.get_attr("spec")] == ["PopPacman-v0"] * LANES
    assert env.get_attr("metadata", 0)[0]["render_modes"] == env.metadata["render_modes"]
    assert env.get_attr("observation_space", [1]) == [env.observation_space]
    assert env.env_is_wrapped(Monitor) == [False] * LANES
    assert not env.has_attr("envs")
    env.set_attr("mood", "wild")
    assert env.get_attr("mood") == ["wild"] * LANES
    with pytest.raises(ValueError, match="leave indices out"):
        env.set_attr("mood", "calm", indices=0)
    with pytest.raises(AttributeError, match="no method 'compute_reward'"):
        env.env_method("compute_reward")


def test_native_lanes_are_reset_one_by_one() -> None:
    env, theirs = native(), DummyVecEnv([pacman] * LANES)
    for each in (env, theirs):
        each.seed(1)
        each.reset()
        each.step(np.ones(LANES, int))
    mine, yours = (each.env_method("reset", seed=9, indices=[0, 2]) for each in (env, theirs))
    np.testing.assert_equal(mine, yours)
    actions = np.array([1, 2, 3])
    np.testing.assert_array_equal(env.step(actions)[0], theirs.step(actions)[0])


def test_native_lanes_give_pictures_where_they_were_asked_for() -> None:
    env = native_vec_env("PopPacman-v0", 2, render_mode="rgb_array")
    env.reset()
    first, second = env.get_images()
    assert first.shape == second.shape
    assert first.dtype == np.uint8
    assert env.render().shape[2] == 3
    assert len(env.env_method("render", indices=[1])) == 1
    with pytest.warns(UserWarning, match="pictures need 'rgb_array'"):
        assert native().get_images() == [None] * LANES


def test_native_vector_environments_are_recognised() -> None:
    assert has_native("PopPacman-v0")
    assert has_native("popenvs:PopPacman-v0")
    assert not has_native("CartPole-v1")  # has one, but it cannot leave resetting to us
    assert not has_native("MountainCar-v0")  # has none


def test_native_vec_env_takes_the_settings_of_the_game() -> None:
    env = native_vec_env("popenvs:PopPacman-v0", 4, observation="grid", max_steps=3)
    assert env.num_envs == 4
    assert env.reset().shape == (4, 1, 12, 15)
    assert [bool(env.step(np.zeros(4, int))[2].all()) for _ in range(4)] == [False, False, True, False]
    env.close()
    assert env.vector_env.closed


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_of_the_table_exists(name: str) -> None:
    assert hasattr(load_learner(name), "learn")


def test_an_unknown_learner_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ValueError, match=r"no learner 'cultur'; did you mean 'culture'\? There are: .*culture"):
        load_learner("cultur")
