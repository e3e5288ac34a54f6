"""Dilemmas as they are played: against the literal oracle, and in the long run against their own tensors."""

import pickle
import re
from itertools import product

import gymnasium as gym
import numba
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from oracles.dilemma import DilemmaOracle

from popenvs.dilemmas.against_opponent import DilemmaEnv, DilemmaVectorEnv
from popenvs.dilemmas.catalogue import (
    ecological_public_good,
    matching_pennies,
    matrix_game,
    prisoners_dilemma,
    public_goods,
    uncertain_dilemma,
)
from popenvs.dilemmas.game import Game
from popenvs.dilemmas.loop import SHOWN
from popenvs.dilemmas.memory import with_memory
from popenvs.dilemmas.opponents import OPPONENTS
from popenvs.dilemmas.tables import cumulative
from popenvs.social_dilemma_v0 import vector_env
from registration.games import GAMES, load_game

SLOW = numba.config.DISABLE_JIT  # interpreted code plays less
SAME_STEP, NEXT_STEP, DISABLED = AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED
CODES = [None, (0, 0), (0, 1), (1, 0), (1, 1)]  # last joint actions in the order of a memory-one vector


def lopsided():
    """A game of 3 states, whose two players have 2 and 3 actions and see 2 and 1 of the states' 2 faces."""
    rng = np.random.default_rng(4)
    transitions = rng.dirichlet((1, 1, 1), size=(3, 2, 3))
    return Game(
        transitions,
        rng.normal(size=(2, 3, 2, 3, 3)),
        [[[1, 0], [0.5, 0.5], [0, 1]], [[1, 0]] * 3],
        start=[0, 0.25, 0.75],
    )


def oracle(seed, game, **settings):
    tensors = (game.transitions, game.rewards, game.observations, game.start)
    return DilemmaOracle(seed, *(tensor.tolist() for tensor in tensors), **settings)


# ---------------------------------------------------------------- the whole game, against the oracle


@pytest.mark.parametrize(
    ("game", "settings"),
    [
        (prisoners_dilemma(), {}),
        (prisoners_dilemma(), {"memory": 0}),
        (prisoners_dilemma(), {"memory": 2, "noise": 0.3}),
        (public_goods(3), {"memory": 1, "continuation": 0.9, "noise": 0.1}),
        (ecological_public_good(2, degraded_choice=True), {"memory": 2, "continuation": 0.98}),
        (uncertain_dilemma(noise=(0.2, 0.4)), {"memory": 1}),
        (with_memory(ecological_public_good()), {"memory": 0}),
    ],
    ids=range(7),
)
def test_seats_played_from_outside_equal_the_literal_transcription_round_by_round(game, settings):
    n, mode, rounds = game.n_players, SAME_STEP, 17
    env = vector_env(num_envs=2 * n, game=game, max_steps=rounds, autoreset_mode=mode, **settings)
    oracles = [oracle(seed, game, rounds=rounds, **settings) for seed in (5, 5 + n)]
    seen, rng, ends = env.reset(seed=5)[0], np.random.default_rng(0), 0
    expected = [view for o in oracles for view in o.reset()]
    for actions in rng.integers(2, size=(60, 2 * n)):
        assert seen.tolist() == expected
        seen, rewards, terminated, truncated, infos = env.step(actions)
        expected = []
        for lane, o in enumerate(oracles):
            views, paid, ended, cut = o.step(actions[lane * n : (lane + 1) * n].tolist())
            slots = slice(lane * n, (lane + 1) * n)
            assert rewards[slots].tolist() == paid
            assert terminated[slots].tolist() == [ended] * n
            assert truncated[slots].tolist() == [cut] * n
            if ended or cut:
                ends += 1
                assert [last.tolist() for last in infos["final_obs"][slots]] == views
                rates = [np.mean([joint[seat] == 0 for joint in o.history]) for seat in range(n)]
                assert infos["final_info"]["cooperation"][slots].tolist() == pytest.approx(rates)
                views = o.reset()
            expected += views
    assert ends >= 4


