"""What cannot be learned is refused, with what was given, what was expected and the remedy."""

from types import SimpleNamespace

import numpy as np
import pytest

from popagents import dynamics
from popenvs.dilemmas.game import Game
from tests.dynamics.cases import CYCLE, PENNIES, STAG_HUNT, random_game

EVERY = [
    dynamics.ActorCritic,
    dynamics.Sarsa,
    dynamics.QLearning,
    dynamics.ValueSarsa,
    dynamics.PartiallyObservableActorCritic,
]


def critic(game=STAG_HUNT, **settings):
    return dynamics.ActorCritic(game, **{"learning_rate": 0.1, "discount": 0.9} | settings)


@pytest.mark.parametrize("cls", [cls for cls in EVERY if cls is not dynamics.ValueSarsa])
@pytest.mark.parametrize("method", ["trajectory", "step", "prediction_error", "values", "action_values", "stationary"])
def test_strategies_that_do_not_sum_to_one_are_refused(cls, method):
    with pytest.raises(ValueError, match=r"strategies\[1, 0\] are \[0.5, 0.6\], which sum to 1.1; they must be 2 prob"):
        getattr(cls(STAG_HUNT, 0.1, 0.9), method)([[[0.6, 0.4]], [[0.5, 0.6]]])


def test_negative_strategies_are_refused():
    with pytest.raises(ValueError, match=r"strategies\[0, 0\] are \[1.5, -0.5\]"):
        critic().step([[[1.5, -0.5]], [[0.5, 0.5]]])


def test_the_place_in_a_batch_is_named():
    X = critic().random_strategies(5)
    X[3, 1, 0] = [0.2, 0.2]
    with pytest.raises(ValueError, match=r"strategies\[3, 1, 0\]"):
        critic().trajectory(X)


@pytest.mark.parametrize("cls", EVERY)
def test_a_wrong_shape_is_refused_with_the_right_one(cls):
    with pytest.raises(ValueError, match=r"have shape \(2, 2\); they must have .* = \(..., 2, 1, 2\)"):
        cls(STAG_HUNT, 0.1, 0.9).trajectory([[0.6, 0.4], [0.5, 0.5]])


def test_a_probability_for_an_action_that_a_player_does_not_have_is_refused():
    X = np.full((2, 2, 3), 1 / 3)
    with pytest.raises(ValueError, match=r"they must be 2 probabilities that sum to 1, then zeros"):
        critic(random_game(0, (2, 3), 2)).step(X)
    with pytest.raises(ValueError, match="it must be 0"):
        dynamics.ValueSarsa(random_game(0, (2, 3), 2), 0.1, 0.9).step(X)


@pytest.mark.parametrize("cls", EVERY)
@pytest.mark.parametrize("discount", [1.0, -0.1, np.nan, [0.9, 1.0], np.inf])
def test_a_discount_outside_0_to_1_is_refused(cls, discount):
    with pytest.raises(ValueError, match="discount is .*; it must be from 0 to below 1"):
        cls(STAG_HUNT, 0.1, discount)


@pytest.mark.parametrize("cls", EVERY)
@pytest.mark.parametrize("rate", [0.0, -0.1, np.nan, [0.1, 0.0]])
def test_a_learning_rate_of_0_or_less_is_refused(cls, rate):
    with pytest.raises(ValueError, match="learning_rate is .*; it must be above 0"):
        cls(STAG_HUNT, rate, 0.9)


def test_other_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="choice_intensity is -1"):
        critic(choice_intensity=-1)
    with pytest.raises(ValueError, match="epsilon is 1.5; it must be from 0 to 1"):
        dynamics.ValueSarsa(STAG_HUNT, 0.1, 0.9, epsilon=1.5)


def test_settings_for_the_wrong_number_of_players_are_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"discount has shape \(3,\); .* 2\): one a player.* discount\[:, None\]"):
        critic(discount=[0.1, 0.2, 0.3])


def test_batch_axes_that_do_not_fit_are_refused():
    learner = critic(discount=np.full((3, 1), 0.5))
    with pytest.raises(ValueError, match="batch axes of starts, settings and game do not fit each other"):
        learner.trajectory(learner.random_strategies(4))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"keep": "last"}, "keep is 'last'"),
        ({"max_steps": 0}, "max_steps is 0"),
        ({"tolerance": -1.0}, "tolerance is -1.0"),
        ({"tolerance": np.nan}, "tolerance is nan"),
    ],
)
def test_bad_settings_of_a_run_are_refused(settings, text):
    with pytest.raises(ValueError, match=text):
        critic().trajectory([[[0.6, 0.4]], [[0.5, 0.5]]], **settings)


