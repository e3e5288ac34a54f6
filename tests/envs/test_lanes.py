"""Lanes of a vector environment are single environments, in every autoreset mode and at every length."""

import ast
import copy
from itertools import combinations

import gymnasium as gym
import numpy as np
import pytest
from envs.shells import (
    DISABLED,
    NEXT_STEP,
    ROOT,
    SAME_STEP,
    STEPS,
    alone,
    ends_of,
    lanes,
    played_alone,
    played_by_lanes,
    random_actions,
    snapshot,
    told_at_resets,
)
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode

# ---------------------------------------------------------------- one lane is one single environment


@pytest.mark.parametrize("mode", AutoresetMode)
def test_lane_i_seeded_s_is_bit_for_bit_the_single_environment_seeded_s_plus_i(env_id, mode):
    actions, ends = random_actions(env_id, STEPS, 3), 0
    vector = lanes(env_id, autoreset_mode=mode)
    single = [played_alone(alone(env_id), 11 + lane, actions[:, lane], mode, lane == 1) for lane in range(3)]
    for (returned, boards), *expected in zip(played_by_lanes(vector, actions, mode), *single, strict=True):
        for lane, (step, last, board) in enumerate(expected):
            assert returned[0][lane].dtype == step[0].dtype
            assert returned[0][lane].tobytes() == step[0].tobytes()
            assert [column[lane] for column in returned[1:4]] == list(step[1:])
            assert boards[lane].tobytes() == board.tobytes()
            if last is not None:
                assert returned[4]["final_obs"][lane].tobytes() == last.tobytes()
            ends += bool(step[2] or step[3])
    assert ends >= 6


@pytest.mark.parametrize("mode", AutoresetMode)
def test_every_call_returns_what_gymnasiums_sync_vector_env_returns(env_id, mode):
    actions, ends = random_actions(env_id, STEPS, 3, seed=1), 0
    native = lanes(env_id, autoreset_mode=mode)
    sync = gym.make_vec(env_id, 3, "sync", vector_kwargs={"autoreset_mode": mode})
    assert native.observation_space == sync.observation_space
    assert native.action_space == sync.action_space
    assert native.single_observation_space == sync.single_observation_space
    assert native.single_action_space == sync.single_action_space
    assert native.metadata["autoreset_mode"] is sync.metadata["autoreset_mode"] is mode
    assert data_equivalence(native.reset(seed=5), sync.reset(seed=5), exact=True)
    both = (played_by_lanes(vector, actions, mode) for vector in (native, sync))
    for ours, (stepped, boards) in zip(*both, strict=True):
        theirs = (*stepped[:4], told_at_resets(stepped[4], ours[0][4])), boards
        assert data_equivalence(ours, theirs, exact=True)
        assert all(isinstance(array, np.ndarray) for array in ours[0][:4])
        ends += np.count_nonzero(ours[0][2] | ours[0][3])
    assert ends >= 6


def test_the_mode_may_be_given_by_its_value_and_is_next_step_when_not_given(env_id):
    assert lanes(env_id).metadata["autoreset_mode"] is NEXT_STEP
    for mode in AutoresetMode:
        vector = lanes(env_id, autoreset_mode=mode.value)
        assert vector.autoreset_mode is vector.metadata["autoreset_mode"] is mode


def test_final_observations_and_masks_are_kept_by_whoever_got_them(env_id):
    vector = lanes(env_id, autoreset_mode=SAME_STEP, copy=False)
    vector.reset(seed=0)
    kept = []
    for action in random_actions(env_id, STEPS, 3):
        infos = vector.step(action)[4]
        assert not vector.clone_state().over.any()
        if infos:
            kept.append((infos, copy.deepcopy(infos)))
    assert len(kept) >= 2
    for infos, before in kept:
        assert data_equivalence(infos, before, exact=True)
        masks = [value for name, value in infos.items() if name.startswith("_")]
        assert not any(np.shares_memory(a, b) for a, b in combinations(masks, 2))