@pytest.mark.parametrize(
    ("odds", "settings"),
    [
        ((1, 1, 0, 1, 0), {}),
        ((0.9, 0.3, 0.6, 0.1, 0.5), {"memory": 0, "noise": 0.2}),
        ((0.5, 0.25, 0.75, 0.0, 1.0), {"memory": 2, "continuation": 0.9}),
    ],
    ids=["tit_for_tat", "noisy", "ending"],
)
def test_a_memory_one_opponent_equals_the_literal_transcription_round_by_round(odds, settings):
    game = prisoners_dilemma()
    env = DilemmaEnv(game=game, opponent=odds, max_steps=23, **settings)
    for seed in (0, 2**64 - 1):
        o = oracle(seed, game, rounds=23, strategies={1: dict(zip(CODES, odds, strict=True))}, **settings)
        seen, (expected,) = env.reset(seed=seed)[0], o.reset()
        for action in np.random.default_rng(seed % 97).integers(2, size=70).tolist():
            assert seen.tolist() == expected
            seen, reward, terminated, truncated, _ = env.step(action)
            (expected,), (paid,), *ended = o.step([action])
            assert [reward, terminated, truncated] == [paid, *ended]
            if terminated or truncated:
                seen, (expected,) = env.reset()[0], o.reset()


def test_players_with_different_actions_and_views_equal_the_literal_transcription():
    from popenvs.social_dilemma_v0 import parallel_env

    game, settings = lopsided(), {"memory": 1, "noise": 0.25, "continuation": 0.97}
    env, o = parallel_env(game=game, max_cycles=40, **settings), oracle(3, game, rounds=40, **settings)
    seen, expected, rng = env.reset(seed=3)[0], o.reset(), np.random.default_rng(1)
    for _ in range(150):
        assert [view.tolist() for view in seen.values()] == expected
        told = {"player_0": int(rng.integers(2)), "player_1": int(rng.integers(3))}
        seen, rewards, terminated, truncated, infos = env.step(told)
        expected, *outcome = o.step(list(told.values()))
        assert [[*rewards.values()], terminated["player_1"], truncated["player_0"]] == outcome
        assert tuple(infos["player_1"]["joint_action"]) == o.history[-1]
        if not env.agents:
            seen, expected = env.reset()[0], o.reset()


# ---------------------------------------------------------------- play matches the tensors


def catalogue():
    games = {name: load_game(name)() for name in GAMES if name != "matrix_game"}
    games["matrix_game"] = matrix_game(1, 2, 3, 4)
    games["ecological_public_good of 3"] = ecological_public_good(3, qc=(0.2, 0.5, 0.9), degraded_choice=True)
    games["uncertain_dilemma, noisy"] = uncertain_dilemma(p_contract=0.3, noise=(0.1, 0.4))
    games["with memory"] = with_memory(ecological_public_good(qc=0.6, qr=0.5))
    return games


