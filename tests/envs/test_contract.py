"""What every environment of the table promises, whichever game it plays."""

import copy
import os
import pickle
import re
import subprocess
import sys
import warnings
from itertools import combinations, pairwise
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import NameNotFound, ResetNeeded
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode

import popenvs
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
    return [fields(game) for game in games], over.tolist(), seeded


def fields(game):
    """Return a record as plain values (its bytes hold padding, which no copy keeps)."""
    return {name: game[name].tolist() for name in game.dtype.names}


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


def played_by_lanes(vector, actions, mode):
    """Yield what each step returned and the boards after it; lane 1 is reset early, so that the lanes end apart."""
    vector.reset(seed=11)
    for time, action in enumerate(actions):
        returned = vector.step(action)
        boards, mask = returned[0], returned[2] | returned[3]
        if time == 2:
            mask = np.arange(vector.num_envs) == 1
        if mask.any() and (mode is DISABLED or time == 2):
            boards, _ = vector.reset(options={"reset_mask": mask.copy()})
        yield returned, boards


def played_alone(env, seed, actions, mode, early):
    """Yield the same of one lane, from a single environment: the step, its last observation and the board after it."""
    env.reset(seed=seed)
    over = False
    for time, action in enumerate(actions):
        waiting = over and mode is NEXT_STEP
        returned = (env.reset()[0], 0.0, False, False) if waiting else env.step(action)[:4]
        over, last, board = returned[2] or returned[3], None, returned[0]
        if over and mode is SAME_STEP:
            last, board = board, env.reset()[0]
            returned = board, *returned[1:]
        elif (over and mode is DISABLED) or (early and time == 2):
            board = env.reset()[0]
        yield returned, last, board


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
    for ours, theirs in zip(*both, strict=True):
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


# ---------------------------------------------------------------- seeds


def test_the_same_seed_gives_the_same_trajectory_and_another_one_another(env_id):
    actions = random_actions(env_id, STEPS)

    def trajectory(seed):
        env = alone(env_id)
        return [[step[0].tobytes(), *step[1:]] for step, _, _ in played_alone(env, seed, actions, NEXT_STEP, False)]

    assert trajectory(3) == trajectory(3)
    assert snapshot_after(env_id, 3) == snapshot_after(env_id, 3)
    assert snapshot_after(env_id, 3) != snapshot_after(env_id, 4)


def snapshot_after(env_id, seed):
    env = alone(env_id)
    env.reset(seed=seed)
    return snapshot(env)


def test_unseeded_first_resets_differ(env_id):
    envs = [alone(env_id) for _ in range(3)] + [lanes(env_id) for _ in range(2)]
    for env in envs:
        env.reset()
    streams = [stream for env in envs for stream in env.clone_state().games["rng"].tolist()]
    assert len(set(streams)) == 3 + 2 * 3


def test_an_unseeded_first_reset_draws_from_gymnasiums_generator(env_id):
    streams = []
    for _ in range(2):
        for env in (alone(env_id), lanes(env_id)):
            env.np_random = np.random.default_rng(5)
            env.reset()
            streams.append(env.clone_state().games["rng"].tolist())
    assert streams[0] == streams[2]
    assert streams[1] == streams[3]


def test_a_seed_also_seeds_gymnasiums_generator(env_id):
    for make in (alone, lanes):
        env, other = make(env_id), make(env_id)
        for e in (env, other):
            e.reset(seed=3)
        assert env.np_random_seed == 3
        assert env.np_random.integers(2**62) == other.np_random.integers(2**62)


def test_an_unseeded_reset_goes_on_with_the_stream(env_id):
    env, vector = alone(env_id), lanes(env_id)
    env.reset(seed=9)
    vector.reset(seed=[9, 9, 9])
    for _ in range(3):
        observation, _ = env.reset()
        assert vector.reset()[0][2].tobytes() == observation.tobytes()
        assert fields(vector.clone_state().games[1]) == fields(env.clone_state().games[0])


