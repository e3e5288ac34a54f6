"""Copies in mid-episode continue identically."""

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest
from envs.shells import DISABLED, NEXT_STEP, SAME_STEP, STEPS, alone, count_calls, lanes, random_actions, snapshot
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence


def restored(env):
    """Hand the state to an environment that has never been reset."""
    other = alone(env.spec.id) if isinstance(env, gym.Env) else lanes(env.spec.id, autoreset_mode=env.autoreset_mode)
    other.restore_state(env.clone_state())
    return other


def pickled(env):
    return pickle.loads(pickle.dumps(env))


copiers = pytest.mark.parametrize("copied", [copy.deepcopy, pickled, restored])


@copiers
def test_a_copy_in_mid_episode_continues_identically(env_id, copied):
    env = alone(env_id)
    env.reset(seed=6)
    env.step(0)
    twin = copied(env)
    assert twin is not env
    before = snapshot(env)
    log = [[played_on(e, random_actions(env_id, STEPS, seed=2)), snapshot(e)] for e in (twin, env)]
    assert log[0] == log[1]
    assert log[0][1] != before


def played_on(env, actions):
    """Go on from wherever the environment is, through unseeded resets."""
    log = []
    for action in actions:
        observation, *rest = env.step(action)
        log.append((observation.tobytes(), *rest[:3], repr(rest[3])))
        if rest[1] or rest[2]:
            log.append(env.reset()[0].tobytes())
    return log


@copiers
@pytest.mark.parametrize("mode", [NEXT_STEP, SAME_STEP])
def test_a_copy_of_lanes_in_mid_episode_continues_identically(env_id, copied, mode):
    vector = lanes(env_id, autoreset_mode=mode)
    vector.reset(seed=6)
    vector.step(random_actions(env_id, 3))
    vector.reset(options={"reset_mask": np.array([True, False, False])})
    twin = copied(vector)
    logs = []
    for env in (twin, vector):  # one after the other: they must not share anything
        steps = [env.step(action)[:4] for action in random_actions(env_id, STEPS, 3)]
        logs.append([array.tobytes() for step in steps for array in step] + [env.reset()[0].tobytes(), snapshot(env)])
    assert logs[0] == logs[1]


@copiers
def test_a_copy_taken_when_an_episode_is_over_waits_for_its_reset(env_id, copied):
    env, vector = alone(env_id), lanes(env_id, autoreset_mode=DISABLED)
    env.reset(seed=0)
    while not any(env.step(0)[2:4]):
        pass
    with pytest.raises(ResetNeeded):
        copied(env).step(0)
    vector.reset(seed=0)
    while not np.logical_or(*vector.step([0, 0, 0])[2:4]).any():
        pass
    with pytest.raises(ResetNeeded):
        copied(vector).step([0, 0, 0])


@copiers
def test_a_copy_of_lanes_that_are_over_begins_their_next_episodes(env_id, copied):
    vector = lanes(env_id)
    vector.reset(seed=0)
    while not np.logical_or(*vector.step([0, 0, 0])[2:4]).any():
        pass
    twin = copied(vector)
    assert data_equivalence(twin.step([0, 0, 0]), vector.step([0, 0, 0]), exact=True)
    assert snapshot(twin) == snapshot(vector)


def test_a_state_can_be_restored_any_number_of_times(env_id):
    for env, actions in ((alone(env_id), random_actions(env_id, 4)), (lanes(env_id), random_actions(env_id, 4, 3))):
        env.reset(seed=1)
        state = env.clone_state()
        logs = []
        for _ in range(3):
            logs.append([env.step(action)[0].tobytes() for action in actions] + [snapshot(env)])
            env.restore_state(state)
        assert logs[0] == logs[1] == logs[2]


def test_a_state_cloned_before_the_first_reset_restores_to_before_it(env_id):
    for env, action in ((alone(env_id), 0), (lanes(env_id), [0, 0, 0])):
        state = env.clone_state()
        env.reset(seed=1)
        stream = env.clone_state().games["rng"].tolist()
        env.restore_state(state)
        with pytest.raises(ResetNeeded):
            env.step(action)
        env.np_random = np.random.default_rng(0)
        env.reset()
        assert env.clone_state().games["rng"].tolist() != stream
        assert 0 not in env.clone_state().games["rng"]


def test_a_state_cloned_in_mid_episode_revives_an_episode_that_has_ended(env_id):
    env = alone(env_id)
    env.reset(seed=1)
    state = env.clone_state()
    for _ in range(3):
        while not any(env.step(0)[2:4]):
            pass
        env.restore_state(state)
        assert env.step(0)[2:4] == (False, False)


