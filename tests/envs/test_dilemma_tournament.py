"""Named opponents and their tournament, against hand-computed matches and against play."""

import numpy as np
import pytest

from popenvs.dilemmas.against_opponent import DilemmaEnv
from popenvs.dilemmas.catalogue import (
    chicken,
    ecological_public_good,
    prisoners_dilemma,
    public_goods,
    rock_paper_scissors,
)
from popenvs.dilemmas.opponents import OPPONENTS, extortion, generous_tit_for_tat, strategy
from popenvs.dilemmas.tournament import expected_payoffs, power_sum, tournament
from popenvs.social_dilemma_v0 import vector_env

HAND = ["always_cooperate", "always_defect", "tit_for_tat", "grim", "win_stay_lose_shift"]


def test_pairwise_scores_of_deterministic_opponents_equal_hand_computed_ones():
    scores = tournament(prisoners_dilemma(), HAND, rounds=10)
    # against the defector: the first round costs the nice ones 5, then 1 a round; win-stay lose-shift alternates C, D
    assert scores.tolist() == [
        [30, 0, 30, 30, 30],
        [50, 10, 5 + 9, 5 + 9, 5 * 5 + 5 * 1],
        [30, 0 + 9, 30, 30, 30],
        [30, 0 + 9, 30, 30, 30],
        [30, 5 * 0 + 5 * 1, 30, 30, 30],
    ]


def test_two_matches_written_out_round_by_round():
    game, odd = prisoners_dilemma(), (0.0, 0.0, 1.0, 1.0, 0.0)  # defects first, cooperates after the two differed
    # tit for tat plays C D C C D, the other D C C D C
    assert expected_payoffs(game, (strategy("tit_for_tat", game), odd), 5).tolist() == [
        0 + 5 + 3 + 0 + 5,
        5 + 0 + 3 + 5 + 0,
    ]
    # grim plays C D D D, the other D C C C
    assert expected_payoffs(game, (strategy("grim", game), odd), 4).tolist() == [0 + 5 + 5 + 5, 5 + 0 + 0 + 0]


def test_random_players_share_the_table_evenly():
    assert tournament(prisoners_dilemma(), ["random"], rounds=8).tolist() == [[8 * 9 / 4]]


def test_scores_are_what_play_gives_on_average():
    game, noise = prisoners_dilemma(), 0.05
    for name in OPPONENTS:
        env = DilemmaEnv(opponent=name, noise=noise, max_steps=20, continuation=0.95)
        odds = strategy("win_stay_lose_shift", game), strategy(name, game)
        expected = expected_payoffs(game, odds, 20, noise, 0.95)[0]
        rng, returns = np.random.default_rng(0), np.zeros(200)
        for episode in range(200):
            seen, over = env.reset(seed=episode)[0], False
            while not over:
                seen, reward, terminated, truncated, _ = env.step(int(rng.random() >= odds[0][seen.argmax()]))
                returns[episode] += reward
                over = terminated or truncated
        assert abs(returns.mean() - expected) < 4 * returns.std(ddof=1) / 200**0.5


def test_scores_of_three_players_in_two_states_are_what_play_gives_on_average():
    game, rng = ecological_public_good(3, degraded_choice=True), np.random.default_rng(1)
    odds = rng.random((3, 9))
    env = vector_env(num_envs=3 * 1500, game=game, max_steps=12)
    seen, returns = env.reset(seed=0)[0], np.zeros(4500)
    for _ in range(12):
        code = seen.argmax(1) % 9  # the observation of the state times nine last rounds
        actions = (rng.random(4500) >= odds[np.tile(np.arange(3), 1500), code]).astype(int)
        seen, rewards, *_ = env.step(actions)
        returns += rewards
    returns = returns.reshape(1500, 3)
    error = returns.std(0, ddof=1) / 1500**0.5
    assert (np.abs(returns.mean(0) - expected_payoffs(game, odds, 12)) < 4 * error).all()


def test_power_sum_adds_the_powers():
    matrix = np.array([[0.5, 0.25], [0.0, 1.0]])
    for n in (1, 2, 3, 6, 13):
        expected = sum(np.linalg.matrix_power(matrix, k) for k in range(n))
        np.testing.assert_allclose(power_sum(matrix, n), expected, rtol=1e-12)