def test_a_list_of_seeds_gives_each_lane_its_own_and_none_leaves_its_stream_alone(env_id):
    vector = lanes(env_id)
    first, _ = vector.reset(seed=[4, 2**64 - 1, 4])
    second, _ = vector.reset(seed=(None, 8, None))
    env = alone(env_id)
    assert first[0].tobytes() == first[2].tobytes() == env.reset(seed=4)[0].tobytes()
    assert second[0].tobytes() == second[2].tobytes() == env.reset()[0].tobytes()
    assert fields(vector.clone_state().games[2]) == fields(env.clone_state().games[0])
    assert env.reset(seed=8)[0].tobytes() == second[1].tobytes()
    assert fields(vector.clone_state().games[1]) == fields(env.clone_state().games[0])


def test_a_list_of_nones_seeds_the_lanes_of_a_fresh_environment_apart(env_id):
    vector = lanes(env_id)
    vector.reset(seed=[None, 3, None])
    streams = vector.clone_state().games["rng"].tolist()
    assert len(set(streams)) == 3
    env = alone(env_id)
    env.reset(seed=3)
    assert env.clone_state().games["rng"][0] == streams[1]


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "a"])
def test_a_bad_seed_is_refused_with_its_value_and_changes_nothing(env_id, seed):
    env, vector = alone(env_id), lanes(env_id, 2)
    env.reset(seed=1)
    vector.reset(seed=1)
    before = snapshot(env), snapshot(vector)
    with pytest.raises(ValueError, match=f"seed is {seed!r}; it must be a whole number from 0 to {2**64 - 1}"):
        env.reset(seed=seed)
    with pytest.raises((TypeError, ValueError)):
        vector.reset(seed=seed)
    with pytest.raises(ValueError, match=f"seed is {seed!r}; it must be a whole number from 0 to {2**64 - 1}"):
        vector.reset(seed=[1, seed])
    assert (snapshot(env), snapshot(vector)) == before


def test_a_refused_first_reset_begins_nothing(env_id):
    for env, action in ((alone(env_id), 0), (lanes(env_id, 2, autoreset_mode=SAME_STEP), [0, 0])):
        with pytest.raises(ValueError, match="seed is -1"):
            env.reset(seed=-1)
        with pytest.raises(ResetNeeded):
            env.step(action)


@pytest.mark.parametrize("seed", [2**64 - 1, [1], [1, 2, 3]])
def test_seeds_that_do_not_fit_the_lanes_are_refused_and_change_nothing(env_id, seed):
    vector = lanes(env_id, 2)
    vector.reset(seed=1)
    before = snapshot(vector)
    with pytest.raises(ValueError, match="seed"):
        vector.reset(seed=seed)
    assert snapshot(vector) == before


# ---------------------------------------------------------------- resets of some lanes


@pytest.mark.parametrize("mode", AutoresetMode)
def test_a_masked_reset_leaves_the_other_lanes_untouched(env_id, mode):
    vector = lanes(env_id, autoreset_mode=mode)
    vector.reset(seed=2)
    for action in random_actions(env_id, 3, 3):
        boards = vector.step(action)[0]
    before = vector.clone_state().games
    mask = np.array([False, True, False])
    options = {"reset_mask": mask}
    after, _ = vector.reset(seed=[7, 8, 9], options=options)
    games = vector.clone_state().games
    for lane in (0, 2):
        assert fields(games[lane]) == fields(before[lane])
        assert after[lane].tobytes() == boards[lane].tobytes()
    env = alone(env_id)
    assert env.reset(seed=8)[0].tobytes() == after[1].tobytes()
    assert games["rng"][1] == env.clone_state().games["rng"][0]
    assert options == {"reset_mask": mask}
    assert mask.tolist() == [False, True, False]


def test_a_masked_reset_with_an_int_seeds_lane_i_with_s_plus_i(env_id):
    vector, env = lanes(env_id), alone(env_id)
    vector.reset(seed=0)
    boards, _ = vector.reset(seed=40, options={"reset_mask": np.array([False, False, True])})
    assert boards[2].tobytes() == env.reset(seed=42)[0].tobytes()
    assert fields(vector.clone_state().games[2]) == fields(env.clone_state().games[0])


