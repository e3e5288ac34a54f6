"""Seeds, and resets of some lanes."""

import numpy as np
import pytest
from envs.shells import NEXT_STEP, SAME_STEP, STEPS, alone, fields, lanes, played_alone, random_actions, snapshot
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode

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