def broken(**changes):
    return SimpleNamespace(**vars(random_game(0, (2, 3), 2)) | changes)


@pytest.mark.parametrize(
    ("game", "text"),
    [
        (broken(transitions=np.full((2, 2, 3, 2), 0.4)), "transitions hold a row that is no probability distribution"),
        (broken(observations=np.full((2, 2, 2), 0.4)), "observations hold a row that is no probability distribution"),
        (
            broken(transitions=np.ones((2, 3, 1))),
            r"transitions have shape \(2, 3, 1\).* must have \(..., 2, A_1, A_2, 2\)",
        ),
        (broken(rewards=np.ones((2, 2, 2, 2, 2))), r"rewards have shape .* must have \(..., 2, 2, 2, 3, 2\)"),
        (broken(rewards=np.full((2, 2, 2, 3, 2), np.nan)), "rewards hold a number that is not finite"),
        (broken(observations=np.ones((2, 2))), r"observations have shape \(2, 2\)"),
    ],
)
def test_what_is_no_game_is_refused(game, text):
    with pytest.raises(ValueError, match=text):
        critic(game)


def test_a_game_without_players_choices_is_solved():
    learner = critic(Game(np.ones((1, 1, 1, 1)), np.ones((2, 1, 1, 1, 1))))
    run = learner.trajectory(np.ones((2, 1, 1)))
    assert run.converged
    np.testing.assert_allclose(learner.values(run.final), 10)


def test_what_cannot_be_analysed_is_refused():
    with pytest.raises(ValueError, match="n_steps is 0"):
        dynamics.lyapunov(critic(), [[[0.6, 0.4]], [[0.5, 0.5]]], 0)
    with pytest.raises(ValueError, match="n is 0"):
        dynamics.basins(critic(), 0)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"x": (2, 0, 0)}, r"x is \(2, 0, 0\); it must be \(player, state, action\)"),
        ({"y": (1, 0, 2)}, r"y is \(1, 0, 2\)"),
        ({"x": (1, 0, 0)}, r"x and y are both \(1, 0, 0\)"),
        ({"x": (1, 0, 1)}, "and the axes leave player 1 no action"),
        ({"grid": 0}, "grid is 0"),
        ({"grid": [0.5, 1.5]}, "grid is"),
        ({"arrows": "none"}, "arrows is 'none'"),
        ({"background": np.ones((2, 1, 2))}, "which sum to 2"),
    ],
)
def test_what_is_no_plane_is_refused(settings, text):
    with pytest.raises(ValueError, match=text):
        dynamics.flow(critic(), **settings)


def test_a_table_of_values_has_no_plane_of_strategies():
    with pytest.raises(ValueError, match="ValueSarsa learns values, not strategies"):
        dynamics.flow(dynamics.ValueSarsa(STAG_HUNT, 0.1, 0.9))


def test_evolution_refuses_what_it_cannot_play():
    with pytest.raises(ValueError, match="the game has 2 states"):
        dynamics.replicator(random_game(0, (2, 2), 2))
    for game in (PENNIES, random_game(0, (2, 2), 1), random_game(0, (2, 3), 1)):
        with pytest.raises(ValueError, match="the game is not symmetric"):
            dynamics.replicator(game, single=True)
        with pytest.raises(ValueError, match="the game is not symmetric"):
            dynamics.moran(game, 10)
    with pytest.raises(ValueError, match=r"shares of shape \(2,\)"):
        dynamics.replicator(CYCLE, single=True).derivative([0.5, 0.5])
    with pytest.raises(ValueError, match="no probabilities"):
        dynamics.replicator(CYCLE, single=True).trajectory([0.5, 0.5, 0.5], 10)
    with pytest.raises(ValueError, match="population_size is 1; it must be at least 2"):
        dynamics.moran(CYCLE, 1)
    with pytest.raises(ValueError, match="selection is -1"):
        dynamics.moran(CYCLE, 10, -1)


def test_a_batch_learner_takes_no_batch_axes():
    with pytest.raises(ValueError, match="game or settings have batch axes"):
        dynamics.BatchLearner(STAG_HUNT, 100, np.full((3, 1), 0.1), 0.9)
    with pytest.raises(ValueError, match="batch_size is 0"):
        dynamics.BatchLearner(STAG_HUNT, 0, 0.1, 0.9)