@pytest.mark.parametrize(
    "mask",
    [
        [True, False, True],
        np.array([True, False]),
        np.array([1, 0, 1]),
        np.zeros(3, bool),
        np.ones((3, 1), bool),
        None,
    ],
    ids=repr,
)
def test_a_bad_mask_is_refused_and_changes_nothing(env_id, mask):
    vector = lanes(env_id)
    vector.reset(seed=1)
    before = snapshot(vector)
    with pytest.raises(ValueError, match=r"(?s)reset_mask.* must be a bool array of shape \(3,\)") as error:
        vector.reset(seed=5, options={"reset_mask": mask})
    assert repr(mask) in str(error.value)
    assert snapshot(vector) == before


def test_options_without_a_mask_reset_every_lane(env_id):
    vector, other = lanes(env_id), lanes(env_id)
    other.reset(seed=1)
    vector.reset(seed=1, options={})
    assert snapshot(vector) == snapshot(other)


# ---------------------------------------------------------------- how long an episode lasts


def ends_of(vector, env_id, steps):
    vector.reset(seed=0)
    returned = [vector.step(action) for action in random_actions(env_id, steps, vector.num_envs)]
    return [(step[2].tolist(), step[3].tolist()) for step in returned]


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
        assert data_equivalence(ours[4], told, exact=True)


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


# ---------------------------------------------------------------- whose memory it is


def arrays_of(vector, env_id):
    yield vector.reset(seed=0)[0]
    for action in random_actions(env_id, 40, 3):
        yield from vector.step(action)[:4]


@pytest.mark.parametrize("mode", [NEXT_STEP, SAME_STEP])
def test_returned_arrays_are_never_written_again(env_id, mode):
    held = [
        (array, array.copy()) for array in arrays_of(lanes(env_id, autoreset_mode=mode, max_episode_steps=7), env_id)
    ]
    assert all((array == before).all() for array, before in held)
    assert not any(np.shares_memory(a, b) for (a, _), (b, _) in zip(held, held[4:], strict=False))


def test_copy_false_returns_the_same_arrays_at_every_step(env_id):
    vector = lanes(env_id, copy=False)
    first, *later = arrays_of(vector, env_id)
    assert all(array is first for array in later[::4])
    assert [{id(array) for array in later[i::4]} for i in range(1, 4)] == [{id(later[i])} for i in range(1, 4)]


@pytest.mark.parametrize("mode", [NEXT_STEP, SAME_STEP])
def test_copy_false_returns_the_same_numbers(env_id, mode):
    settings = {"autoreset_mode": mode, "max_episode_steps": 7}
    fresh, reused = (arrays_of(lanes(env_id, copy=copy, **settings), env_id) for copy in (True, False))
    assert all(a.tobytes() == b.tobytes() for a, b in zip(fresh, reused, strict=True))


def test_a_single_environment_returns_a_new_observation_at_every_step(env_id):
    env = alone(env_id)
    observations = [env.reset(seed=0)[0]]
    copies = [observations[0].copy()]
    for action in random_actions(env_id, 4):
        observations.append(env.step(action)[0])
        copies.append(observations[-1].copy())
    assert all((a == b).all() for a, b in zip(observations, copies, strict=True))
    assert not any(np.shares_memory(a, b) for a, b in pairwise(observations))


def test_metadata_belongs_to_one_environment(env_id):
    for env, other in ((alone(env_id), alone(env_id)), (lanes(env_id), lanes(env_id))):
        env.metadata["render_fps"] = -1
        assert other.metadata["render_fps"] > 0
        assert type(env).metadata["render_fps"] > 0


# ---------------------------------------------------------------- copies in mid-episode


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
        log.append((observation.tobytes(), *rest))
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


# ---------------------------------------------------------------- pictures


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


def count_calls(calls):
    from popenvs.drawing import Window

    show = Window.show

    def counted(window, picture, fps):
        calls.append((picture, fps))
        show(window, picture, fps)

    return counted


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