# ---------------------------------------------------------------- how long an episode lasts


def test_make_vec_hands_on_max_episode_steps_which_can_only_shorten(env_id):
    short = ends_of(lanes(env_id, 2, max_episode_steps=3), env_id, 3)
    assert short == [([False] * 2, [False] * 2)] * 2 + [([False] * 2, [True] * 2)]
    unchanged = ends_of(lanes(env_id, 2), env_id, STEPS)
    assert ends_of(lanes(env_id, 2, max_episode_steps=10**9), env_id, STEPS) == unchanged


def test_a_shortened_vector_environment_equals_the_shortened_single_one(env_id):
    actions = random_actions(env_id, 20, 3)
    native = lanes(env_id, max_episode_steps=4)
    sync = gym.make_vec(env_id, 3, "sync", max_episode_steps=4)
    both = (played_by_lanes(vector, actions, NEXT_STEP) for vector in (native, sync))
    for (ours, boards), (theirs, other_boards) in zip(*both, strict=True):
        assert data_equivalence((ours[:4], boards), (theirs[:4], other_boards), exact=True)
        told = {key: value for key, value in theirs[4].items() if "TimeLimit" not in key}  # RL Zoo's patch, if imported
        assert data_equivalence(ours[4], told_at_resets(told, ours[4]), exact=True)


def test_a_lane_that_never_began_is_not_stepped(env_id):
    for mode in (SAME_STEP, DISABLED):
        vector = lanes(env_id, 2, autoreset_mode=mode)
        vector.reset(seed=0, options={"reset_mask": np.array([True, False])})
        with pytest.raises(ResetNeeded, match=r"no episode is running in lanes \[1\]"):
            vector.step(np.zeros(2, int))


def test_strided_actions_and_masks_and_seeds_of_numpy_are_taken(env_id):
    vector, other = lanes(env_id, 2), lanes(env_id, 2)
    vector.reset(seed=np.int64(3), options={"reset_mask": np.ones(4, bool)[::2]})
    other.reset(seed=3)
    assert data_equivalence(vector.step(np.zeros(4, int)[::2]), other.step(np.zeros(2, int)), exact=True)
    assert data_equivalence(alone(env_id).reset(seed=np.int64(3)), alone(env_id).reset(seed=3), exact=True)
    with pytest.raises(ValueError, match="18446744073709551615"):
        vector.step(np.array([0, 2**64 - 1], np.uint64))


def test_an_unknown_autoreset_mode_is_named_with_those_there_are(env_id):
    with pytest.raises(ValueError, match="autoreset_mode is 'Never'; choose one of 'NextStep', 'SameStep', 'Disabled'"):
        lanes(env_id, 2, autoreset_mode="Never")


def test_a_vector_environment_can_be_made_again_from_its_spec(env_id):
    first = lanes(env_id, 4, autoreset_mode=SAME_STEP, max_episode_steps=5)
    again = gym.make_vec(first.spec)
    assert type(again) is type(first)
    assert again.spec == first.spec
    assert again.num_envs == 4
    assert again.metadata == first.metadata
    assert ends_of(again, env_id, 12) == ends_of(first, env_id, 12)
    assert snapshot(again) == snapshot(first)


def test_make_vec_takes_the_native_environment_unless_told_otherwise(env_id):
    assert type(gym.make_vec(env_id, 2)) is type(lanes(env_id, 2))
    assert repr(lanes(env_id, 2)) == f"{type(lanes(env_id, 2)).__name__}({env_id}, num_envs=2)"


# ---------------------------------------------------------------- the loops


def loops_of(name):
    """Return the source of a game's two loops over lanes."""
    tree = ast.parse((ROOT / "popenvs" / f"{name}.py").read_text())
    functions = {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
    return functions["reset_lanes"], functions["step_lanes"]


def test_the_loops_over_lanes_are_the_same_in_every_game_file():
    assert loops_of("pacman") == loops_of("fruit_catch") == loops_of("harlow")
