import numba
import numpy as np
import pytest
from oracles.bsuite_catch import BsuiteCatch
from oracles.fruit_catch import FruitCatchOracle
from oracles.pacman import SplitMix64

from popenvs import drawing
from popenvs.fruit_catch import BASKET, LEFT, RIGHT, STAY, TILES, FruitCatch, FruitCatchEnv, FruitCatchVectorEnv
from popenvs.players.follower import follow

SCALE = 20 if numba.config.DISABLE_JIT else 1  # interpreted code plays less
BSUITE = {"rows": 10, "columns": 5, "basket_width": 1, "basket_start": "center", "end_row": -1}


# ---------------------------------------------------------------- the whole game, against the oracles


@pytest.mark.parametrize(
    "settings",
    [
        {},
        BSUITE,
        {"rows": 2, "columns": 1, "basket_width": 1, "end_row": -1},
        {"rows": 6, "columns": 3, "observation": "grid", "dtype": "uint8"},
        {"rows": 7, "columns": 9, "basket_width": 5, "end_row": 3, "dtype": "uint8"},
        {"rows": 4, "columns": 8, "basket_width": 7, "basket_start": "center", "end_row": 1},
        {"rows": 9, "columns": 12, "basket_width": 1, "observation": "grid", "end_row": -1},
    ],
    ids=str,
)
def test_the_game_equals_the_literal_transcription_step_by_step(settings):
    env = FruitCatchEnv(**settings)
    board = {name: value for name, value in settings.items() if name not in ("observation", "dtype")}
    for seed in (0, 7, 2**64 - 1):
        oracle, rng = FruitCatchOracle(seed, **board), np.random.default_rng(seed)
        seen, expected = env.reset(seed=seed)[0], oracle.reset()
        for action in rng.integers(3, size=1000 // SCALE).tolist():
            assert seen.ravel().tolist() == expected
            seen, reward, terminated, truncated, info = env.step(action)
            expected, *outcome = oracle.step(action)
            assert [reward, terminated, truncated] == outcome
            assert info == {}
            if terminated:
                assert seen.ravel().tolist() == expected
                seen, expected = env.reset()[0], oracle.reset()


def test_with_bsuites_settings_it_is_bsuites_catch():
    env, bsuite, rng = FruitCatchEnv(**BSUITE, observation="grid"), BsuiteCatch(), np.random.default_rng(0)
    outcomes = []
    for seed in range(400 // SCALE):
        seen = env.reset(seed=seed)[0][0]
        assert seen.tolist() == bsuite.reset(int(seen[0].argmax()))
        terminated = False
        while not terminated:
            action = int(rng.integers(3))
            seen, reward, terminated, _, _ = env.step(action)
            board, *outcome = bsuite.step(action)
            assert seen[0].tolist() == board
            assert [reward, terminated] == outcome
        outcomes.append((bsuite.ball_x, reward))
    assert {column for column, _ in outcomes} == set(range(5))
    assert {reward for _, reward in outcomes} == {1.0, -1.0}


# ---------------------------------------------------------------- all 195 starts

STARTS = [(fruit, basket) for fruit in range(15) for basket in range(1, 14)]


def every_start():
    """Return one lane for each start, and what the lanes see."""
    vector = FruitCatchVectorEnv(len(STARTS), dtype="uint8", observation="grid")
    vector.reset(seed=0)
    vector.games["fruit_column"], vector.games["basket"] = np.transpose(STARTS)
    nobody = np.zeros(len(STARTS), bool)
    boards = np.empty(vector.observation_space.shape, vector.observation_space.dtype)
    vector.game.reset_lanes(vector.games, nobody, boards.reshape(len(STARTS), -1))
    return vector, boards


def test_every_start_is_won_by_following_the_fruit():
    vector, boards = every_start()
    policy, rng = vector.game.references()["follow the fruit"], np.random.default_rng(0)
    for _ in range(13):
        boards, rewards, terminated, _, _ = vector.step(np.array([policy(board, rng) for board in boards]))
    assert terminated.all()
    assert rewards.tolist() == [1.0] * 195


def test_a_policy_that_does_not_see_the_fruit_wins_exactly_one_start_in_five():
    for seed in range(20 // min(SCALE, 5)):
        vector, _ = every_start()
        deaf = np.random.default_rng(seed).integers(3, size=(13, 15))  # a move for each step and start of the basket
        baskets = np.transpose(STARTS)[1]
        for moves in deaf:
            *_, rewards, terminated, _, _ = vector.step(moves[baskets])
        assert terminated.all()
        assert np.count_nonzero(rewards == 1.0) == 195 // 5
        assert [np.count_nonzero(rewards[baskets == basket] == 1.0) for basket in range(1, 14)] == [3] * 13


def test_starts_are_drawn_uniformly():
    vector = FruitCatchVectorEnv(10_000 // SCALE)
    vector.reset(seed=3)
    pairs = list(zip(vector.games["fruit_column"].tolist(), vector.games["basket"].tolist(), strict=True))
    counts = np.array([pairs.count(start) for start in STARTS])
    assert counts.sum() == len(pairs)
    expected = len(pairs) / 195
    assert ((counts - expected) ** 2 / expected).sum() < 262  # chi-squared, 194 degrees of freedom, one in a thousand


# ---------------------------------------------------------------- each sentence of the docstring, on a hand-built board


def board(fruit, basket, rows=6, columns=7, **settings):
    """Return an environment in mid-episode whose fruit (row, column) and basket (centre) were placed by hand."""
    env = FruitCatchEnv(rows=rows, columns=columns, **settings)
    env.reset(seed=3)
    game = env.games[0]
    game.fruit_row, game.fruit_column = fruit
    game.basket = basket
    return env


def ones_of(observation):
    return np.flatnonzero(observation).tolist()


def basket_of(env):
    return int(env.games[0].basket)


def test_an_episode_begins_with_a_fruit_in_the_top_row_and_a_basket_in_the_bottom_row():
    env = board((3, 3), 3)
    for _ in range(2):
        seen = env.reset()[0].reshape(6, 7)
        assert seen.sum(1).tolist() == [1, 0, 0, 0, 0, 3]
        assert [int(env.games[name][0]) for name in ("fruit_row", "steps", "score")] == [0, 0, 0]
        env.step(LEFT)


def test_later_episodes_begin_elsewhere():
    env = FruitCatchEnv()
    assert len({env.reset(seed=seed)[0].tobytes() for seed in (1, None, None, None)}) == 4


@pytest.mark.parametrize(("columns", "width"), [(7, 3), (8, 5), (4, 3), (3, 3), (1, 1), (9, 1)])
def test_the_basket_begins_anywhere_wholly_on_the_board(columns, width):
    vector = FruitCatchVectorEnv(2000 // SCALE, columns=columns, basket_width=width)
    rows = vector.reset(seed=1)[0].reshape(-1, 15, columns)[:, -1]
    assert (rows.sum(1) == width).all()
    assert set(vector.games["basket"].tolist()) == set(range(width // 2, columns - width // 2))


@pytest.mark.parametrize(("columns", "width", "centre"), [(5, 1, 2), (5, 3, 2), (4, 3, 2), (6, 1, 3), (1, 1, 0)])
def test_the_basket_begins_in_the_middle_if_asked_to(columns, width, centre):
    vector = FruitCatchVectorEnv(50, columns=columns, basket_width=width, basket_start="center")
    vector.reset(seed=1)
    assert set(vector.games["basket"].tolist()) == {centre}
    assert set(vector.games["fruit_column"].tolist()) == set(range(columns))


@pytest.mark.parametrize(("action", "centre"), [(LEFT, 2), (STAY, 3), (RIGHT, 4)])
def test_an_action_moves_the_basket_one_cell_and_the_fruit_falls_one_row(action, centre):
    env = board((1, 5), 3)
    seen, *rest = env.step(action)
    assert ones_of(seen) == [2 * 7 + 5, *(5 * 7 + centre + offset for offset in (-1, 0, 1))]
    assert rest == [0.0, False, False, {}]


@pytest.mark.parametrize(
    ("width", "centre", "action"), [(3, 1, LEFT), (3, 5, RIGHT), (1, 0, LEFT), (1, 6, RIGHT), (7, 3, LEFT)]
)
def test_the_basket_never_leaves_the_board(width, centre, action):
    env = board((0, 2), centre, basket_width=width)
    env.step(action)
    assert basket_of(env) == centre


@pytest.mark.parametrize(
    ("fruit", "basket", "action", "reward"),
    [
        (3, 3, STAY, 1.0),
        (2, 3, STAY, 1.0),  # the basket's edges catch, too
        (4, 3, STAY, 1.0),
        (1, 3, STAY, -1.0),
        (5, 3, STAY, -1.0),
        (1, 3, LEFT, 1.0),  # the basket moves before the fruit is caught
        (5, 3, RIGHT, 1.0),
        (2, 3, RIGHT, -1.0),
        (4, 3, LEFT, -1.0),
        (0, 1, LEFT, 1.0),
        (6, 5, RIGHT, 1.0),
    ],
)
def test_a_fruit_that_reaches_the_end_row_over_the_basket_brings_1_and_beside_it_minus_1(fruit, basket, action, reward):
    env = board((3, fruit), basket)
    assert env.step(action)[1:] == (reward, True, False, {})
    assert env.games["score"] == reward


@pytest.mark.parametrize(("column", "reward"), [(2, -1.0), (3, 1.0), (4, -1.0)])
def test_a_basket_of_one_cell_catches_above_itself_only(column, reward):
    assert board((3, column), 3, basket_width=1).step(STAY)[1] == reward


@pytest.mark.parametrize(
    ("end_row", "steps"), [(-1, 5), (-2, 4), (-3, 3), (-5, 1), (1, 1), (2, 2), (5, 5), (np.int64(-2), 4)]
)
def test_an_episode_terminates_when_the_fruit_reaches_the_end_row_and_is_never_truncated(end_row, steps):
    env = FruitCatchEnv(rows=6, columns=7, end_row=end_row)
    for seed in (5, None):
        env.reset(seed=seed)
        outcomes = [env.step(STAY)[1:4] for _ in range(steps)]
        assert outcomes[:-1] == [(0.0, False, False)] * (steps - 1)
        assert outcomes[-1] in [(1.0, True, False), (-1.0, True, False)]


def test_an_episode_lasts_13_steps_with_the_standard_settings():
    env = FruitCatchEnv()
    env.reset(seed=0)
    assert [env.step(RIGHT)[2] for _ in range(13)] == [False] * 12 + [True]


def test_a_caught_fruit_in_the_baskets_own_row_shares_its_cell():
    seen, reward, terminated, *_ = board((4, 2), 3, end_row=-1).step(STAY)
    assert (reward, terminated) == (1.0, True)
    assert ones_of(seen) == [37, 38, 39]
    assert seen.max() == 1


def test_a_missed_fruit_in_the_baskets_own_row_lies_beside_it():
    seen, reward, *_ = board((4, 6), 3, end_row=-1).step(STAY)
    assert reward == -1.0
    assert ones_of(seen) == [37, 38, 39, 41]


def test_a_cell_lies_at_index_row_times_columns_plus_column():
    assert ones_of(board((1, 6), 1).step(STAY)[0]) == [2 * 7 + 6, 35, 36, 37]


def test_the_grid_holds_the_same_numbers_as_one_channel():
    flat, grid = (FruitCatchEnv(observation=observation) for observation in ("flat", "grid"))
    seen = flat.reset(seed=2)[0], grid.reset(seed=2)[0]
    assert flat.observation_space.shape == seen[0].shape == (225,)
    assert grid.observation_space.shape == seen[1].shape == (1, 15, 15)
    assert seen[1].ravel().tolist() == seen[0].tolist()
    assert FruitCatchEnv(rows=4, columns=9, observation="grid").observation_space.shape == (1, 4, 9)


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_an_observation_is_0_or_1_in_the_dtype_asked_for(dtype):
    env = FruitCatchEnv(dtype=dtype)
    assert env.observation_space.dtype == env.reset(seed=0)[0].dtype == dtype
    assert (env.observation_space.low == 0).all()
    assert (env.observation_space.high == 1).all()


def test_the_defaults_are_the_sources():
    env = FruitCatchEnv()
    settings = {"rows": 15, "columns": 15, "basket_width": 3, "centered": 0, "end_row": 13, "max_steps": 2**31 - 1}
    assert {name: int(env.games[name][0]) for name in settings} == settings
    assert env.observation_space.dtype == np.float32
    assert env.action_space.n == 3


def test_a_lane_that_waits_for_its_next_episode_is_reset_without_a_step():
    vector = FruitCatchVectorEnv(1, end_row=1, copy=False)  # arrays that still hold the step before
    vector.reset(seed=0)
    assert vector.step([STAY])[2].tolist() == [True]
    stream = SplitMix64(int(vector.games["rng"][0]))
    fruit, basket = stream.below(15), 1 + stream.below(13)
    seen, reward, terminated, truncated, _ = vector.step([RIGHT])
    assert [reward[0], terminated[0], truncated[0]] == [0.0, False, False]
    assert ones_of(seen) == [fruit, *(210 + basket + offset for offset in (-1, 0, 1))]
    assert vector.games["rng"].tolist() == [stream.state]


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"rows": 1}, "rows is 1; it must be a whole number from 2 to 1024"),
        ({"rows": 1025}, "rows is 1025; it must be a whole number from 2 to 1024"),
        ({"rows": 15.0}, "rows is 15.0; it must be a whole number from 2 to 1024"),
        ({"columns": 0}, "columns is 0; it must be a whole number from 1 to 1024"),
        ({"columns": "15"}, "columns is '15'; it must be a whole number from 1 to 1024"),
        ({"columns": 2}, "basket_width is 3; a board of 2 columns is too small for it: make columns 3 or more"),
        ({"basket_width": 17}, "basket_width is 17; a board of 15 columns is too small for it: make columns 17"),
        ({"basket_width": 16}, "basket_width is 16; a board of 15 columns is too small for it"),
        ({"basket_width": 4}, "basket_width is 4; it must be odd, for example 3"),
        ({"basket_width": 0}, "basket_width is 0; it must be a whole number from 1 to 1024"),
        ({"basket_width": -3}, "basket_width is -3; it must be a whole number from 1 to 1024"),
        ({"basket_width": None}, "basket_width is None; it must be a whole number from 1 to 1024"),
        ({"basket_start": "left"}, "basket_start is 'left'; choose one of 'uniform', 'center'"),
        ({"end_row": 0}, "end_row is 0, where the fruit begins; it must be a row below, for example -1"),
        ({"end_row": -15}, "end_row is -15, where the fruit begins; it must be a row below, for example -1"),
        ({"rows": 2}, "end_row is -2, where the fruit begins; it must be a row below, for example -1"),
        ({"end_row": 15}, "end_row is 15; it must be a whole number from -15 to 14"),
        ({"end_row": -16}, "end_row is -16; it must be a whole number from -15 to 14"),
        ({"end_row": 2.5}, "end_row is 2.5; it must be a whole number from -15 to 14"),
        ({"observation": "image"}, "observation is 'image'; choose one of 'flat', 'grid'"),
        ({"dtype": "float64"}, "dtype is 'float64'; choose one of 'float32', 'uint8'"),
    ],
    ids=str,
)
@pytest.mark.parametrize("env_class", [FruitCatchEnv, FruitCatchVectorEnv])
def test_a_bad_setting_is_refused_with_its_value_and_what_it_must_be(env_class, settings, says):
    with pytest.raises(ValueError, match=says):
        env_class(**settings)


@pytest.mark.parametrize(
    "settings", [{"rows": 1024, "columns": 1, "basket_width": 1}, {"columns": 3}, {"rows": 2, "end_row": -1}], ids=str
)
def test_a_setting_at_the_edge_of_its_range_is_accepted(settings):
    env = FruitCatchEnv(**settings)
    assert env.reset(seed=0)[0].size == settings.get("rows", 15) * settings.get("columns", 15)


@pytest.mark.parametrize(
    "setting", [{"rows": 14}, {"columns": 16}, {"basket_width": 5}, {"basket_start": "center"}, {"end_row": -1}]
)
def test_reference_scores_stand_only_beside_the_standard_settings(setting):
    assert FruitCatchEnv(**setting).metadata["reference_scores"] == {}
    assert FruitCatchVectorEnv(**setting).metadata["reference_scores"] == {}
    scores = FruitCatchEnv(observation="grid", dtype="uint8", end_row=13).metadata["reference_scores"]
    assert list(scores) == list(FruitCatch().references())


# ---------------------------------------------------------------- the picture


def picture(env):
    return drawing.text(env.game.picture(env.games[0])).split("\n")


def test_the_picture_shows_the_board_and_the_caption_the_step():
    env = board((0, 5), 2, rows=5)
    assert picture(env) == [".....o.", ".......", ".......", ".......", ".UUU...", "step 0 of 3"]
    env.step(RIGHT)
    assert picture(env) == [".......", ".....o.", ".......", ".......", "..UUU..", "step 1 of 3"]


@pytest.mark.parametrize(("column", "rows"), [(4, ["....o..", "..UUU.."]), (5, [".....o.", "..UUU.."])])
def test_the_caption_tells_how_it_ended(column, rows):
    env = board((2, column), 3, rows=5)
    env.step(STAY)
    assert picture(env)[3:] == [*rows, "caught" if column == 4 else "missed"]


def test_the_picture_shows_a_fruit_in_the_basket():
    env = board((3, 3), 3, rows=5, end_row=-1)
    env.step(STAY)
    assert picture(env)[4:] == ["..U@U..", "caught"]


def test_the_baskets_cells_are_drawn_as_one_wide_basket():
    pytest.importorskip("pygame")
    env = board((0, 5), 3, rows=7)
    drawn = drawing.image(env.game.picture(env.games[0]))
    rim = drawn[7 * 68 - 41]  # cells of 68 pixels, 480 / 7 being 68.6
    brown = np.flatnonzero((rim == TILES[BASKET].colour).all(axis=1))
    assert [brown[0], brown[-1], len(brown)] == [2 * 68, 5 * 68 - 1, 3 * 68]


def test_arrow_keys_move_the_way_they_point_and_who_presses_none_stays():
    assert FruitCatch.keys == {"left": LEFT, "right": RIGHT}
    assert FruitCatch.idle == STAY


# ---------------------------------------------------------------- the reference policies


@pytest.mark.parametrize(("fruit", "action"), [(0, LEFT), (2, LEFT), (3, STAY), (4, RIGHT), (6, RIGHT)])
def test_following_moves_the_baskets_centre_toward_the_fruits_column(fruit, action):
    env = board((0, fruit), 3)
    assert STAY + follow(env.step(STAY)[0].reshape(6, 7)) == action


def test_following_stays_when_the_fruit_is_in_the_basket():
    assert follow(board((4, 3), 3, end_row=-1).step(STAY)[0].reshape(6, 7)) == 0


def test_references_read_flat_and_grid_observations_alike():
    for settings in ({}, {"observation": "grid"}, {"dtype": "uint8"}, {"rows": 7, "columns": 4}):
        env = FruitCatchEnv(**settings)
        observation, rng = env.reset(seed=4)[0], np.random.default_rng(0)
        policies, game = env.game.references(), env.games[0]
        assert policies["follow the fruit"](observation, rng) == STAY + np.sign(game.fruit_column - game.basket)
        assert {policies["random"](observation, rng) for _ in range(100)} == {LEFT, STAY, RIGHT}
