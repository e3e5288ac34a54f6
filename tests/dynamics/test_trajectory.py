"""The compiled loop: equal to the equations for every rule and shape, alone or in a batch, and honest about its end."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from popagents import dynamics
from popagents.dynamics import trajectory
from tests.dynamics.cases import CYCLE, PENNIES, STAG_HUNT, random_game

RULES = {
    "actor-critic": (dynamics.ActorCritic, {"choice_intensity": 2.0}),
    "sarsa": (dynamics.Sarsa, {"choice_intensity": 2.0}),
    "q-learning": (dynamics.QLearning, {"choice_intensity": 2.0, "prefactor": True}),
    "value": (dynamics.ValueSarsa, {"epsilon": 0.2}),
    "partial": (dynamics.PartiallyObservableActorCritic, {}),
    "partial, as published": (dynamics.PartiallyObservableActorCritic, {"consistent": False, "prefactor": True}),
}
every_rule = pytest.mark.parametrize(("cls", "settings"), RULES.values(), ids=RULES)


def by_equations(learner, X, n):
    """Step by step with the NumPy equations, (n + 1, ...)."""
    path = [np.asarray(X)]
    for _ in range(n):
        path.append(learner.step(path[-1]))
    return np.stack(path)


@every_rule
@pytest.mark.parametrize(
    ("counts", "states", "observations"), [((2, 2), 1, 1), ((3, 2), 2, 3), ((2, 1, 3), 3, 2), ((2, 2, 2, 2), 2, 2)]
)
def test_compiled_steps_equal_the_equations(cls, settings, counts, states, observations):
    learner = cls(random_game(0, counts, states, observations), 0.2, 0.8, **settings)
    X = learner.random_strategies(3)
    run = learner.trajectory(X, 20, tolerance=0)
    np.testing.assert_allclose(run.strategies, by_equations(learner, X, 20), rtol=1e-9, atol=1e-12)


@every_rule
def test_a_batch_is_its_elements_side_by_side(cls, settings):
    learner = cls(random_game(4, (2, 3), 2, 2), 0.2, 0.5, **settings)
    X = learner.random_strategies(150)  # more than there are lanes
    together = learner.trajectory(X, 300, tolerance=1e-2)
    assert len(set(together.n_steps.tolist())) > 5
    for k in range(0, 150, 7):
        alone = learner.trajectory(X[k], 300, tolerance=1e-2)
        assert (together.n_steps[k], together.converged[k]) == (alone.n_steps, alone.converged)
        np.testing.assert_allclose(together.strategies[: alone.n_steps + 1, k], alone.strategies, rtol=1e-9, atol=1e-12)
        assert (together.strategies[alone.n_steps :, k] == together.final[k]).all()


def test_settings_of_a_batch_are_one_number_a_player_behind_its_axes():
    rates, discounts = np.array([[0.1], [0.3]]), np.array([[[0.0, 0.5]], [[0.9, 0.2]], [[0.7, 0.7]]])
    game = random_game(2, (2, 3), 2)
    X = dynamics.ActorCritic(game, 0.1, 0.9).random_strategies(1)[0]
    run = dynamics.ActorCritic(game, rates, discounts).trajectory(X, 15, tolerance=0)
    assert run.strategies.shape == (16, 3, 2, *X.shape)
    for i, j in np.ndindex(3, 2):
        alone = dynamics.ActorCritic(game, rates[j, 0], discounts[i, 0]).trajectory(X, 15, tolerance=0)
        np.testing.assert_allclose(run.strategies[:, i, j], alone.strategies, rtol=1e-9)


@every_rule
def test_games_of_a_batch_stand_in_front_of_their_tensors(cls, settings):
    games = [random_game(seed, (2, 3), 2) for seed in range(3)]
    stacked = SimpleNamespace(
        transitions=np.stack([game.transitions for game in games]),
        rewards=np.stack([game.rewards for game in games]),
        observations=games[0].observations,
    )
    learner = cls(stacked, 0.1, 0.9, **settings)
    X = learner.random_strategies(4)[:, None]  # 4 starts in each of 3 games
    run = learner.trajectory(X, 15, tolerance=0)
    assert run.converged.shape == (4, 3)
    np.testing.assert_allclose(run.strategies[1], learner.step(X), rtol=1e-9)
    for k, game in enumerate(games):
        alone = cls(game, 0.1, 0.9, **settings).trajectory(X[:, 0], 15, tolerance=0)
        np.testing.assert_allclose(run.strategies[:, :, k], alone.strategies, rtol=1e-9)


def test_the_state_that_satisfies_the_tolerance_is_stored_and_the_last():
    learner = dynamics.ActorCritic(STAG_HUNT, 0.1, 0.9)
    run = learner.trajectory([[[0.6, 0.4]], [[0.55, 0.45]]], tolerance=1e-5)
    sizes = np.linalg.norm(np.diff(run.strategies, axis=0).reshape(run.n_steps, -1), axis=1)
    assert run.converged
    assert (sizes[:-1] >= 1e-6).all()
    assert sizes[-1] < 1e-6
    assert len(run.strategies) == run.n_steps + 1
    assert (run.strategies[0] == [[[0.6, 0.4]], [[0.55, 0.45]]]).all()


def test_who_is_still_moving_has_neither_converged_nor_diverged():
    run = dynamics.ActorCritic(PENNIES, 0.1, 0.9).trajectory([[[0.6, 0.4]], [[0.5, 0.5]]], 100)
    assert (run.converged, run.diverged, run.n_steps) == (False, False, 100)
    assert repr(run) == "<Trajectory: still moving after 100 steps>"


def test_ends_are_those_of_the_whole_way():
    learner = dynamics.ActorCritic(CYCLE, 0.1, 0.9)
    X = learner.random_strategies(100)
    ends, whole = (learner.trajectory(X, 500, keep=keep) for keep in ("ends", "all"))
    assert ends.strategies.shape == (2, *X.shape)
    assert (ends.strategies[0] == X).all()
    assert (ends.final == whole.final).all()
    assert (ends.n_steps == whole.n_steps).all()


def test_a_run_that_does_not_fit_is_run_twice_with_the_same_result(monkeypatch):
    learner = dynamics.ActorCritic(STAG_HUNT, 0.1, 0.9)
    X = learner.random_strategies(10)
    once = learner.trajectory(X)
    monkeypatch.setattr(trajectory, "ROOM", 0)
    assert (learner.trajectory(X).strategies == once.strategies).all()


def test_memory_does_not_grow_with_steps_where_only_ends_are_kept():
    learner = dynamics.ActorCritic(PENNIES, 0.01, 0.9)
    X = learner.random_strategies(2000)

    def peak(max_steps):
        tracemalloc.start()
        learner.trajectory(X, max_steps, keep="ends")
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(2)
    assert peak(200) < 1.1 * peak(2)
    assert peak(200) < 30 * X.nbytes


def test_nan_is_reported_as_diverged_never_as_a_fixed_point():
    learner = dynamics.ActorCritic(STAG_HUNT, 0.1, 0.9)
    X = learner.random_strategies(3)
    X[1] = np.nan
    run = learner.trajectory(X)
    assert run.converged.tolist() == [True, False, True]
    assert run.diverged.tolist() == [False, True, False]
    assert np.isfinite(run.final[[0, 2]]).all()
    assert repr(run).startswith("<Trajectory of 3 starts: 2 converged, 1 diverged, at most ")
    alone = learner.trajectory(X[1])
    assert (alone.converged, alone.diverged) == (False, True)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # interpreted, what overflows warns
def test_values_that_run_away_are_reported_as_diverged():
    learner = dynamics.ValueSarsa(STAG_HUNT, 2.5, 0.9)
    run = learner.trajectory(np.ones((2, 1, 2)))
    assert (run.converged, run.diverged) == (False, True)
    assert run.n_steps < 10_000


def test_rewards_too_large_to_add_up_are_reported_as_diverged():
    game = SimpleNamespace(**vars(STAG_HUNT))
    game.rewards = STAG_HUNT.rewards * 1e308
    run = dynamics.ActorCritic(game, 0.1, 0.9).trajectory([[[0.6, 0.4]], [[0.55, 0.45]]])
    assert (run.converged, run.diverged) == (False, True)


def test_no_starts_are_no_trajectories():
    learner = dynamics.ActorCritic(STAG_HUNT, 0.1, 0.9)
    run = learner.trajectory(learner.random_strategies(0))
    assert run.final.shape == (0, 2, 1, 2)
    assert run.n_steps.shape == (0,)


def test_starts_and_game_are_left_as_they_were():
    learner = dynamics.ActorCritic(STAG_HUNT, 0.1, 0.9)
    X = learner.random_strategies(5)
    before = X.copy()
    learner.trajectory(X)
    assert (before == X).all()


def test_random_strategies_are_uniform_on_the_simplex_and_the_seeds_own():
    learner = dynamics.ActorCritic(random_game(0, (2, 3), 2), 0.1, 0.9)
    X = learner.random_strategies(4000, seed=1)
    np.testing.assert_allclose(X.sum(-1), 1)
    assert not X[:, 0, :, 2].any()
    np.testing.assert_allclose(np.quantile(X[:, 0, 0, 0], [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.04)
    np.testing.assert_allclose((X[:, 1, 0, 0] > 0.5).mean(), 0.25, atol=0.03)  # of a triangle
    assert (learner.random_strategies(4000, seed=1) == X).all()
    assert (learner.random_strategies(4000, seed=2) != X)[:, 0, :, 0].all()


def test_equally_good_actions_share_in_compiled_play_too():
    learner = dynamics.ValueSarsa(random_game(3, (2, 3), 2), 0.2, 0.8, epsilon=0.2)
    Q = np.zeros((2, 2, 3))
    np.testing.assert_allclose(learner.trajectory(Q, 1, tolerance=0).final, learner.step(Q), rtol=0, atol=1e-12)


@pytest.mark.parametrize("cls", [dynamics.ActorCritic, dynamics.Sarsa, dynamics.QLearning, dynamics.ValueSarsa])
def test_a_small_learning_rate_does_not_make_a_fixed_point_of_the_start(cls):
    X = np.array([[[0.6, 0.4]], [[0.5, 0.5]]])
    slow = cls(STAG_HUNT, 1e-8, 0.9).trajectory(X, 50)
    assert (slow.converged, slow.n_steps) == (False, 50)
    one_of_two = cls(STAG_HUNT, [1e-12, 0.1], 0.9).trajectory(X, 3000)
    assert not one_of_two.converged  # the slow player has not moved


def test_the_same_point_counts_as_fixed_at_every_learning_rate():
    ends = [
        dynamics.ActorCritic(STAG_HUNT, rate, 0.9).trajectory([[[0.6, 0.4]], [[0.5, 0.5]]], 10**6, keep="ends")
        for rate in (0.1, 0.01)
    ]
    assert [end.converged for end in ends] == [True, True]
    assert ends[1].n_steps == pytest.approx(10 * ends[0].n_steps, rel=0.05)
    np.testing.assert_allclose(ends[0].final, ends[1].final, atol=1e-6)