# ---------------------------------------------------------------- strategies


def test_extortion_is_the_published_vector_and_takes_three_times_as_much():
    np.testing.assert_allclose(extortion(3, 5, 0, 1), [1, 11 / 13, 1 / 2, 7 / 26, 0], rtol=1e-12)
    game, rng = prisoners_dilemma(), np.random.default_rng(0)
    for _ in range(5):
        mine, theirs = expected_payoffs(game, (strategy("extortion", game), rng.random(5)), 10**6) / 10**6
        assert mine - 1 == pytest.approx(3 * (theirs - 1), rel=1e-3)
    other = prisoners_dilemma(R=4, T=7, S=-1, P=1)
    mine, theirs = expected_payoffs(other, (strategy("extortion", other), rng.random(5)), 10**6) / 10**6
    assert mine - 1 == pytest.approx(3 * (theirs - 1), rel=1e-3)


def test_generous_tit_for_tat_forgives_one_defection_in_three():
    np.testing.assert_allclose(generous_tit_for_tat(3, 5, 0, 1), [1, 1, 1 / 3, 1, 1 / 3], rtol=1e-12)
    assert generous_tit_for_tat(4, 5, 0, 1)[2] == pytest.approx(min(1 - 1 / 4, 3 / 4))
    with pytest.raises(ValueError, match="cannot forgive where 2 R < T"):
        generous_tit_for_tat(2.5, 6, 0, 1)


def test_a_strategy_of_more_players_has_a_place_for_every_joint_action():
    assert strategy([0.5] * 9, public_goods(3), seat=2).tolist() == [0.5] * 9
    with pytest.raises(ValueError, match="or 9 probabilities"):
        strategy([0.5] * 5, public_goods(3))
    with pytest.raises(ValueError, match="grim plays games of two players with two actions"):
        strategy("grim", public_goods(3))


def test_named_strategies_do_not_depend_on_the_seat():
    for name in OPPONENTS:
        game = prisoners_dilemma()
        assert strategy(name, game, 0).tolist() == strategy(name, game, 1).tolist()


def test_the_best_response_among_memory_one_strategies_is_a_reference():
    scores = DilemmaEnv(game=chicken(), opponent="tit_for_tat").game.reference_scores
    assert (
        scores["best memory-one"] == 5 + 1 * 49 + 5 * 49 + 3
    )  # defects and cooperates in turn, ends with D after C...


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"noise": 2.0}, "noise is 2.0; it must lie between 0 and 0.5"),
        ({"noise": -0.1}, "noise is -0.1"),
        ({"rounds": -3}, "rounds is -3; it must be a whole number from 1 "),
        ({"rounds": 0}, "rounds is 0"),
        ({"rounds": 2.5}, "rounds is 2.5"),
    ],
)
def test_a_tournament_that_nobody_could_hold_is_refused(settings, says):
    with pytest.raises(ValueError, match=says):
        tournament(prisoners_dilemma(), ["grim", "random"], **settings)


@pytest.mark.parametrize(
    ("game", "odds", "says"),
    [
        (prisoners_dilemma(), [(5,) * 5, (0,) * 5], "must be a name, a function, or 5 probabilities"),
        (prisoners_dilemma(), [(np.nan,) * 5, (0,) * 5], "5 probabilities"),
        (prisoners_dilemma(), [(0.5,) * 3, (0,) * 5], "5 probabilities"),
        (prisoners_dilemma(), [(0.5,) * 5], "odds are 1 strategies; the game's 2 players need one each"),
        (rock_paper_scissors(), [(0.5,) * 10] * 2, "seat 0 has 3 actions"),
    ],
)
def test_payoffs_are_expected_of_probabilities_alone(game, odds, says):
    with pytest.raises(ValueError, match=says):
        expected_payoffs(game, odds, 10)
    with pytest.raises(ValueError, match="continuation is 3.0; it must lie between 0 and 1"):
        expected_payoffs(prisoners_dilemma(), ["grim", "random"], 10, continuation=3.0)
