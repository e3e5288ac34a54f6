"""Sampled learners meet the equations as their batches grow."""

import numpy as np
import pytest

from popagents import dynamics
from popenvs.dilemmas import catalogue
from tests.dynamics.cases import STAG_HUNT, random_game

RULES = [
    (dynamics.ActorCritic, {}),
    (dynamics.Sarsa, {"choice_intensity": 2.0}),
    (dynamics.QLearning, {"choice_intensity": 2.0}),
    (dynamics.ValueSarsa, {}),
    (dynamics.PartiallyObservableActorCritic, {"prefactor": True}),
]


def n_actions(game):
    """Return how many actions the second player has."""
    return game.transitions.shape[2]


def distance(game, cls, settings, size, batches):
    """Return the root mean square of sampled less exact errors."""
    sampled = dynamics.BatchLearner(game, size, 0.1, 0.8, learner=cls, **settings)
    X = sampled.dynamics.random_strategies(1)[0]
    if cls is not dynamics.ValueSarsa:  # nothing is too rare to be sampled
        X = 0.7 * X + 0.3 * sampled.dynamics.available[:, None, :] / np.array([2, n_actions(game)])[:, None, None]
    exact = sampled.dynamics.prediction_error(X)
    return np.sqrt(np.mean([(sampled.prediction_error(X) - exact) ** 2 for _ in range(batches)]))


@pytest.mark.parametrize(("cls", "settings"), RULES)
def test_the_error_falls_as_one_over_the_square_root_of_the_batch(cls, settings):
    game, sizes = random_game(0, (2, 3), 2, 2), [1000, 4000, 16_000, 64_000]
    distances = [distance(game, cls, settings, size, 40) for size in sizes]
    slope = np.polyfit(np.log(sizes), np.log(distances), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.1)


def test_the_error_falls_so_where_players_see_badly_in_a_dilemma():
    game, sizes = catalogue.uncertain_dilemma(noise=0.2), [1000, 8000, 64_000]
    distances = [distance(game, dynamics.PartiallyObservableActorCritic, {}, size, 40) for size in sizes]
    assert np.polyfit(np.log(sizes), np.log(distances), 1)[0] == pytest.approx(-0.5, abs=0.1)


def test_sampled_averages_by_hand_where_nothing_is_random():
    learner = dynamics.BatchLearner(STAG_HUNT, 50, 0.1, 0.9)
    averages, counts = learner.sampled_averages(np.array([[[1.0, 0.0]], [[0.0, 1.0]]]))
    assert counts.tolist() == [[[50, 0]], [[0, 50]]]
    np.testing.assert_allclose(averages.rewards, [[[-0.5, 0]], [[0, 0.8]]])
    assert averages.chain.tolist() == [[[1]], [[1]]]


def test_what_never_happened_is_not_learned_from():
    learner = dynamics.BatchLearner(STAG_HUNT, 50, 0.1, 0.9)
    error = learner.prediction_error([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert error[0, 0, 1] == 0
    assert error[1, 0, 0] == 0


def test_a_trajectory_goes_where_the_equations_go():
    learner = dynamics.BatchLearner(STAG_HUNT, 5000, 0.1, 0.9, seed=3)
    X = np.array([[[0.6, 0.4]], [[0.55, 0.45]]])
    path = learner.trajectory(X, 60)
    assert abs(path - learner.dynamics.trajectory(X, 60, tolerance=0).strategies).max() < 0.02


def test_a_seed_settles_everything():
    X = [[[0.6, 0.4]], [[0.55, 0.45]]]
    paths = [dynamics.BatchLearner(STAG_HUNT, 20, 0.1, 0.9, seed=seed).trajectory(X, 5) for seed in (1, 1, 2)]
    assert (paths[0] == paths[1]).all()
    assert (paths[0] != paths[2]).any()
