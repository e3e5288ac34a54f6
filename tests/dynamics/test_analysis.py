"""Fixed points, derivatives, exponents and planes, against numbers by hand and against finite differences."""

from types import SimpleNamespace

import numpy as np
import pytest

from popagents import dynamics
from tests.dynamics.cases import CYCLE, PENNIES, STAG_HUNT, matrix_game, random_game

EVERY = [
    (dynamics.ActorCritic, {}),
    (dynamics.Sarsa, {"choice_intensity": 2.0}),
    (dynamics.QLearning, {"choice_intensity": 2.0}),
    (dynamics.ValueSarsa, {}),
    (dynamics.PartiallyObservableActorCritic, {}),
    (dynamics.PartiallyObservableActorCritic, {"consistent": False}),
]
DEFECT, COOPERATE = np.array([[[0.0, 1]], [[0, 1]]]), np.array([[[1.0, 0]], [[1, 0]]])


def stag_hunt(**settings):
    return dynamics.ActorCritic(STAG_HUNT, **{"learning_rate": 0.1, "discount": 0.9} | settings)


@pytest.mark.parametrize(("cls", "settings"), EVERY)
def test_the_jacobian_equals_finite_differences(cls, settings):
    learner = cls(random_game(0, (2, 3), 2, 2), 0.2, 0.7, **settings)
    X, h = learner.random_strategies(2), 1e-5
    if cls is not dynamics.ValueSarsa:  # away from the border, where differences are no derivatives
        X = 0.8 * X + 0.2 * learner.available[:, None, :] / learner.available.sum(-1)[:, None, None]
    found = dynamics.jacobian(learner, X)
    for c, direction in enumerate(learner.directions()):
        column = learner.coordinates(learner.step(X + h * direction) - learner.step(X - h * direction)) / (2 * h)
        np.testing.assert_allclose(found[..., c], column, rtol=1e-6, atol=1e-8)
    free = 12 - 2 if cls is dynamics.ValueSarsa else 2 * (1 + 2)
    assert found.shape == (2, free, free)


def test_eigenvalues_at_the_corners_of_a_stag_hunt():
    # next to all-defect a cooperator gets -0.5 against 0; next to all-cooperate a defector 0.8 against 1
    np.testing.assert_allclose(dynamics.eigenvalues(stag_hunt(), DEFECT), [np.exp(-0.05)] * 2, atol=1e-12)
    np.testing.assert_allclose(dynamics.eigenvalues(stag_hunt(), COOPERATE), [np.exp(-0.02)] * 2, atol=1e-12)


def test_stability_of_nodes_saddles_and_neutral_points():
    saddle = np.full((2, 1, 2), [5 / 7, 2 / 7])
    # there one more cooperator raises the other's push by 0.7: 1 +- 0.1 (5/7) (2/7) 0.7
    np.testing.assert_allclose(dynamics.eigenvalues(stag_hunt(), saddle), [1 + 1 / 70, 1 - 1 / 70], atol=1e-12)
    assert [dynamics.stability(stag_hunt(), X) for X in (DEFECT, COOPERATE, saddle)] == ["stable", "stable", "unstable"]
    nothing = dynamics.ActorCritic(matrix_game(np.zeros((2, 2))), 0.1, 0.9)
    assert dynamics.stability(nothing, saddle) == "neutral"


def test_full_cooperation_in_the_uncertain_dilemma_is_stable_above_a_quarter_of_noise():
    from popenvs.dilemmas.catalogue import uncertain_dilemma

    for noise, expected in ((0.2, "unstable"), (0.249, "unstable"), (0.251, "stable"), (0.4, "stable")):
        learner = dynamics.PartiallyObservableActorCritic(uncertain_dilemma(noise=noise), 0.1, 0.9)
        assert dynamics.stability(learner, np.broadcast_to([1.0, 0.0], learner.shape)) == expected


def test_fixed_points_are_where_the_starts_end_in_the_order_of_their_shares():
    starts = np.concatenate([np.full((3, 2, 1, 2), [0.1, 0.9]), np.full((2, 2, 1, 2), [0.9, 0.1])])
    starts = np.concatenate([starts[::-1], np.full((1, 2, 1, 2), np.nan)])
    found = dynamics.fixed_points(stag_hunt(), starts)
    np.testing.assert_allclose(found.points, [DEFECT, COOPERATE], atol=1e-6)
    assert found.shares.tolist() == [3 / 6, 2 / 6]
    assert found.labels.tolist() == [1, 1, 0, 0, 0, -1]