@pytest.mark.parametrize("name", catalogue())
def test_sampled_rounds_have_the_frequencies_and_mean_rewards_of_the_tensors(name):
    game, rounds = catalogue()[name], 3000 if SLOW else 100_000
    lanes, n, joints = 500, game.n_players, int(np.prod(game.n_actions))
    env = vector_env(num_envs=lanes * n, game=game, memory=0)
    env.reset(seed=1)
    rng, events, paid = np.random.default_rng(2), [], []
    for _ in range(rounds // lanes):
        rewards = env.step(rng.integers(game.n_actions[0], size=lanes * n))[1]
        states = env.clone_state().games
        first = states[::n]
        events.append(np.stack([first["played"], first["joint"] - 1, first["state"], *states["seen"].reshape(-1, n).T]))
        paid.append(rewards.reshape(lanes, n))
        if (env.clone_state().over).all():
            env.step(np.zeros(lanes * n, int))  # the next episodes begin
    (played, joint, after, *seen), paid = np.concatenate(events, axis=1), np.concatenate(paid)
    shape = (game.n_states, joints, game.n_states)
    chances, pays = game.transitions.reshape(shape), game.rewards.reshape(n, *shape)
    assert np.array_equal(paid.T, pays[:, played, joint, after])
    for state, action in product(range(game.n_states), range(joints)):
        here = (played == state) & (joint == action)
        count = np.bincount(after[here], minlength=game.n_states)
        assert_within_four_errors(count, chances[state, action])
        if here.any():
            mean = pays[:, state, action] @ chances[state, action]
            spread = np.sqrt(np.maximum(pays[:, state, action] ** 2 @ chances[state, action] - mean**2, 0))
            assert (np.abs(paid[here].mean(0) - mean) <= 4 * spread / np.sqrt(here.sum()) + 1e-9).all()
    for player, state in product(range(n), range(game.n_states)):
        count = np.bincount(seen[player][after == state], minlength=game.n_observations)
        assert_within_four_errors(count, game.observations[player, state])


def assert_within_four_errors(count, chances):
    n = count.sum()
    assert (np.abs(count - n * chances) <= 4 * np.sqrt(n * chances * (1 - chances)) + 1e-9).all()


def test_slips_of_the_hand_come_at_their_rate_and_take_every_other_action_alike():
    env = vector_env(num_envs=2000, game="rock_paper_scissors", noise=0.3)
    env.reset(seed=0)
    rounds = 2 if SLOW else 60
    slips = np.zeros(3)
    for _ in range(rounds):
        env.step(np.full(2000, 1))
        joint = env.clone_state().games["joint"][::2] - 1
        slips += np.bincount(joint // 3, minlength=3) + np.bincount(joint % 3, minlength=3)
    assert_within_four_errors(slips, np.array([0.15, 0.7, 0.15]))


def test_cumulative_odds_reach_one_with_the_last_possible_column():
    thirds = np.array([[0.1] * 3 + [0.7 - 1e-12, 0.0], [0, 1, 0, 0, 0]])
    assert cumulative(thirds)[:, 3:].tolist() == [[1, 1], [1, 1]]
    assert cumulative(thirds)[1].tolist() == [0, 1, 1, 1, 1]


# ---------------------------------------------------------------- sentences of the docstrings


def played(env, actions, seed=0):
    """Return the observations and rewards of an episode's first rounds."""
    seen, rewards = [env.reset(seed=seed)[0].argmax()], []
    for action in actions:
        observation, reward, *_ = env.step(action)
        seen.append(observation.argmax())
        rewards.append(reward)
    return seen, rewards


def test_the_observation_shows_the_last_round_with_the_players_own_action_first():
    assert played(DilemmaEnv(opponent="tit_for_tat"), [0, 1, 1, 0, 0])[0] == [0, 1, 3, 4, 2, 1]


def test_rewards_are_the_players_own_payoffs():
    assert played(DilemmaEnv(opponent="tit_for_tat"), [0, 1, 1, 0, 0])[1] == [3, 5, 1, 0, 3]
    assert played(DilemmaEnv(game="chicken", opponent="always_defect"), [0, 1])[1] == [1, 0]


def test_an_episode_is_cut_off_after_its_rounds_and_terminates_by_chance():
    env = DilemmaEnv(max_steps=3)
    env.reset(seed=0)
    assert [env.step(0)[2:4] for _ in range(3)] == [(False, False), (False, False), (False, True)]
    lanes = DilemmaVectorEnv(20 if SLOW else 2000, continuation=0.75, max_steps=10**6)
    lanes.reset(seed=0)
    ended = lanes.step(np.zeros(lanes.num_envs, int))[2]
    assert_within_four_errors(np.array([ended.sum(), (~ended).sum()]), np.array([0.25, 0.75]))
    assert not lanes.step(np.zeros(lanes.num_envs, int))[3].any()


def test_an_opponents_own_noise_and_memory_are_its_side_of_the_game():
    suspicious = (0, 0, 1, 0, 0)  # cooperates only after it cooperated and the player did not
    assert played(DilemmaEnv(opponent=suspicious), [0, 0, 1])[0] == [0, 2, 2, 4]
    betrayed = (1, 0, 1, 0, 0)
    assert played(DilemmaEnv(opponent=betrayed), [1, 1, 0, 0])[0] == [0, 3, 3, 1, 2]


# ---------------------------------------------------------------- opponents


@pytest.mark.parametrize("opponent", OPPONENTS)
def test_every_named_opponent_plays_the_prisoners_dilemma(opponent):
    env = DilemmaEnv(opponent=opponent)
    env.reset(seed=0)
    assert env.step(0)[1] in (0.0, 3.0)


def copycat(observation, rng):
    """Tit for tat as a function of what it sees: the opponent's own action first."""
    return int(observation.argmax() in (2, 4))


def test_a_function_may_be_the_opponent_and_plays_like_the_same_vector():
    for vector, single in ((False, True), (True, False)):
        kind = DilemmaVectorEnv if vector else DilemmaEnv
        ours, theirs = (kind(**({"num_envs": 3} if vector else {}), opponent=o) for o in (copycat, "tit_for_tat"))
        for env in (ours, theirs):
            env.reset(seed=1)
        for actions in np.random.default_rng(0).integers(2, size=(230, 3)):
            pair = [env.step(int(actions[0]) if single else actions) for env in (ours, theirs)]
            for one, other in zip(*(step[:4] for step in pair), strict=True):
                assert np.array_equal(one, other)
            if single and pair[0][3]:
                ours.reset()
                theirs.reset()


def coin(observation, rng):
    return int(rng.integers(2))


def test_a_functions_random_numbers_are_a_function_of_the_lane():
    vector = DilemmaVectorEnv(3, opponent=coin, game=uncertain_dilemma(noise=0.2))
    vector.reset(seed=4)
    actions = np.random.default_rng(0).integers(2, size=(120, 3))
    rounds = [vector.step(row)[:2] for row in actions[:50]]
    twin = pickle.loads(pickle.dumps(vector))
    for lane in range(3):
        env = DilemmaEnv(opponent=coin, game=uncertain_dilemma(noise=0.2))
        env.reset(seed=4 + lane)
        for (seen, rewards), action in zip(rounds, actions[:50, lane].tolist(), strict=True):
            observation, reward, *_ = env.step(action)
            assert observation.tobytes() == seen[lane].tobytes()
            assert reward == rewards[lane]
    assert len({tuple(rewards) for _, rewards in rounds}) > 4
    for row in actions[50:]:
        for one, other in zip(vector.step(row)[:4], twin.step(row)[:4], strict=True):
            assert np.array_equal(one, other)


def test_a_functions_random_numbers_differ_from_round_to_round_though_the_lane_draws_none():
    env = DilemmaEnv(opponent=coin)
    _, rewards = played(env, [0] * 40)
    assert 0 < rewards.count(0.0) < 40


def test_a_function_is_asked_once_a_round_and_not_where_an_episode_begins():
    asked = []
    env = DilemmaVectorEnv(2, opponent=lambda observation, rng: asked.append(1) or 0, max_steps=3)
    env.reset(seed=0)
    for _ in range(4):  # three rounds, and the step with which the next episodes begin
        env.step(np.zeros(2, int))
    assert len(asked) == 2 * 3


def test_a_function_sees_the_state_through_its_own_noise():
    seen = []

    def look(observation, rng):
        seen.append(int(observation.argmax()))
        return 0

    env = DilemmaVectorEnv(200, opponent=look, memory=0, game=uncertain_dilemma(p_contract=0.5, noise=(0.0, 0.25)))
    views, _ = env.reset(seed=0)
    env.step(np.zeros(200, int))
    right = int((views.argmax(1) == np.array(seen)).sum())
    assert_within_four_errors(np.array([right, 200 - right]), np.array([0.75, 0.25]))


def test_a_functions_bad_action_is_refused_with_its_value():
    env = DilemmaEnv(opponent=lambda observation, rng: 2)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="the opponent's action is 2; it must be a whole number from 0 to 1"):
        env.step(0)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"opponent": "tit_for_two"},
            "there is no opponent 'tit_for_two'; did you mean 'tit_for_tat'? There are: always_",
        ),
        ({"opponent": (1, 0, 1)}, "opponent is (1, 0, 1); it must be a name, a function, or 5 probabilities"),
        ({"opponent": (1, 0, 1, 0, 1.1)}, "opponent is (1, 0, 1, 0, 1.1); it must be a name"),
        ({"opponent": (1, 0, 1, 0, float("nan"))}, "it must be a name, a function, or 5 probabilities"),
        ({"opponent": "extortion", "game": "stag_hunt"}, "extortion needs T > R > P > S, a prisoner's dilemma"),
        ({"opponent": "extortion", "game": uncertain_dilemma()}, "extortion is computed from the payoffs of one state"),
        ({"game": "rock_paper_scissors"}, "seat 1 has 3 actions; a strategy of probabilities needs 2 of them"),
        ({"game": public_goods(3)}, "the game has 3 players; against one opponent it must have 2"),
        ({"game": "prisoner_dilemma"}, "there is no game 'prisoner_dilemma'; did you mean 'prisoners_dilemma'?"),
        ({"game": 3}, "game is 3; it must be a name or a Game"),
        ({"noise": 0.51}, "noise is 0.51; it must lie between 0 and 0.5"),
        ({"noise": float("nan")}, "noise is nan; it must lie between 0 and 0.5"),
        ({"continuation": -0.1}, "continuation is -0.1; it must lie between 0 and 1"),
        ({"continuation": "often"}, "continuation is 'often'; it must lie between 0 and 1"),
        ({"memory": -1}, "memory is -1; it must be a whole number from 0 to 8"),
        ({"memory": 6}, "memory is 6: a player of 4 joint actions and 1 observations would have 15625 views"),
        ({"max_steps": 0}, "max_steps is 0; it must be a whole number from 1"),
    ],
)
def test_bad_settings_are_refused_with_value_and_remedy(settings, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        DilemmaEnv(**settings)


def test_games_other_than_the_registered_ones_are_settings_of_the_ids():
    env = gym.make("popenvs:PopPrisonersDilemma-v0", game="uncertain_dilemma", opponent=(0.5,) * 5, memory=0)
    assert env.observation_space.shape == (2,)
    assert env.reset(seed=0)[0].sum() == 1


# ---------------------------------------------------------------- the many-player vector environment


def test_slot_l_n_plus_p_is_seat_p_of_lane_l():
    env = vector_env(num_envs=4)
    env.reset(seed=0)
    seen, rewards, *_ = env.step(np.array([0, 1, 1, 1]))
    assert rewards.tolist() == [0, 5, 1, 1]
    assert seen.argmax(1).tolist() == [2, 3, 4, 4]
    assert env.seats == 2


@pytest.mark.parametrize("mode", AutoresetMode)
def test_a_lane_is_the_same_game_at_any_number_of_lanes(mode):
    settings = {"game": ecological_public_good(3), "continuation": 0.9, "noise": 0.1, "autoreset_mode": mode}
    many, one = vector_env(num_envs=9, **settings), vector_env(num_envs=3, **settings)
    seen, alone = many.reset(seed=7)[0], one.reset(seed=10)[0]  # lane 1 is seeded 7 + 3
    ends = 0
    for actions in np.random.default_rng(0).integers(2, size=(120, 9)):
        assert seen[3:6].tobytes() == alone.tobytes()
        seen, rewards, terminated, truncated, infos = many.step(actions)
        alone, paid, ended, _, told = one.step(actions[3:6])
        assert (rewards[3:6].tolist(), terminated[3:6].tolist()) == (paid.tolist(), ended.tolist())
        over = terminated | truncated
        if over.any():
            rates = (infos["final_info"] if mode is SAME_STEP else infos)["cooperation"]
            assert not rates[~over].any()
        if ended.any():
            told, infos = (info["final_info"] if mode is SAME_STEP else info for info in (told, infos))
            assert infos["cooperation"][3:6].tolist() == told["cooperation"].tolist()
            ends += 1
        if mode is DISABLED and terminated.any():
            seen, _ = many.reset(options={"reset_mask": terminated})
        if mode is DISABLED and ended.any():
            alone, _ = one.reset()
    assert ends >= 3


def test_the_infos_of_the_last_step_tell_how_often_each_player_cooperated():
    env = vector_env(num_envs=4, max_steps=4, autoreset_mode=DISABLED)
    env.reset(seed=0)
    for t in range(4):
        infos = env.step(np.array([0, 1, int(t < 1), int(t < 3)]))[4]
        assert bool(infos) == (t == 3)
    assert infos["cooperation"].tolist() == [1, 0, 0.75, 0.25]
    assert infos["_cooperation"].tolist() == [True] * 4
    env = vector_env(num_envs=2, game=matching_pennies(), max_steps=1, autoreset_mode=DISABLED)
    env.reset(seed=0)
    assert env.step(np.array([0, 1]))[4] == {}


def test_masked_resets_hold_whole_lanes():
    env = vector_env(num_envs=4, autoreset_mode=DISABLED)
    env.reset(seed=0)
    env.step(np.array([0, 1, 0, 1]))
    seen, _ = env.reset(seed=[9, 9, 5, 5], options={"reset_mask": np.array([False, False, True, True])})
    assert seen.argmax(1).tolist() == [2, 3, 0, 0]
    before = env.clone_state().games.tolist()
    with pytest.raises(ValueError, match="the 2 slots of a lane begin together: it must hold all of them or none"):
        env.reset(options={"reset_mask": np.array([True, False, False, False])})
    assert repr(env.clone_state().games.tolist()) == repr(before)


def test_slots_that_do_not_fit_the_game_are_refused():
    with pytest.raises(ValueError, match="num_envs is 4; a game of 3 players needs a multiple of 3"):
        vector_env(num_envs=4, game="public_goods")
    with pytest.raises(
        ValueError, match=re.escape("the players have (2, 3) actions; slots need equally many. Such a game is")
    ):
        vector_env(num_envs=4, game=lopsided())
    with pytest.raises(TypeError, match="opponent"):
        vector_env(num_envs=4, opponent="grim")


def test_stable_baselines3s_ppo_learns_all_seats_with_one_policy():
    from stable_baselines3 import PPO

    from popagents.rollout.vec_env import GymVecEnv

    env = GymVecEnv(vector_env(num_envs=8, game="stag_hunt", max_steps=16, autoreset_mode=SAME_STEP))
    model = PPO("MlpPolicy", env, n_steps=16, batch_size=64, n_epochs=1, seed=0, device="cpu").learn(256)
    assert model.num_timesteps == 256
    assert {0.0, 0.8, -0.5, 1.0} >= set(np.round(env.vector_env.step(np.zeros(8, int))[1], 9))


# ---------------------------------------------------------------- pictures


def test_text_shows_the_history_as_letters_and_the_caption_where_play_stands():
    env = DilemmaEnv(opponent="tit_for_tat", render_mode="ansi")
    played(env, [0, 1, 1, 0])
    assert env.render() == "player_0 CDDC\nplayer_1 CCDD\nround 4   score 9   cooperate 50 : 50 %"


def test_text_shows_the_last_hundred_rounds_of_a_longer_episode():
    env = DilemmaEnv(opponent="always_defect", render_mode="ansi", max_steps=300)
    played(env, [1] * 30 + [0] * SHOWN)
    assert env.render().split("\n")[:2] == ["player_0 " + "C" * SHOWN, "player_1 " + "D" * SHOWN]


def test_the_picture_lights_up_the_cell_just_played():
    from popenvs.dilemmas.picture import CELL, PLAYED

    env = DilemmaEnv(opponent="always_defect")
    env.reset(seed=0)

    def cells():
        picture = env.game.picture(env.clone_state().games[0])
        tiles = {tile.name: tile.colour for tile in picture.tiles}
        return [tiles[words] for words in ("3\n3", "0\n5", "5\n0", "1\n1")]

    assert cells() == [CELL] * 4
    env.step(0)
    assert cells() == [CELL, PLAYED, CELL, CELL]


def test_more_than_two_players_see_what_each_would_have_got():
    from popenvs.dilemmas.picture import CELL, PLAYED

    env = vector_env(num_envs=6, game=public_goods(3, f=1.5, c=1.0), render_mode="ansi")
    env.reset(seed=0)
    env.step(np.array([0, 0, 1, 1, 1, 1]))
    first, second, third, *_, last = env.render()
    assert first == second == third
    assert first.startswith("player_0 C\nplayer_1 C\nplayer_2 D\nround 1   score 0 : 0 : 1")
    assert last.startswith("player_0 D\nplayer_1 D\nplayer_2 D")
    picture = env.game.picture_of_lane(env.clone_state().games[:3])
    rows = [[picture.tiles[tile] for tile in row] for row in picture.board]
    assert [[tile.name for tile in row] for row in rows[1:]] == [
        ["player 0", "0", "0.5"],
        ["player 1", "0", "0.5"],
        ["player 2", "0.5", "1"],
    ]
    assert [[tile.colour for tile in row[1:]] for row in rows[1:]] == [[PLAYED, CELL]] * 2 + [[CELL, PLAYED]]


def test_letters_are_initials_or_numbers_where_these_do_not_differ():
    from popenvs.dilemmas.picture import letters

    assert letters(("cooperate", "defect")) == ["C", "D"]
    assert letters(("stag", "share")) == ["0", "1"]
