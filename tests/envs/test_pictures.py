"""Pictures and windows, of every game."""

import gymnasium as gym
import numpy as np
import pytest
from envs.shells import alone, count_calls, lanes, snapshot


def test_ansi_is_text_and_rgb_array_an_image(env_id):
    pytest.importorskip("pygame")
    drawn, written = alone(env_id, render_mode="rgb_array"), alone(env_id, render_mode="ansi")
    for env in (drawn, written):
        env.reset(seed=0)
        env.step(0)
    image, text = drawn.render(), written.render()
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3
    assert image.std() > 0
    assert isinstance(text, str)
    assert len({len(line) for line in text.split("\n")[:-1]}) == 1  # a board of equal rows and a caption


def test_rendering_changes_nothing(env_id):
    pytest.importorskip("pygame")
    for mode in ("ansi", "rgb_array", "human"):
        env = alone(env_id, render_mode=mode)
        env.reset(seed=0)
        before = snapshot(env)
        env.render()
        assert snapshot(env) == before
        env.close()


@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
def test_lanes_render_one_picture_each_equal_to_the_single_environments(env_id, mode):
    pytest.importorskip("pygame")
    vector = lanes(env_id, render_mode=mode)
    vector.reset(seed=5)
    vector.step([0, 0, 0])
    pictures = vector.render()
    assert len(pictures) == 3
    for lane, picture in enumerate(pictures):
        env = alone(env_id, render_mode=mode)
        env.reset(seed=5 + lane)
        env.step(0)
        assert np.array_equal(picture, env.render())


def test_render_without_a_mode_warns_and_returns_nothing(env_id):
    for env in (alone(env_id), lanes(env_id)):
        env.reset(seed=0)
        with pytest.warns(UserWarning, match="render_mode"):
            assert env.render() is None


def test_human_mode_shows_reset_and_steps_in_a_window_named_by_the_id(env_id, monkeypatch):
    pygame = pytest.importorskip("pygame")
    env = alone(env_id, render_mode="human")
    shown = []
    monkeypatch.setattr("popenvs.drawing.Window.show", count_calls(shown))
    env.reset(seed=0)
    assert len(shown) == 1
    env.step(0)
    assert len(shown) == 2
    assert env.render() is None  # RL Zoo asks for what is there already, and must not wait for another frame
    assert [fps for _, fps in shown] == [env.metadata["render_fps"]] * 2
    assert pygame.display.get_caption()[0] == env_id
    env.close()
    env.close()
    assert not pygame.display.get_init()


def test_a_person_can_play_it(env_id):
    pygame = pytest.importorskip("pygame")
    from gymnasium.utils.play import PlayableGame, play

    env = gym.make(env_id, render_mode="rgb_array")
    keys = env.unwrapped.get_keys_to_action()
    assert set(keys.values()) <= set(range(env.action_space.n))
    env.reset(seed=0)
    assert PlayableGame(env).relevant_keys == {key for combination in keys for key in combination}

    played = []
    (key,), pressed = next((k, a) for k, a in keys.items() if a != 0 or len(keys) == 1)

    def press_then_close(before, after, action, reward, terminated, truncated, info):
        played.append(int(action))
        event = pygame.event.Event(pygame.KEYDOWN, key=key) if len(played) == 1 else pygame.event.Event(pygame.QUIT)
        pygame.event.post(event)

    pygame.event.clear()
    play(env, fps=10**6, callback=press_then_close, noop=0)
    assert played == [0, pressed]