def test_no_fixed_point_is_no_fixed_point():
    learner = dynamics.ActorCritic(PENNIES, 0.1, 0.9)
    found = dynamics.fixed_points(learner, learner.random_strategies(3), max_steps=10)
    assert found.points.shape == (0, 2, 1, 2)
    assert found.labels.tolist() == [-1] * 3


def test_basins_of_a_stag_hunt_share_the_square():
    found = dynamics.basins(stag_hunt(), 400, seed=1)
    fine = dynamics.basin_map(stag_hunt(), grid=np.linspace(0.025, 0.975, 20))
    np.testing.assert_allclose(found.points, [DEFECT, COOPERATE], atol=1e-6)
    assert found.shares[1] == pytest.approx((fine.labels == 1).mean(), abs=0.06)
    assert found.shares.sum() == 1


def test_newton_finds_the_saddle_that_learning_flees():
    starts = stag_hunt().random_strategies(20)
    found = dynamics.rest_points(stag_hunt(), starts)
    assert [5 / 7, 5 / 7] in found[..., 0].reshape(-1, 2).round(9).tolist() or np.isclose(
        found[..., 0].reshape(-1, 2), 5 / 7, atol=1e-9
    ).all(-1).any()
    assert abs(stag_hunt().step(found) - found).max() < 1e-12


def test_newton_finds_the_fixed_point_of_value_learning():
    learner = dynamics.ValueSarsa(STAG_HUNT, 0.1, 0.9, epsilon=0.1)
    found = dynamics.rest_points(learner, np.array([[[2.0, 1.0]]] * 2)[None])
    end = learner.trajectory([[[2.0, 1.0]]] * 2, tolerance=1e-12).final
    np.testing.assert_allclose(found, [end], atol=1e-9)


def test_the_exponent_at_a_fixed_point_is_the_logarithm_of_its_largest_eigenvalue():
    assert dynamics.lyapunov(stag_hunt(), COOPERATE, 50) == pytest.approx(-0.02, abs=1e-9)
    learner = dynamics.Sarsa(CYCLE, 0.1, 0.5, choice_intensity=0.5)
    end = learner.trajectory(learner.random_strategies(1)[0], tolerance=1e-12).final
    expected = np.log(abs(dynamics.eigenvalues(learner, end)[0]))
    assert dynamics.lyapunov(learner, end, 3000) == pytest.approx(expected, abs=2e-3)


def test_the_exponent_is_the_rate_at_which_two_trajectories_part():
    # pennies must match in one state and differ in the other; player 0's action chooses the next (Hennes et al. 2010)
    match, to = np.eye(2), np.zeros((2, 2, 2, 2))
    to[:, 0, :, 1] = to[:, 1, :, 0] = 1
    wins = np.stack([match, 1 - match])
    rewards = np.stack([wins, 1 - wins])[..., None] * np.ones(2)
    game = SimpleNamespace(transitions=to, rewards=rewards, observations=np.stack([np.eye(2)] * 2))
    learner = dynamics.ActorCritic(game, 0.1, 0.3)
    X = learner.trajectory(learner.random_strategies(1, 1)[0], 3000, keep="ends").final
    n, push = 600, np.random.default_rng(0).normal(size=4)  # the direction from which `lyapunov` starts as well
    near, far, growth = X, X + 1e-9 * np.tensordot(push / np.linalg.norm(push), learner.directions(), 1), 0.0
    for _ in range(n):
        size = np.linalg.norm(learner.coordinates(far - near))
        near, far = learner.step(near), learner.step(far)
        apart = np.linalg.norm(learner.coordinates(far - near))
        growth += np.log(apart / size)
        far = near + (far - near) * (1e-9 / apart)
    assert dynamics.lyapunov(learner, X, n) == pytest.approx(growth / n, rel=0.02)
    assert growth / n > 0.001


def test_exponents_of_a_batch_are_those_of_its_elements():
    X = np.stack([DEFECT, COOPERATE])
    np.testing.assert_allclose(dynamics.lyapunov(stag_hunt(), X, 20), [-0.05, -0.02], atol=1e-9)
    rates = stag_hunt(learning_rate=[[0.1], [0.2]])
    np.testing.assert_allclose(dynamics.lyapunov(rates, DEFECT, 20), [-0.05, -0.1], atol=1e-9)


