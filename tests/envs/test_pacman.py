from itertools import accumulate, pairwise, permutations

import numba
import numpy as np
import pytest
from oracles.pacman import PacmanOracle, SplitMix64, lane_stream

from popenvs import drawing
from popenvs.engine.random_stream import below, next_bits, seeded
from popenvs.pacman import (
    ACTIONS,
    DOWN,
    LEFT,
    RIGHT,
    STAY,
    TILES,
    TRAIL,
    UP,
    Pacman,
    PacmanEnv,
    PacmanVectorEnv,
)
from popenvs.players.token_routes import nearest_token, shortest_route

PUBLISHED = [  # SplitMix64 started at 1234567
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]
SCALE = 20 if numba.config.DISABLE_JIT else 1  # interpreted code plays less
MOVES = {STAY: (0, 0), LEFT: (-1, 0), RIGHT: (1, 0), UP: (0, -1), DOWN: (0, 1)}


# ---------------------------------------------------------------- the whole game, against the oracle


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({}, 3000),
        ({"width": 2, "height": 3, "max_steps": 37}, 3000),
        ({"width": 3, "height": 2, "max_steps": 1}, 600),
        ({"width": 7, "height": 4, "n_tokens": 1, "observation": "grid", "dtype": "uint8"}, 3000),
        ({"width": 4, "height": 6, "n_tokens": 12, "observation": "grid", "max_steps": 250}, 3000),
        ({"width": 5, "height": 5, "n_tokens": 12, "dtype": "uint8"}, 3000),
    ],
    ids=str,
)
def test_the_game_equals_the_literal_transcription_step_by_step(settings, steps):
    env = PacmanEnv(**settings)
    board = {name: value for name, value in settings.items() if name not in ("observation", "dtype")}
    for seed in (0, 7, 2**64 - 1):
        oracle, rng = PacmanOracle(seed, **board), np.random.default_rng(seed)
        seen, expected = env.reset(seed=seed)[0], oracle.reset()
        for action in rng.integers(5, size=steps // 3 // SCALE).tolist():
            assert seen.ravel().tolist() == expected
            seen, reward, terminated, truncated, info = env.step(action)
            expected, *outcome = oracle.step(action)
            assert [reward, terminated, truncated] == outcome
            assert info == {}
            if truncated:
                assert seen.ravel().tolist() == expected
                seen, expected = env.reset()[0], oracle.reset()


# ---------------------------------------------------------------- the random stream


def stream_at(state):
    games = Pacman().blank.copy()
    games["rng"] = state
    return games[0]


def test_splitmix64_draws_the_published_numbers():
    lane, oracle = stream_at(1234567), SplitMix64(1234567)
    assert [int(next_bits(lane)) for _ in PUBLISHED] == PUBLISHED
    assert [oracle.next() for _ in PUBLISHED] == PUBLISHED


def test_a_lane_begins_at_the_first_number_drawn_from_its_seed():
    assert int(seeded(1234567)) == PUBLISHED[0]
    seeds = [0, 1, 2**32, 2**63, 2**64 - 1]
    assert seeded(seeds).tolist() == [SplitMix64(seed).next() for seed in seeds]
    assert seeded(seeds).dtype == np.uint64
    assert [lane_stream(seed).state for seed in seeds] == seeded(seeds).tolist()


@pytest.mark.parametrize("n", [1, 2, 12, 255, 1024])
def test_below_scales_the_upper_half_of_the_bits(n):
    lane, oracle = stream_at(99), SplitMix64(99)
    drawn = [int(below(lane, n)) for _ in range(300)]
    assert drawn == [oracle.below(n) for _ in range(300)]
    assert set(drawn) <= set(range(n))


def test_tokens_are_dealt_uniformly():
    counts = PacmanVectorEnv(4000 // SCALE, width=4, height=3).reset(seed=1)[0].sum(0)
    expected = counts.sum() / 12
    assert counts.sum() == 5 * (4000 // SCALE)
    assert ((counts - expected) ** 2 / expected).sum() < 31.3  # chi-squared, 11 degrees of freedom, one in a thousand


# ---------------------------------------------------------------- each sentence of the docstring, on a hand-built board


def board(agent, tokens, width=6, height=4, **settings):
    """Return an environment in mid-episode whose record was set by hand."""
    env = PacmanEnv(width=width, height=height, **settings)
    env.reset(seed=3)
    game = env.games[0]
    game.x, game.y = agent
    game.left = len(tokens)
    game.token_x[:], game.token_y[:], game.there[:] = 0, 0, 0  # what has been eaten lies under the corner
    for i, (x, y) in enumerate(tokens):
        game.token_x[i], game.token_y[i], game.there[i] = x, y, 1
    return env


def agent_of(env):
    return int(env.games[0].x), int(env.games[0].y)


def tokens_of(env):
    game = env.games[0]
    return [(int(x), int(y)) for x, y, there in zip(game.token_x, game.token_y, game.there, strict=True) if there]


def counts_of(observation):
    return {int(cell): int(observation.ravel()[cell]) for cell in np.flatnonzero(observation)}


def test_an_episode_begins_in_the_corner_with_n_tokens():
    env = board((0, 1), [(1, 1), (3, 3)])
    for action in (RIGHT, DOWN):
        env.step(action)
    assert agent_of(env) == (1, 2)
    assert env.games["score"] == 1
    observation, info = env.reset()
    assert agent_of(env) == (0, 0)
    assert env.games["steps"] == env.games["score"] == 0
    assert env.games["left"] == observation.sum() == len(tokens_of(env)) == 5
    assert info == {}


def test_later_episodes_deal_other_tokens():
    env = PacmanEnv()
    seen = {env.reset(seed=seed)[0].tobytes() for seed in (1, None, None, None)}
    assert len(seen) == 4


def test_a_cell_may_be_dealt_two_tokens_and_the_agents_own_one():
    observations = PacmanVectorEnv(200, width=3, height=3).reset(seed=0)[0]
    assert observations.max() >= 2
    assert (observations[:, 0] > 0).any()
    assert (observations.sum(1) == 5).all()


@pytest.mark.parametrize("action", MOVES)
def test_an_action_moves_the_agent_one_cell(action):
    env = board((2, 2), [(5, 3)])
    assert env.step(action)[1:] == (0.0, False, False, {})
    assert agent_of(env) == (2 + MOVES[action][0], 2 + MOVES[action][1])


@pytest.mark.parametrize(
    ("start", "action", "end"),
    [((0, 2), LEFT, (5, 2)), ((5, 2), RIGHT, (0, 2)), ((2, 0), UP, (2, 3)), ((2, 3), DOWN, (2, 0))],
)
def test_both_axes_wrap_around_in_both_directions(start, action, end):
    env = board(start, [end, (3, 2)])
    observation, reward, *_ = env.step(action)
    assert agent_of(env) == end
    assert reward == 1.0
    assert counts_of(observation) == {(3 - end[0]) % 6 * 4 + (2 - end[1]) % 4: 1}


def test_two_tokens_on_a_cell_count_two():
    env = board((1, 1), [(2, 1), (0, 0), (2, 1)])
    observation, reward, *_ = env.step(RIGHT)
    assert reward == 2.0
    assert tokens_of(env) == [(0, 0)]
    assert env.games["left"] == 1
    assert counts_of(observation) == {4 * 4 + 3: 1}


def test_a_token_under_the_agent_is_eaten_by_staying():
    env = board((1, 1), [(1, 1), (4, 1)])
    observation, reward, *_ = env.step(STAY)
    assert reward == 1.0
    assert counts_of(observation) == {3 * 4: 1}


def test_a_token_under_the_agent_is_left_behind_by_moving():
    env = board((1, 1), [(1, 1), (4, 1)])
    observation, reward, *_ = env.step(RIGHT)
    assert reward == 0.0
    assert counts_of(observation) == {5 * 4: 1, 2 * 4: 1}


def test_only_the_cell_where_the_agent_stands_is_eaten():
    env = board((1, 1), [(2, 2), (3, 1), (2, 0)])
    assert env.step(RIGHT)[1] == 0.0
    assert tokens_of(env) == [(2, 2), (3, 1), (2, 0)]


def test_a_token_is_eaten_once():
    env = board((1, 1), [(1, 1), (4, 1)])
    assert [env.step(STAY)[1] for _ in range(3)] == [1.0, 0.0, 0.0]
    assert env.games["score"] == 1


def test_a_new_batch_is_dealt_before_the_board_is_seen_when_none_is_left():
    env = board((1, 1), [(2, 1)])
    stream = SplitMix64(int(env.games["rng"][0]))
    batch = [(stream.below(6), stream.below(4)) for _ in range(5)]
    observation, reward, *_ = env.step(RIGHT)
    assert reward == 1.0
    assert agent_of(env) == (2, 1)
    assert tokens_of(env) == batch
    assert observation.sum() == 5
    assert all(observation[(x - 2) % 6 * 4 + (y - 1) % 4] for x, y in batch)


def test_no_batch_is_dealt_while_a_token_is_left():
    env = board((1, 1), [(2, 1), (5, 3)])
    before = int(env.games["rng"][0])
    assert env.step(RIGHT)[0].sum() == 1
    assert int(env.games["rng"][0]) == before


def test_a_freshly_dealt_token_under_the_agent_waits_for_the_next_step():
    env = board((0, 0), [(1, 0)], width=2, height=2)
    for state in range(100):  # a stream that deals a token where the agent will stand
        stream = SplitMix64(state)
        if (1, 0) in [(stream.below(2), stream.below(2)) for _ in range(5)]:
            break
    env.games["rng"] = state
    observation, reward, *_ = env.step(RIGHT)
    assert reward == 1.0
    assert observation[0] >= 1
    assert env.step(STAY)[1] == observation[0]


def test_a_token_lies_at_index_dx_times_height_plus_dy():
    env = board((4, 3), [(4, 2), (5, 3), (3, 0), (3, 0)])
    assert counts_of(env.step(STAY)[0]) == {0 * 4 + 3: 1, 1 * 4 + 0: 1, 5 * 4 + 1: 2}


def test_the_grid_holds_the_same_numbers_as_one_channel():
    flat, grid = (PacmanEnv(observation=observation) for observation in ("flat", "grid"))
    seen = flat.reset(seed=2)[0], grid.reset(seed=2)[0]
    assert flat.observation_space.shape == seen[0].shape == (180,)
    assert grid.observation_space.shape == seen[1].shape == (1, 12, 15)
    assert seen[1].ravel().tolist() == seen[0].tolist()


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_an_observation_counts_up_to_n_tokens_in_the_dtype_asked_for(dtype):
    env = PacmanEnv(dtype=dtype, n_tokens=12)
    assert env.observation_space.dtype == env.reset(seed=0)[0].dtype == dtype
    assert env.observation_space.low.max() == 0
    assert env.observation_space.high.min() == env.observation_space.high.max() == 12


def test_the_defaults_are_the_sources():
    env = PacmanEnv()
    assert {name: int(env.games[name][0]) for name in ("width", "height", "max_steps")} == {
        "width": 12,
        "height": 15,
        "max_steps": 100,
    }
    assert len(env.games[0].token_x) == 5
    assert env.observation_space.dtype == np.float32


def test_the_reward_is_the_number_of_tokens_eaten_and_adds_up_to_the_score():
    env = board((1, 1), [(1, 1), (1, 1), (1, 1), (2, 1), (5, 3)])
    assert [env.step(STAY)[1], env.step(RIGHT)[1], env.step(RIGHT)[1]] == [3.0, 1.0, 0.0]
    assert env.games["score"] == 4


def test_a_step_counts_one_however_many_tokens_it_eats():
    env = board((1, 1), [(1, 1), (1, 1), (2, 1), (5, 3)])
    env.step(STAY)
    env.step(RIGHT)
    assert env.games["steps"] == 2


@pytest.mark.parametrize("max_steps", [1, 3, 100])
def test_an_episode_is_truncated_after_max_steps_and_never_terminates(max_steps):
    env = PacmanEnv(max_steps=max_steps)
    for seed in (5, None):
        env.reset(seed=seed)
        ends = [env.step(STAY)[2:4] for _ in range(max_steps)]
        assert ends == [(False, False)] * (max_steps - 1) + [(False, True)]


def test_a_lane_that_waits_for_its_next_episode_is_reset_without_a_step():
    vector = PacmanVectorEnv(1, max_steps=1, copy=False)  # arrays that still hold the step before
    vector.reset(seed=0)
    vector.games["token_x"][0, 0] = vector.games["token_y"][0, 0] = 0
    assert [array.item() for array in vector.step([STAY])[1:4]] == [1.0, False, True]
    game = vector.games[0]
    game.left = 1
    game.token_x[:], game.token_y[:], game.there[:] = 1, 0, [1, 0, 0, 0, 0]
    stream = SplitMix64(int(game.rng))
    batch = [[stream.below(12), stream.below(15)] for _ in range(5)]
    _, reward, terminated, truncated, _ = vector.step([RIGHT])  # would eat the last token, and deal
    assert [reward[0], terminated[0], truncated[0]] == [0.0, False, False]
    assert np.transpose([game.token_x, game.token_y]).tolist() == batch
    assert [int(game.x), int(game.steps), int(game.rng)] == [0, 0, stream.state]


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("name", "bad", "says"),
    [
        ("width", 1, "a whole number from 2 to 1024"),
        ("width", 1025, "a whole number from 2 to 1024"),
        ("width", 12.0, "a whole number from 2 to 1024"),
        ("height", 1, "a whole number from 2 to 1024"),
        ("height", "15", "a whole number from 2 to 1024"),
        ("height", 1025, "a whole number from 2 to 1024"),
        ("n_tokens", 0, "a whole number from 1 to 255"),
        ("n_tokens", 256, "a whole number from 1 to 255"),
        ("max_steps", 0, "a whole number from 1 to 2147483647"),
        ("max_steps", 2**31, "a whole number from 1 to 2147483647"),
        ("max_steps", None, "a whole number from 1 to 2147483647"),
        ("observation", "image", "choose one of 'flat', 'grid'"),
        ("dtype", "float64", "choose one of 'float32', 'uint8'"),
        ("dtype", np.float32, "choose one of 'float32', 'uint8'"),
    ],
)
@pytest.mark.parametrize("env_class", [PacmanEnv, PacmanVectorEnv])
def test_a_setting_out_of_range_is_refused_with_its_value_and_its_range(env_class, name, bad, says):
    with pytest.raises(ValueError, match=f"{name} is .*{says}") as error:
        env_class(**{name: bad})
    assert repr(bad) in str(error.value)


@pytest.mark.parametrize(("name", "value"), [("width", 2), ("width", 1024), ("n_tokens", 255), ("height", np.int64(9))])
def test_a_setting_at_the_edge_of_its_range_is_accepted(name, value):
    env = PacmanEnv(**{name: value})
    settings = {"width": 12, "height": 15, name: value}
    assert env.observation_space.shape == (settings["width"] * settings["height"],)


@pytest.mark.parametrize("setting", [{"width": 13}, {"height": 14}, {"n_tokens": 4}, {"max_steps": 99}])
def test_reference_scores_stand_only_beside_the_standard_settings(setting):
    assert PacmanEnv(**setting).metadata["reference_scores"] == {}
    assert PacmanVectorEnv(**setting).metadata["reference_scores"] == {}
    assert list(PacmanEnv(observation="grid", dtype="uint8").metadata["reference_scores"]) == list(
        Pacman().references()
    )


# ---------------------------------------------------------------- the picture


def picture(env):
    return drawing.text(env.game.picture(env.games[0])).split("\n")


def test_the_picture_shows_agent_tokens_and_pairs_x_to_the_right_and_y_down():
    env = board((1, 2), [(4, 0), (0, 3), (5, 3), (5, 3)])
    assert picture(env)[:-1] == [
        "....o.",
        "......",
        ".C....",
        "o....8",
    ]


def test_the_picture_shows_a_pair_as_one_cell_also_of_three_tokens():
    assert picture(board((0, 0), [(5, 3)] * 3))[3] == ".....8"


def test_the_picture_does_not_show_eaten_tokens():
    env = board((1, 0), [(2, 0), (4, 0)])
    env.step(RIGHT)
    env.step(DOWN)
    assert picture(env)[0] == ".::.o."


def test_the_picture_shows_the_agent_on_a_token():
    assert picture(board((1, 0), [(1, 0), (4, 0)]))[0] == ".@..o."
    assert picture(board((1, 0), [(1, 0), (1, 0)]))[0] == ".@...."


def test_the_agent_faces_where_it_goes_and_keeps_its_face_while_it_stays():
    env, faces = board((1, 2), [(4, 0)]), []
    for action in (STAY, LEFT, STAY, UP, UP, RIGHT, DOWN, *[STAY] * 10):
        env.step(action)
        x, y = env.games["x"][0], env.games["y"][0]
        faces.append(TILES[env.game.picture(env.games[0]).board[y, x]].shape.keywords["angle"])
    assert faces == [0, 180, 180, 90, 90, 0, *[270] * 11]
    env.reset()
    assert env.games["facing"] == STAY


def test_the_trail_shows_the_last_eight_cells_and_the_last_four_of_them_brighter():
    env = board((0, 1), [(3, 3)], width=16)
    for _ in range(3):
        env.step(RIGHT)
    assert picture(env)[1] == ":::C............"
    for _ in range(7):
        env.step(RIGHT)
    assert TRAIL == 8
    assert picture(env)[1] == "..,,,,::::C....."


def test_the_trail_begins_anew_with_each_episode():
    env = board((3, 3), [(5, 3)])
    env.step(LEFT)
    assert picture(env)[3] == "..C:.o"
    env.reset()
    env.games[0].there[:] = 0
    assert set("".join(picture(env)[:-1])) == {"C", "."}


def test_a_token_hides_the_trail_and_the_agent_hides_both():
    env = board((1, 0), [(1, 0), (4, 0)])
    env.step(RIGHT)
    assert picture(env)[0] == ".oC.o."
    env.step(LEFT)
    assert picture(env)[0] == ".C:.o."


def test_the_trail_of_a_step_that_stayed_lies_under_the_agent():
    env = board((1, 0), [(4, 0)])
    env.step(STAY)
    assert picture(env)[0] == ".C..o."


def test_the_caption_tells_score_and_steps():
    env = board((1, 0), [(2, 0), (4, 0)], max_steps=9)
    assert picture(env)[-1] == "score 0   step 0 of 9"
    env.step(RIGHT)
    assert picture(env)[-1] == "score 1   step 1 of 9"


def test_a_new_batch_can_be_seen_in_the_picture():
    env = board((1, 1), [(2, 1)])
    env.step(RIGHT)
    drawn = "".join(picture(env)[:-1])
    assert len({xy for xy in tokens_of(env) if xy != (2, 1)}) == drawn.count("o") + drawn.count("8")


def test_arrow_keys_move_the_way_they_point():
    assert Pacman.keys == {"left": LEFT, "right": RIGHT, "up": UP, "down": DOWN}


# ---------------------------------------------------------------- the reference policies


def seen_from_agent(tokens, width=12, height=15):
    observation = np.zeros(width * height, np.float32)
    for dx, dy in tokens:
        observation[dx % width * height + dy % height] += 1
    return observation


def to_nearest(observation, width, height):
    return ACTIONS[nearest_token(observation, width, height)]


def on_shortest(observation, width, height):
    return ACTIONS[shortest_route(observation, width, height)]


@pytest.mark.parametrize("policy", [to_nearest, on_shortest])
@pytest.mark.parametrize(
    ("offset", "action"),
    [
        ((0, 0), STAY),
        ((1, 0), RIGHT),
        ((-1, 0), LEFT),
        ((0, 1), DOWN),
        ((0, -1), UP),
        ((2, -3), RIGHT),  # along x first
        ((-5, 7), LEFT),
        ((6, 0), RIGHT),  # as far either way
        ((7, 0), LEFT),
        ((0, 7), DOWN),
        ((0, 8), UP),
    ],
)
def test_one_token_is_walked_to_the_shorter_way_around(policy, offset, action):
    assert policy(seen_from_agent([offset]), 12, 15) == action


def test_nearest_token_walks_to_the_nearest():
    assert to_nearest(seen_from_agent([(3, 0), (0, -2), (-3, 1)]), 12, 15) == UP
    assert to_nearest(seen_from_agent([(0, 2), (1, 1)]), 12, 15) == DOWN  # the first in index order among equals


def test_shortest_route_leaves_the_nearest_token_for_later_when_that_is_shorter():
    observation = seen_from_agent([(2, 0), (9, 0), (-3, 0)], 40)  # 3 + 12 steps to the left, 9 + 12 to the right
    assert to_nearest(observation, 40, 15) == RIGHT
    assert on_shortest(observation, 40, 15) == LEFT


def test_shortest_route_eats_soonest_among_equally_short_routes():
    assert on_shortest(seen_from_agent([(0, 3), (0, -3), (0, -2)], 40, 40), 40, 40) == UP  # after 2, 3, 9 steps
    assert on_shortest(seen_from_agent([(3, 1), (2, -3), (-1, -3)], 40, 40), 40, 40) == LEFT  # 4, 7, 12; or 4, 9, 12


def test_shortest_route_counts_the_step_that_eats_what_lies_under_the_agent():
    assert on_shortest(seen_from_agent([(0, 0), (0, -1), (0, 2)], 40, 40), 40, 40) == UP  # and passes here again
    assert on_shortest(seen_from_agent([(0, 0), (0, 2)], 40, 40), 40, 40) == STAY


def torus_distance(a, b, width, height):
    dx, dy = abs(a[0] - b[0]), abs(a[1] - b[1])
    return min(dx, width - dx) + min(dy, height - dy)


def walked(order, width, height):
    """Return how long a route is and how long its cells wait in all (steps)."""
    legs = [torus_distance(a, b, width, height) for a, b in pairwise([(0, 0), *order])]
    legs[0] = max(1, legs[0])  # what lies under the agent costs a step, too
    arrivals = list(accumulate(legs))
    return arrivals[-1], sum(arrivals)


def test_shortest_route_is_as_short_as_the_best_of_all_orders_and_eats_as_soon():
    rng = np.random.default_rng(0)
    for _ in range(100 // min(SCALE, 10)):
        tokens = [divmod(int(cell), 6) for cell in rng.choice(42, 5, replace=False)]
        env = board((0, 0), tokens, width=7, height=6)
        observation = seen_from_agent(tokens, 7, 6)
        times = []
        for time in range(1, 100):
            observation, eaten, *_ = env.step(on_shortest(observation, 7, 6))
            times += [time] * int(eaten)
            if len(times) == 5:
                break
        assert (times[-1], sum(times)) == min(walked(order, 7, 6) for order in permutations(tokens))


def test_shortest_route_plays_on_with_more_cells_than_it_plans_for():
    assert on_shortest(seen_from_agent([(x, 0) for x in range(1, 12)] + [(0, 5)] * 9 + [(3, 3)]), 12, 15) in MOVES


def test_references_read_flat_and_grid_observations_alike():
    for settings in ({}, {"observation": "grid"}, {"dtype": "uint8"}):
        env = PacmanEnv(**settings)
        observation, rng = env.reset(seed=4)[0], np.random.default_rng(0)
        policies = env.game.references()
        assert policies["nearest token"](observation, rng) == to_nearest(observation.ravel(), 12, 15)
        assert policies["shortest route"](observation, rng) == on_shortest(observation.ravel(), 12, 15)
        assert {policies["random"](observation, rng) for _ in range(100)} == set(range(5))
