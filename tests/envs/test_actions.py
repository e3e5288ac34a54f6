"""Actions that are refused, and steps while no episode is running."""

import re

import numpy as np
import pytest
from envs.shells import DISABLED, alone, lanes, random_actions, snapshot
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode

# ---------------------------------------------------------------- actions


def test_an_illegal_action_is_refused_with_its_value_and_leaves_the_game_unchanged(env_id):
    env = alone(env_id)
    n = int(env.action_space.n)
    env.reset(seed=0)
    env.step(0)
    before = snapshot(env)
    illegal = [-1, n, 10**30, 1.0, 0.5, float("nan"), "a", None, [0], np.float64(1), np.int64(-1), np.uint64(2**63)]
    for action in [*illegal, np.array(1.0), np.array([1]), np.zeros((1, 1), int), np.array("a"), np.array(n)]:
        with pytest.raises(ValueError, match=f"action is .*; it must be a whole number from 0 to {n - 1}") as error:
            env.step(action)
        assert repr(action) in str(error.value)
    assert snapshot(env) == before


def test_illegal_actions_are_refused_with_their_values_and_leave_every_lane_unchanged(env_id):
    vector = lanes(env_id)
    n = int(vector.single_action_space.n)
    vector.reset(seed=0)
    vector.step([0, 0, 0])
    before = snapshot(vector)
    one_wrong = [[0, 0, -1], [n, 0, 0], [0, 2**62, 0], [0.0, 0.0, 0.0], ["a", 0, 0], [None, 0, 0]]
    shapes = [[0, 0], [0, 0, 0, 0], [[0], [0], [0]], [[0, 0, 0]], 0, None, "a"]
    arrays = [np.zeros(3), np.zeros(3, bool), np.full(3, 255, np.uint8), np.array([0, -1, 0], np.int8)]
    for actions in [*one_wrong, *shapes, *arrays]:
        with pytest.raises(ValueError, match=f"they must be 3 whole numbers from 0 to {n - 1}") as error:
            vector.step(actions)
        assert f"actions are {actions!r}; " in str(error.value)
    with pytest.raises(ValueError, match="whole numbers"):
        vector.step(np.array([0, 0, 2**64 - 1], np.uint64))
    assert snapshot(vector) == before


@pytest.mark.parametrize("kind", [int, np.int64, np.int32, np.uint8, np.array], ids=lambda kind: kind.__name__)
def test_whole_numbers_of_any_kind_are_legal_actions(env_id, kind):
    env, other = alone(env_id), alone(env_id)
    for e in (env, other):
        e.reset(seed=3)
    for action in range(env.action_space.n):
        env.step(kind(action))
        other.step(action)
    assert snapshot(env) == snapshot(other)


@pytest.mark.parametrize("kind", [list, tuple, np.uint8, np.int32], ids=lambda kind: kind.__name__)
def test_whole_numbers_of_any_kind_are_legal_actions_of_lanes(env_id, kind):
    vector, other = lanes(env_id), lanes(env_id)
    for env in (vector, other):
        env.reset(seed=3)
    for actions in random_actions(env_id, 5, 3):
        vector.step(kind(actions))
        other.step(actions)
    assert snapshot(vector) == snapshot(other)


# ---------------------------------------------------------------- steps while no episode is running


def test_a_step_before_reset_and_after_the_end_raises_reset_needed(env_id):
    env = alone(env_id)
    with pytest.raises(ResetNeeded, match="reset"):
        env.step(0)
    env.reset(seed=0)
    while not any(env.step(0)[2:4]):
        pass
    before = snapshot(env)
    with pytest.raises(ResetNeeded, match="reset"):
        env.step(0)
    assert snapshot(env) == before
    env.reset()
    env.step(0)
    assert snapshot(env) != before


@pytest.mark.parametrize("mode", AutoresetMode)
def test_lanes_step_only_after_the_first_reset(env_id, mode):
    vector = lanes(env_id, autoreset_mode=mode)
    with pytest.raises(ResetNeeded, match="reset"):
        vector.step([0, 0, 0])
    vector.reset(seed=0)
    assert vector.step([0, 0, 0])[0].shape == vector.observation_space.shape


def test_without_autoreset_a_step_needs_every_lane_that_is_over_to_be_reset(env_id):
    vector = lanes(env_id, autoreset_mode=DISABLED, max_episode_steps=3)
    vector.reset(seed=0)
    vector.step([0, 0, 0])
    vector.reset(options={"reset_mask": np.array([False, True, False])})
    for _ in range(2):
        truncated = vector.step([0, 0, 0])[3]
    assert truncated.tolist() == [True, False, True]
    before = snapshot(vector)
    with pytest.raises(ResetNeeded, match=re.escape("in lanes [0, 2]")):
        vector.step([0, 0, 0])
    vector.reset(options={"reset_mask": np.array([True, False, False])})
    with pytest.raises(ResetNeeded, match=re.escape("in lanes [2]")):
        vector.step([0, 0, 0])
    vector.reset(options={"reset_mask": np.array([False, False, True])})
    assert vector.step([0, 0, 0])[3].tolist() == [False, True, False]
    assert snapshot(vector) != before