def test_a_plane_moves_only_what_its_axes_say():
    learner = dynamics.ActorCritic(random_game(1, (3, 2), 2), 0.1, 0.9)
    background = learner.random_strategies(1)[0]
    found = dynamics.flow(learner, (0, 1, 2), (1, 0, 0), grid=[0.2, 0.7], background=background)
    X = background.copy()
    X[0, 1] *= 0.3 / (1 - X[0, 1, 2])  # the other actions keep their proportions
    X[0, 1, 2] = 0.7
    X[1, 0, :2] = [0.2, 0.8]
    change = learner.step(X) - X
    np.testing.assert_allclose([found.dx[0, 1], found.dy[0, 1]], [change[0, 1, 2], change[1, 0, 0]], atol=1e-15)


def test_a_plane_may_lie_in_one_strategy():
    learner = dynamics.ActorCritic(CYCLE, 0.1, 0.0)
    others = np.array([[[1, 1, 1]], [[0.5, 0.5, 0]]]) / np.array([[[3]], [[1]]])
    found = dynamics.flow(learner, (0, 0, 0), (0, 0, 1), grid=[0.2, 0.6], background=others, arrows="error")
    assert np.isnan(found.dx).tolist() == [[False, False], [False, True]]
    payoffs = np.array([-0.5, 0.5, 0])  # against rock or paper
    np.testing.assert_allclose([found.dx[0, 1], found.dy[0, 1]], (payoffs - payoffs.mean())[:2], atol=1e-12)


def test_arrows_are_averages_over_backgrounds():
    learner = dynamics.ActorCritic(random_game(1, (2, 2), 2), 0.1, 0.9)
    backgrounds = learner.random_strategies(5)
    found = dynamics.flow(learner, grid=3, background=backgrounds)
    each = [dynamics.flow(learner, grid=3, background=background) for background in backgrounds]
    np.testing.assert_allclose(found.dx, np.mean([one.dx for one in each], axis=0), atol=1e-15)
    np.testing.assert_allclose(found.dy, np.mean([one.dy for one in each], axis=0), atol=1e-15)


def test_a_basin_map_labels_each_point_by_its_end():
    found = dynamics.basin_map(stag_hunt(), grid=[0.1, 0.9])
    assert found.labels.tolist() == [[0, 0], [0, 1]] or found.labels[1, 1] != found.labels[0, 0]
    np.testing.assert_allclose(found.ends.points[found.labels[1, 1]], COOPERATE, atol=1e-6)
    np.testing.assert_allclose(found.ends.points[found.labels[0, 0]], DEFECT, atol=1e-6)


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ([[0, 1], [1, 0]], [0.5, 0.5]),
        ([[1, 0], [0.5, 0.5]], [1, 0]),
        (np.eye(3), [1 / 3] * 3),
        ([[1, 0, 0], [0, 1, 0], [0.25, 0.75, 0]], [(1 + 0.25) / 3, (1 + 0.75) / 3, 0]),
        ([[0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0.1, 0.9], [0, 0, 0.3, 0.7]], [0.25, 0.25, 0.125, 0.375]),
        ([[0, 1, 0], [0, 0, 1], [0, 1, 0]], [0, 0.5, 0.5]),
        ([[1e-300, 1 - 1e-300], [1, 0]], [0.5, 0.5]),
    ],
)
def test_the_share_of_time_in_each_state_by_hand(chain, expected):
    np.testing.assert_allclose(dynamics.stationary(chain), expected, rtol=0, atol=1e-15)


def test_the_share_of_time_is_the_average_over_a_long_time():
    rng = np.random.default_rng(0)
    for _ in range(20):
        chain = rng.dirichlet(np.full(6, 0.1), 6)
        chain[rng.random((6, 6)) < 0.6] = 0
        chain[np.arange(6), rng.integers(6, size=6)] += 1e-2
        chain /= chain.sum(-1, keepdims=True)
        discount = 1 - 1e-7
        average = (1 - discount) * np.linalg.solve(np.eye(6) - discount * chain.T, np.full(6, 1 / 6))
        np.testing.assert_allclose(dynamics.stationary(chain), average, rtol=0, atol=1e-4)
    assert dynamics.stationary(np.stack([chain, np.eye(6)])).shape == (2, 6)
