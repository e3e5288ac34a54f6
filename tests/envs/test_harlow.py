import itertools
import re

import gymnasium as gym
import numba
import numpy as np
import pytest
from envs.shells import told_at_resets
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode
from oracles.harlow import HarlowOracle

from popenvs import drawing
from popenvs.drawing.numbered import CHARS, numbered_tile
from popenvs.engine.references import play_reference
from popenvs.harlow import (
    LEFT,
    NOTHING,
    RIGHT,
    Harlow,
    HarlowEnv,
    HarlowVectorEnv,
)
from popenvs.harlow_problems import held_out
from popenvs.players.learning_set import OneShot, win_stay_lose_shift

SCALE = 20 if numba.config.DISABLE_JIT else 1  # interpreted code plays less
NEXT_STEP, SAME_STEP, DISABLED = AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED


# ---------------------------------------------------------------- the whole game, against the oracle


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"observation": "digits"},
        {"observation": "onehot"},
        {"n_trials": 20, "observation": "onehot", "n_objects": 45},
        {"n_trials": 1, "n_objects": 2},
        {"reward": 0.3, "punishment": -0.7, "n_objects": 3},
        {"reward": 5, "punishment": 2, "observation": "onehot", "split": "train"},
        {"balanced_sides": True},
        {"balanced_sides": True, "n_trials": 7, "observation": "digits"},
        {"balanced_sides": True, "n_trials": 1},
        {"split": "train"},
        {"split": "test", "observation": "onehot"},
        {"split": "test", "n_objects": 6, "balanced_sides": True, "n_trials": 5},
    ],
    ids=str,
)
def test_the_game_equals_the_literal_transcription_step_by_step(settings):
    env = HarlowEnv(**settings)
    for seed in (0, 7, 2**64 - 1):
        oracle, rng = HarlowOracle(seed, **settings), np.random.default_rng(seed)
        (seen, info), expected = env.reset(seed=seed), oracle.reset()
        for action in rng.integers(2, size=1000 // SCALE).tolist():
            assert seen.tolist() == np.float32(expected).tolist()
            assert info["problem"].tolist() == [oracle.rewarded, oracle.punished]
            seen, reward, terminated, truncated, later = env.step(action)
            expected, *outcome = oracle.step(action)
            assert [reward, terminated, truncated] == outcome
            assert list(later) == ["problem"]
            assert (later["problem"] == info["problem"]).all()
            if terminated:
                assert seen.tolist() == np.float32(expected).tolist()
                (seen, info), expected = env.reset(), oracle.reset()


def test_pinned_problems_equal_the_literal_transcription_step_by_step():
    env, oracle, rng = HarlowEnv(balanced_sides=True), HarlowOracle(3, balanced_sides=True), np.random.default_rng(0)
    env.reset(seed=3)
    oracle.reset()
    for _ in range(60 // min(SCALE, 10)):
        problem, n_trials = rng.choice(10, 2, replace=False).tolist(), int(rng.integers(1, 9))
        asked = {name: value for name, value in (("problem", problem), ("n_trials", n_trials)) if rng.integers(2)}
        seen, expected = env.reset(options=asked)[0], oracle.reset(**asked)
        terminated = False
        while not terminated:
            assert seen.tolist() == expected
            action = int(rng.integers(2))
            seen, reward, terminated, *_ = env.step(action)
            expected, *outcome = oracle.step(action)
            assert [reward, terminated] == outcome[:2]


# ---------------------------------------------------------------- what is drawn


def problems_of(lanes=20_000 // SCALE, **settings):
    return HarlowVectorEnv(lanes, **settings).reset(seed=1)[1]["problem"]


def chi_squared(counts):
    expected = counts.sum() / len(counts)
    return ((counts - expected) ** 2 / expected).sum()


def test_two_different_objects_are_drawn_uniformly():
    counts = np.zeros((10, 10))
    np.add.at(counts, tuple(problems_of().T), 1)
    assert counts.diagonal().sum() == 0
    assert chi_squared(counts[~np.eye(10, dtype=bool)]) < 136  # 89 degrees of freedom, one in a thousand


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_split_draws_its_own_pairs_uniformly_either_object_being_the_rewarded_one(split):
    ours = {pair for pair in itertools.permutations(range(10), 2) if (sum(pair) % 5 == 0) == (split == "test")}
    pairs, counts = np.unique(problems_of(split=split), axis=0, return_counts=True)
    assert set(map(tuple, pairs.tolist())) == ours
    assert chi_squared(counts) < {"train": 112, "test": 41}[split]  # 71 and 17 degrees of freedom, one in a thousand


@pytest.mark.parametrize("n_objects", [6, 10, 13, 45])
def test_train_and_test_share_no_pair_and_every_object_occurs_in_both(n_objects):
    pairs = set(itertools.combinations(range(n_objects), 2))
    test = {pair for pair in pairs if held_out(*pair)}
    assert len(test) == len(pairs) // 5
    assert all(held_out(a, b) == held_out(b, a) for a, b in pairs)
    for side in (test, pairs - test):
        assert {number for pair in side for number in pair} == set(range(n_objects))


def sides_of(lanes, n_trials, **settings):
    """Return where the rewarded object lay, (trials, lanes)."""
    vector, rng = HarlowVectorEnv(lanes, n_trials=n_trials, **settings), np.random.default_rng(0)
    vector.reset(seed=5)
    sides = []
    for _ in range(n_trials):
        sides.append(vector.games["good_side"].copy())
        vector.step(rng.integers(2, size=lanes))
    return np.array(sides)


def test_the_order_is_drawn_by_a_coin_in_every_trial():
    lanes = 8000 // SCALE
    histories = sides_of(lanes, 5).T @ (1 << np.arange(5))
    assert chi_squared(np.bincount(histories, minlength=32)) < 61.1  # 31 degrees of freedom, one in a thousand


@pytest.mark.parametrize("n_trials", [2, 6, 20])
def test_balanced_sides_are_rewarded_equally_often(n_trials):
    assert (sides_of(100, n_trials, balanced_sides=True).sum(0) == n_trials // 2).all()


def test_the_odd_trial_of_balanced_sides_falls_to_either_side():
    lanes = 2000 // SCALE
    rights = sides_of(lanes, 7, balanced_sides=True).sum(0)
    assert set(rights.tolist()) == {3, 4}
    assert abs((rights == 4).mean() - 0.5) < 4 * 0.5 / lanes**0.5


def test_balanced_sides_come_in_every_order_alike():
    histories = sides_of(6000 // SCALE, 4, balanced_sides=True).T @ (1 << np.arange(4))
    orders, counts = np.unique(histories, return_counts=True)
    assert len(orders) == 6
    assert chi_squared(counts) < 20.5  # 5 degrees of freedom, one in a thousand


# ---------------------------------------------------------------- each sentence of the docstring, on a hand-laid table


def table(left, right, rewarded, **settings):
    """Return an environment at the first trial of an episode, the objects laid out by hand."""
    env = HarlowEnv(**settings)
    env.reset(seed=3)
    game = env.games[0]
    game.problem[:] = (left, right) if rewarded == left else (right, left)
    game.good_side = LEFT if rewarded == left else RIGHT
    return env


def seen_by(env):
    observation = np.empty(env.observation_space.shape, env.observation_space.dtype)
    env.game.reset_lanes(env.games, np.zeros(1, bool), observation.reshape(1, -1))
    return observation.tolist()


@pytest.mark.parametrize("rewarded", [4, 7])
@pytest.mark.parametrize("action", [LEFT, RIGHT])
def test_taking_the_rewarded_object_is_rewarded_and_the_other_punished(rewarded, action):
    env = table(4, 7, rewarded)
    taken = (4, 7)[action]
    *outcome, info = env.step(action)[1:]
    assert outcome == [1.0 if taken == rewarded else -1.0, False, False]
    assert list(info) == ["problem"]


def test_the_same_object_is_rewarded_in_every_trial_wherever_it_lies():
    env = HarlowEnv(n_trials=40)
    _, info = env.reset(seed=0)
    sides = set()
    for _ in range(40):
        side = [int(number) for number in seen_by(env)[:2]].index(info["problem"][0])
        sides.add(side)
        assert env.step(side)[1] == 1.0
    assert sides == {LEFT, RIGHT}


def test_other_amounts_are_paid_out_exactly():
    env = table(4, 7, 4, reward=0.1, punishment=-0.3)
    assert env.step(LEFT)[1] == 0.1
    assert env.games["score"] == 0.1
    side = int(env.games["good_side"][0])
    assert env.step(1 - side)[1] == -0.3


def test_full_observations_are_both_objects_the_previous_reward_and_the_previous_action_one_hot():
    env = table(4, 7, 7)
    assert seen_by(env) == [4, 7, 0, 0, 0]
    seen, *_ = env.step(LEFT)
    pair = [7, 4] if env.games["good_side"][0] == LEFT else [4, 7]
    assert seen.tolist() == [*pair, -1, 1, 0]
    env.games["good_side"] = LEFT
    seen, *_ = env.step(LEFT)
    assert seen.tolist()[2:] == [1, 1, 0]
    env.games["good_side"] = LEFT
    seen, *_ = env.step(RIGHT)
    assert seen.tolist()[2:] == [-1, 0, 1]


def test_digits_are_both_objects_only():
    env = table(4, 7, 7, observation="digits")
    assert seen_by(env) == [4, 7]
    env.step(LEFT)
    env.games["good_side"] = LEFT
    assert seen_by(env) == [7, 4]


def test_onehot_observations_are_both_objects_one_hot_and_then_the_last_trial():
    env = table(1, 3, 3, observation="onehot", n_objects=4)
    assert seen_by(env) == [*(0, 1, 0, 0), *(0, 0, 0, 1), *(0, 0, 0)]
    env.step(RIGHT)
    env.games["good_side"] = LEFT
    assert seen_by(env) == [*(0, 0, 0, 1), *(0, 1, 0, 0), *(1, 0, 1)]


@pytest.mark.parametrize(
    ("settings", "low", "high"),
    [
        ({}, [0, 0, -1, 0, 0], [9, 9, 1, 1, 1]),
        ({"observation": "digits", "n_objects": 45}, [0, 0], [44, 44]),
        ({"observation": "onehot", "n_objects": 3}, [0] * 6 + [-1, 0, 0], [1] * 9),
        ({"reward": 5, "punishment": 2}, [0] * 5, [9, 9, 5, 1, 1]),
        ({"reward": -0.5, "punishment": -2}, [0, 0, -2, 0, 0], [9, 9, 0, 1, 1]),
    ],
    ids=str,
)
def test_the_space_is_what_observations_can_be(settings, low, high):
    space = HarlowEnv(**settings).observation_space
    assert space == gym.spaces.Box(np.float32(low), np.float32(high), dtype=np.float32)


def test_the_previous_action_is_forgotten_when_an_episode_begins():
    env = HarlowEnv()
    env.reset(seed=0)
    env.step(RIGHT)
    assert env.reset()[0].tolist()[2:] == [0, 0, 0]
    assert [int(env.games[name][0]) for name in ("steps", "score", "last_action")] == [0, 0, NOTHING]


@pytest.mark.parametrize("n_trials", [1, 6, 20])
def test_an_episode_terminates_after_the_last_trial_and_is_never_truncated(n_trials):
    env = HarlowEnv(n_trials=n_trials)
    for seed in (5, None):
        env.reset(seed=seed)
        assert [env.step(LEFT)[2:4] for _ in range(n_trials)] == [(False, False)] * (n_trials - 1) + [(True, False)]


def test_after_the_last_trial_the_pair_lies_as_it_lay():
    env = table(4, 7, 7, n_trials=1)
    before = int(env.games["rng"][0])
    assert env.step(RIGHT)[0].tolist() == [4, 7, 1, 0, 1]
    assert env.games["rng"] == before


def test_the_defaults_are_the_sources():
    env = HarlowEnv()
    settings = {"n_objects": 10, "n_trials": 6, "reward": 1, "punishment": -1, "balanced": 0, "split": 0, "mode": 0}
    assert {name: env.games[name][0] for name in settings} == settings
    assert env.observation_space.dtype == np.float32
    assert env.action_space.n == 2


def test_the_ids_differ_in_their_observation_and_in_their_number_of_trials():
    shapes = {env_id: gym.make(env_id).observation_space.shape for env_id in ("PopHarlow-v0", "PopHarlowOneHot-v0")}
    assert shapes == {"PopHarlow-v0": (5,), "PopHarlowOneHot-v0": (23,)}
    assert gym.make_vec("PopHarlow20-v0", 2).reset(seed=0)[0].shape == (2, 5)
    env = gym.make("PopHarlow20-v0")
    env.reset(seed=0)
    assert [env.step(0)[2] for _ in range(20)] == [False] * 19 + [True]


# ---------------------------------------------------------------- problems in infos and options


def episode_of(env, options=None):
    """Play an episode; return its problem as told and as seen, and how many trials it had."""
    seen, info = env.reset(options=options)
    terminated, n_trials = False, 0
    while not terminated:
        seen, _, terminated, *_ = env.step(LEFT)
        n_trials += 1
    return info["problem"].tolist(), sorted(seen[:2].astype(int).tolist()), n_trials


def test_reset_tells_the_problem_rewarded_object_first():
    env = HarlowEnv()
    for seed in range(20):
        observation, info = env.reset(seed=seed)
        assert list(info) == ["problem"]
        assert info["problem"].dtype == np.int64
        assert info["problem"].shape == (2,)
        side = observation[:2].tolist().index(info["problem"][0])
        assert env.step(side)[1] == 1.0


def test_the_problem_told_belongs_to_whoever_got_it():
    env = HarlowEnv()
    _, first = env.reset(seed=0)
    kept = first["problem"].copy()
    _, second = env.reset()
    assert (first["problem"] == kept).all()
    assert (first["problem"] != second["problem"]).any()


@pytest.mark.parametrize("problem", [(7, 2), [2, 7], np.array([9, 0]), np.array([0, 9], np.uint8)], ids=repr)
def test_a_problem_that_was_asked_for_is_played(problem):
    env = HarlowEnv()
    env.reset(seed=0)
    told, seen, n_trials = episode_of(env, {"problem": problem})
    assert told == list(problem)
    assert seen == sorted(problem)
    assert n_trials == 6


def test_a_state_brings_its_own_number_of_trials_which_last_until_the_next_reset():
    # a reset of the same environment may have asked for them, so they are no setting that a state must share
    asked, other, env = HarlowEnv(), HarlowEnv(n_trials=20), HarlowEnv()
    asked.reset(seed=3, options={"n_trials": 20})
    other.reset(seed=3)
    for state in (asked.clone_state(), other.clone_state()):
        env.restore_state(state)
        assert [env.step(LEFT)[2] for _ in range(20)] == [False] * 19 + [True]
        assert episode_of(env, {})[2] == 6


def test_any_pair_may_be_asked_for_whatever_the_split():
    env = HarlowEnv(split="train")
    assert env.reset(seed=0, options={"problem": (1, 4)})[1]["problem"].tolist() == [1, 4]


def test_a_problem_and_a_number_of_trials_last_for_one_life():
    env = HarlowEnv()
    env.reset(seed=1)
    assert episode_of(env, {"problem": (3, 8), "n_trials": 20}) == ([3, 8], [3, 8], 20)
    assert episode_of(env, {"n_trials": np.int64(2)})[2] == 2
    for options in (None, {}):
        told, _, n_trials = episode_of(env, options)
        assert n_trials == 6
        assert told != [3, 8]


def test_a_pinned_problem_leaves_the_random_stream_to_the_sides():
    one, other = HarlowEnv(), HarlowEnv()
    for env, problem in ((one, (3, 8)), (other, (0, 1))):
        env.reset(seed=4, options={"problem": problem})
        env.step(LEFT)
    assert one.games["rng"] == other.games["rng"]
    assert one.games["good_side"] == other.games["good_side"]


def told_by(infos, lane):
    assert infos["_problem"][lane]
    return infos["problem"][lane].tolist()


@pytest.mark.parametrize("mode", [NEXT_STEP, SAME_STEP])
def test_a_lane_keeps_its_problem_and_trials_through_autoresets_until_a_reset_without_them(mode):
    vector = HarlowVectorEnv(3, autoreset_mode=mode)
    vector.reset(seed=0)
    rows = np.array([[3, 8], [0, 1], [9, 2]])
    _, infos = vector.reset(options={"problem": rows, "n_trials": [2, 3, 4]})
    assert infos["problem"].tolist() == rows.tolist()
    lives = [[], [], []]
    for step in range(40):
        *_, terminated, _, infos = vector.step(np.zeros(3, int))
        for lane in range(3):
            if terminated[lane]:
                lives[lane].append(step)
            if "problem" in infos and infos["_problem"][lane]:
                assert told_by(infos, lane) == rows[lane].tolist()
    waits = int(mode is NEXT_STEP)
    assert [np.unique(np.diff(life)).tolist() for life in lives] == [[2 + waits], [3 + waits], [4 + waits]]
    _, infos = vector.reset(seed=1)
    assert infos["problem"].tolist() != rows.tolist()
    assert vector.games["n_trials"].tolist() == [6, 6, 6]


def test_without_autoreset_a_lane_lives_on_with_the_problem_that_its_masked_reset_names():
    vector = HarlowVectorEnv(3, autoreset_mode=DISABLED)
    vector.reset(seed=0, options={"problem": [[3, 8], [0, 1], [9, 2]], "n_trials": 3})
    for options, told in [
        ({"problem": [[3, 8], [9, 2]]}, [[3, 8], [9, 2]]),
        ({"problem": (5, 6)}, [[5, 6], [5, 6]]),
    ]:
        mask = np.array([True, False, True])
        _, infos = vector.reset(options={"reset_mask": mask, **options})
        assert infos["_problem"].tolist() == mask.tolist()
        assert [told_by(infos, 0), told_by(infos, 2)] == told
        assert vector.games["n_trials"].tolist() == [6, 3, 6]
        assert vector.games["problem"][1].tolist() == [0, 1]
    _, infos = vector.reset(options={"reset_mask": mask})
    assert [told_by(infos, 0), told_by(infos, 2)] != [[5, 6], [5, 6]]
    assert vector.games["pinned"].tolist() == [0, 1, 0]


def test_one_row_serves_all_lanes_that_are_reset():
    vector = HarlowVectorEnv(4)
    _, infos = vector.reset(seed=0, options={"problem": (6, 1), "n_trials": 9})
    assert infos["problem"].tolist() == [[6, 1]] * 4
    assert vector.games["n_trials"].tolist() == [9] * 4


def test_lanes_with_problems_equal_single_environments_with_problems():
    rows, trials = [[3, 8], [0, 1], [9, 2]], [2, 7, 4]
    vector = HarlowVectorEnv(3, observation="onehot", autoreset_mode=DISABLED)
    boards, _ = vector.reset(seed=7, options={"problem": rows, "n_trials": trials})
    steps = [vector.step([0, 1, 0])[:4] for _ in range(2)]
    for lane in range(3):
        env = HarlowEnv(observation="onehot")
        board, _ = env.reset(seed=7 + lane, options={"problem": rows[lane], "n_trials": trials[lane]})
        assert board.tobytes() == boards[lane].tobytes()
        for step in steps:
            observation, *outcome = env.step([0, 1, 0][lane])
            assert observation.tobytes() == step[0][lane].tobytes()
            assert outcome[:3] == [column[lane] for column in step[1:]]


@pytest.mark.parametrize("mode", AutoresetMode)
def test_infos_are_what_gymnasiums_sync_vector_env_gives(mode):
    native = gym.make_vec("PopHarlow-v0", 3, "vector_entry_point", autoreset_mode=mode)
    sync = gym.make_vec("PopHarlow-v0", 3, "sync", vector_kwargs={"autoreset_mode": mode})
    rng, told = np.random.default_rng(0), 0
    for options in (None, {"problem": (2, 5)}, {"problem": (2, 5), "n_trials": 4}):
        ours, theirs = (vector.reset(seed=9, options=dict(options or {})) for vector in (native, sync))
        assert data_equivalence(ours, theirs, exact=True)
    for vector in (native, sync):
        vector.reset(seed=9)
    for time in range(40):
        if mode is DISABLED and time % 3 == 2:
            mask = rng.integers(2, size=3) == np.arange(3) % 2
            mask[time % 9 // 3] = True
            ours, theirs = (vector.reset(options={"reset_mask": mask.copy()}) for vector in (native, sync))
        else:
            action = rng.integers(2, size=3)
            ours, theirs = native.step(action), sync.step(action)
            theirs = *theirs[:4], told_at_resets(theirs[4], ours[4])
        assert data_equivalence(ours, theirs, exact=True)
        told += "problem" in ours[-1]
    assert told >= 5


BAD_PROBLEMS = [
    (0, 10),
    (-1, 3),
    (4, 4),
    (1, 2, 3),
    (1,),
    5,
    (1.0, 2.0),
    np.array([1.0, 2.0]),
    np.array([True, False]),
    ("a", "b"),
    None,
    [[1, 2], [3]],
    [[[1, 2]]],
    (0, 2**70),
    np.array([0, 2**64 - 1], np.uint64),
]


@pytest.mark.parametrize("problem", BAD_PROBLEMS, ids=repr)
def test_a_bad_problem_is_refused_with_its_value_and_leaves_the_game_unchanged(problem):
    env = HarlowEnv()
    env.reset(seed=1, options={"problem": (3, 8), "n_trials": 9})
    env.step(LEFT)
    before = env.games.tobytes()
    with pytest.raises(ValueError, match="it must be two different objects from 0 to 9") as error:
        env.reset(seed=2, options={"problem": problem, "n_trials": 4})
    assert f"options['problem'] is {problem!r};" in str(error.value)
    assert env.games.tobytes() == before
    env.step(RIGHT)


@pytest.mark.parametrize(
    "problem",
    [*BAD_PROBLEMS, [[1, 2], [3, 3]], [[1, 2], [3, 10]], [[1, 2]], [[1, 2]] * 3, [[1, 2, 3], [4, 5, 6]], [[1], [2]]],
    ids=repr,
)
def test_a_bad_problem_of_lanes_is_refused_and_leaves_every_lane_unchanged(problem):
    vector = HarlowVectorEnv(3)
    vector.reset(seed=1, options={"problem": (3, 8), "n_trials": 9})
    vector.step([0, 1, 0])
    before = vector.games.tobytes()
    with pytest.raises(ValueError, match=r"one such row for each lane that is reset \(here 2\)") as error:
        vector.reset(seed=2, options={"problem": problem, "reset_mask": np.array([True, False, True])})
    assert f"options['problem'] is {problem!r};" in str(error.value)
    assert vector.games.tobytes() == before
    vector.step([0, 1, 0])


@pytest.mark.parametrize("n_trials", [0, -1, 2.0, "6", None, True, 2**31, [6, 6], [[6]], [6, 0, 6]], ids=repr)
def test_a_bad_number_of_trials_is_refused_with_its_value_and_changes_nothing(n_trials):
    env, vector = HarlowEnv(), HarlowVectorEnv(3)
    for shell in (env, vector):
        shell.reset(seed=1, options={"n_trials": 9})
        before = shell.games.tobytes()
        with pytest.raises(ValueError, match="it must be a whole number from 1 to 2147483647") as error:
            shell.reset(seed=2, options={"problem": (1, 2), "n_trials": n_trials})
        assert f"options['n_trials'] is {n_trials!r};" in str(error.value)
        assert shell.games.tobytes() == before


@pytest.mark.parametrize("seed", [-1, 2**64, "a", 1.5])
def test_a_bad_seed_leaves_a_pinned_problem_where_it_was(seed):
    env, vector = HarlowEnv(), HarlowVectorEnv(3)
    for shell in (env, vector):
        shell.reset(seed=1, options={"problem": (3, 8), "n_trials": 9})
        before = shell.games.tobytes()
        with pytest.raises((TypeError, ValueError)):
            shell.reset(seed=seed)
        with pytest.raises((TypeError, ValueError)):
            shell.reset(seed=seed, options={"problem": (1, 2)})
        assert shell.games.tobytes() == before


@pytest.mark.parametrize("bad", [{"seed": [1, 2]}, {"seed": [1, 2, -1]}, {"options": {"problem": (3, 3)}}], ids=str)
def test_a_refused_first_reset_begins_nothing(bad):
    vector = HarlowVectorEnv(3)
    with pytest.raises(ValueError, match="seed|problem"):
        vector.reset(**bad)
    with pytest.raises(gym.error.ResetNeeded):
        vector.step([0, 0, 0])


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"n_objects": 1}, "n_objects is 1; it must be a whole number from 2 to 45"),
        ({"n_objects": 46}, "n_objects is 46; it must be a whole number from 2 to 45"),
        ({"n_objects": 10.0}, "n_objects is 10.0; it must be a whole number from 2 to 45"),
        ({"n_trials": 0}, "n_trials is 0; it must be a whole number from 1 to 2147483647"),
        ({"n_trials": 2**31}, "n_trials is 2147483648; it must be a whole number from 1 to 2147483647"),
        ({"observation": "pixels"}, "observation is 'pixels'; choose one of 'full', 'digits', 'onehot'"),
        ({"split": "validation"}, "split is 'validation'; choose one of 'all', 'train', 'test'"),
        ({"split": "train", "n_objects": 5}, "n_objects is 5; a split needs 6 or more"),
        ({"split": "test", "n_objects": 2}, "n_objects is 2; a split needs 6 or more"),
        ({"reward": -1.0}, "reward is -1.0 and punishment -1.0; the reward must be the larger"),
        ({"punishment": 2}, "reward is 1.0 and punishment 2; the reward must be the larger"),
        ({"reward": float("inf")}, "reward is inf; it must be a finite number"),
        ({"punishment": float("nan")}, "punishment is nan; it must be a finite number"),
        ({"reward": "1"}, "reward is '1'; it must be a finite number"),
        ({"punishment": None}, "punishment is None; it must be a finite number"),
        ({"balanced_sides": "yes"}, "balanced_sides is 'yes'; it must be True or False"),
    ],
    ids=str,
)
@pytest.mark.parametrize("env_class", [HarlowEnv, HarlowVectorEnv])
def test_a_bad_setting_is_refused_with_its_value_and_what_it_must_be(env_class, settings, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        env_class(**settings)


# ---------------------------------------------------------------- the picture


def picture(env):
    return drawing.text(env.game.picture(env.games[0])).split("\n")


def test_the_picture_shows_the_pair_and_the_caption_the_trial():
    assert picture(table(4, 7, 7)) == ["4.7", "...", "trial 1 of 6"]


@pytest.mark.parametrize(
    ("action", "mark", "caption"),
    [
        (LEFT, ".-.", "trial 2 of 6   last: left-hand object, -1   score -1"),
        (RIGHT, ".+.", "trial 2 of 6   last: right-hand object, +1   score +1"),
    ],
)
def test_the_picture_shows_whether_the_last_choice_was_rewarded_and_the_caption_what_it_was(action, mark, caption):
    env = table(4, 7, 7)
    env.step(action)
    env.games["good_side"] = LEFT
    assert picture(env) == ["7.4", mark, caption]


def test_the_caption_tells_that_the_last_trial_has_been_played():
    env = table(4, 7, 7, n_trials=1, reward=0.5, punishment=-0.25)
    env.step(LEFT)
    assert picture(env) == ["4.7", ".-.", "over   last: left-hand object, -0.25   score -0.25"]


def test_no_two_objects_look_alike():
    tiles = [numbered_tile(number) for number in range(45)]
    assert len({(tile.shape, tile.colour) for tile in tiles}) == 45
    assert "".join(tile.char for tile in tiles) == CHARS
    assert len(set(CHARS) - set(".+-")) == 45


def test_every_object_can_be_pictured():
    env = table(44, 0, 0, n_objects=45)
    assert picture(env)[0] == "I.0"


def test_arrow_keys_take_the_side_to_which_they_point_and_the_game_waits_for_one():
    assert Harlow.keys == {"left": LEFT, "right": RIGHT}
    assert Harlow.idle is None


# ---------------------------------------------------------------- the reference policies


def test_the_scores_are_exact_for_other_amounts_and_trials_too():
    scores = HarlowEnv(n_trials=9, reward=3, punishment=1, split="test", n_objects=20).metadata["reference_scores"]
    assert scores == {"random": 18, "win-stay by hand": 18, "one-shot": 26}
    assert HarlowEnv(balanced_sides=True).metadata["reference_scores"] == {}
    assert HarlowEnv(observation="digits").metadata["reference_scores"] == {}


@pytest.mark.parametrize(
    "settings",
    [{}, {"observation": "onehot", "reward": 3, "punishment": 1}, {"n_trials": 20, "reward": -1, "punishment": -2}],
    ids=str,
)
def test_every_policy_reaches_its_score(settings):
    env, episodes = HarlowEnv(**settings), 1500 // SCALE
    for name, score in env.metadata["reference_scores"].items():
        returns = play_reference(env, env.game.references()[name], episodes, seed=50)
        assert abs(returns.mean() - score) < 4 * returns.std(ddof=1) / episodes**0.5


def test_the_one_shot_learner_is_right_in_every_trial_but_the_first_and_there_by_a_coin():
    env, rng, lanes = HarlowEnv(), np.random.default_rng(0), 400 // SCALE
    policy, rewards = env.game.references()["one-shot"], []
    for seed in range(lanes):
        observation, _ = env.reset(seed=seed)
        rewards.append([])
        for _ in range(6):
            observation, reward, *_ = env.step(policy(observation, rng))
            rewards[-1].append(reward)
    by_trial = np.mean(rewards, axis=0)
    assert by_trial[1:].tolist() == [1.0] * 5
    assert abs(by_trial[0]) < 4 / lanes**0.5


def test_the_one_shot_learner_that_missed_the_first_trial_tosses_coins():
    rng = np.random.default_rng(0)
    tosses = {OneShot()(np.float32([4, 7, 1, 0, 1]), rng) for _ in range(50)}
    assert tosses == {LEFT, RIGHT}


@pytest.mark.parametrize(
    ("reward", "action", "next_action"), [(1, LEFT, LEFT), (1, RIGHT, RIGHT), (-1, LEFT, RIGHT), (-1, RIGHT, LEFT)]
)
def test_win_stay_lose_shift_keeps_a_rewarded_hand_and_changes_a_punished_one(reward, action, next_action):
    observation = np.float32([4, 7, reward, action == LEFT, action == RIGHT])
    assert win_stay_lose_shift(observation, np.random.default_rng(0)) == next_action


def test_policies_tell_reward_from_punishment_by_what_the_settings_pay():
    policies, rng = Harlow(reward=3, punishment=1).references(), np.random.default_rng(0)
    begin, punished = np.float32([4, 7, 0, 0, 0]), np.float32([4, 7, 1, 1, 0])
    assert policies["win-stay by hand"](punished, rng) == RIGHT
    policies["one-shot"](begin, rng)
    assert policies["one-shot"](punished, rng) == RIGHT


def test_win_stay_lose_shift_begins_with_a_coin():
    rng = np.random.default_rng(0)
    assert {win_stay_lose_shift(np.float32([4, 7, 0, 0, 0]), rng) for _ in range(50)} == {LEFT, RIGHT}


def test_an_observation_without_the_last_trial_leaves_only_the_random_policy():
    assert list(Harlow(observation="digits").references()) == ["random"]
    policy, rng = Harlow().references()["random"], np.random.default_rng(0)
    assert {policy(np.zeros(5, np.float32), rng) for _ in range(50)} == {LEFT, RIGHT}


def test_the_single_environment_tells_its_problem_at_every_step_and_lanes_at_resets():
    env, vector = HarlowEnv(), HarlowVectorEnv(2)
    problem = env.reset(seed=1)[1]["problem"].tolist()
    for _ in range(6):
        info = env.step(0)[4]
        assert list(info) == ["problem"]
        assert info["problem"].tolist() == problem
    assert list(vector.reset(seed=1)[1]) == ["problem", "_problem"]
    assert vector.step([0, 0])[4] == {}