def test_a_copy_of_an_environment_that_shows_a_window_shows_its_own(env_id, monkeypatch):
    pytest.importorskip("pygame")
    env, shown = alone(env_id, render_mode="human"), []
    env.reset(seed=0)
    twins = copy.deepcopy(env), pickled(env)
    env.close()
    assert [snapshot(twin) for twin in twins] == [snapshot(env)] * 2
    monkeypatch.setattr("popenvs.drawing.Window.show", count_calls(shown))
    for number, twin in enumerate(twins, 1):
        twin.render()
        twin.close()
        assert len(shown) == number


def test_a_closed_window_opens_again_when_there_is_something_to_show(env_id, monkeypatch):
    pytest.importorskip("pygame")
    env, shown = alone(env_id, render_mode="human"), []
    env.reset(seed=0)
    env.close()
    monkeypatch.setattr("popenvs.drawing.Window.show", count_calls(shown))
    env.render()
    env.close()
    assert len(shown) == 1


def test_a_window_of_an_environment_without_an_id_bears_its_class(env_id):
    pygame = pytest.importorskip("pygame")
    env = type(alone(env_id))(render_mode="human")
    env.reset(seed=0)
    assert pygame.display.get_caption()[0] == type(env.game).__name__
    env.close()


def test_a_state_of_another_shape_is_refused_and_changes_nothing(env_id):
    env, vector = alone(env_id), lanes(env_id)
    for shell, other in ((env, vector), (vector, env)):
        shell.reset(seed=1)
        other.reset(seed=1)
        before = snapshot(shell)
        with pytest.raises(ValueError, match=r"state's games have shape .*; they must have shape .* and dtype"):
            shell.restore_state(other.clone_state())
        state = shell.clone_state()
        with pytest.raises(ValueError, match="state's over have shape .* and dtype int64"):
            shell.restore_state(state._replace(over=state.over.astype(int)))
        assert snapshot(shell) == before


@pytest.mark.parametrize(
    ("env_id", "settings", "field"),
    [
        ("PopPacman-v0", {"width": 13}, "width"),
        ("PopFruitCatch-v0", {"rows": 14}, "rows"),
        ("PopHarlow-v0", {"observation": "onehot"}, "mode"),
        ("PopPrisonersDilemma-v0", {"game": "uncertain_dilemma"}, "rules"),
        ("PopPrisonersDilemma-v0", {"game": "stag_hunt"}, "rules"),
        ("PopPrisonersDilemma-v0", {"opponent": "grim"}, "rules"),
        ("PopPrisonersDilemma-v0", {"max_steps": 7}, "max_steps"),
        ("PopHarlow-v0", {"reward": 2.0}, "reward"),
        ("PopFruitCatch-v0", {"end_row": -1}, "end_row"),
    ],
)
def test_a_state_of_other_settings_is_refused_with_the_field(env_id, settings, field):
    env, other = alone(env_id), alone(env_id, **settings)
    other.reset(seed=0)
    with pytest.raises(ValueError, match=f"the state's {field} is .* restore a state of an environment with the same"):
        env.restore_state(other.clone_state())


def test_what_a_state_holds_must_lie_on_the_board():
    env = alone("PopPacman-v0")
    env.reset(seed=0)
    state = env.clone_state()
    state.games["token_x"][0, 0] = 12
    with pytest.raises(ValueError, match=r"token_x is \[\[12, .*; here it must lie from 0 to 11"):
        env.restore_state(state)


def edited(state, name, value):
    games = state.games.copy()
    games[name] = value
    return state._replace(games=games)


def test_no_number_that_the_loops_trust_may_lie_outside_its_bounds(env_id):
    for env in (alone(env_id), lanes(env_id)):
        env.reset(seed=1)
        before = snapshot(env)
        for name, (low, high) in env.game.bounds.items():
            for value in {low - 1, min(high + 1, 2**31 - 1)} - {high}:
                with pytest.raises(ValueError, match=f"the state's {name} is .* must lie from {low} to {high}"):
                    env.restore_state(edited(env.clone_state(), name, value))
        assert snapshot(env) == before


def test_no_setting_may_come_with_a_state(env_id):
    env, cut = alone(env_id), lanes(env_id, max_episode_steps=3)
    env.reset(seed=1)
    for name in env.game.settings:
        with pytest.raises(ValueError, match=f"the state's {name} is .*; here it is "):
            env.restore_state(edited(env.clone_state(), name, env.games[name] + 1))
    with pytest.raises(ValueError, match=r"the state's max_steps is .*; here it is \[3, 3, 3\]"):
        cut.restore_state(lanes(env_id).clone_state())


def test_a_fruit_that_a_state_says_has_landed_falls_no_further():
    env = alone("PopFruitCatch-v0", end_row=-1)
    env.reset(seed=1)
    env.restore_state(edited(env.clone_state(), "fruit_row", 14))
    assert env.step(1)[2]
    assert env.games["fruit_row"] == 14


@pytest.mark.parametrize("state", [None, (1, 2, 3), {}])
def test_what_is_no_state_is_refused(env_id, state):
    with pytest.raises(ValueError, match="it must be what clone_state returned"):
        alone(env_id).restore_state(state)
