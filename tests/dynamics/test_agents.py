"""The equations: averages against brute force, identities between learners, the border, unequal actions."""

import numpy as np
import pytest
from oracles import joint_actions

from popagents import dynamics
from popagents.dynamics.averages import belief, state_averages
from tests.dynamics.cases import CYCLE, PENNIES, STAG_HUNT, matrix_game, random_game

STRATEGIC = [
    dynamics.ActorCritic,
    dynamics.Sarsa,
    dynamics.QLearning,
    dynamics.PartiallyObservableActorCritic,
]
EVERY = [*STRATEGIC, dynamics.ValueSarsa]
COUNTS = [(2,), (2, 2), (3, 2), (2, 3, 1), (2, 2, 2), (4, 1, 3), (2, 3, 2, 2), (2, 2, 2, 2)]


def drawn(learner, seed=0):
    return learner.random_strategies(1, seed)[0]


@pytest.mark.parametrize("counts", COUNTS, ids=str)
@pytest.mark.parametrize("states", [1, 3])
def test_averages_equal_the_enumeration_of_all_joint_actions(counts, states):
    for seed in range(5):
        game = random_game(seed, counts, states)
        learner = dynamics.ActorCritic(game, 0.1, 0.9)
        X = drawn(learner, seed)
        found = state_averages(learner.tensors, X)
        to, pay, chain = joint_actions.averages(game.transitions, game.rewards, X)
        for i, count in enumerate(counts):
            np.testing.assert_allclose(found.transitions[i, :, :count], to[i], rtol=0, atol=1e-12)
            np.testing.assert_allclose(found.rewards[i, :, :count], pay[i], rtol=0, atol=1e-12)
            np.testing.assert_allclose(found.chain[i], chain, rtol=0, atol=1e-12)
            assert not found.transitions[i, :, count:].any()
            assert not found.rewards[i, :, count:].any()


def test_values_solve_the_bellman_equation():
    game = random_game(3, (2, 3, 2), states=4)
    learner = dynamics.ActorCritic(game, 0.1, [0.5, 0.9, 0.0])
    X = drawn(learner)
    _, pay, chain = joint_actions.averages(game.transitions, game.rewards, X)
    V = learner.values(X)
    for i, (gamma, count) in enumerate(zip([0.5, 0.9, 0.0], (2, 3, 2), strict=True)):
        expected = (X[i, :, :count] * pay[i]).sum(-1) + gamma * chain @ V[i]
        np.testing.assert_allclose(V[i], expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose((X * learner.action_values(X)).sum(-1), V, rtol=0, atol=1e-12)


def test_a_step_by_hand():
    learner = dynamics.ActorCritic(STAG_HUNT, learning_rate=0.1, discount=0.9)
    X = [[[0.6, 0.4]], [[0.5, 0.5]]]
    # player 0: cooperating pays 0.5 - 0.25 = 0.25, defecting 0.4; 0.31 on average
    np.testing.assert_allclose(learner.prediction_error(X)[0, 0], [-0.06, 0.09], atol=1e-12)
    odds = 0.6 / 0.4 * np.exp(0.1 * (0.25 - 0.4))
    np.testing.assert_allclose(learner.step(X)[0, 0], [odds / (1 + odds), 1 / (1 + odds)], atol=1e-12)
    np.testing.assert_allclose(learner.values(X)[0], [3.1], atol=1e-12)


def test_the_prefactor_makes_values_the_size_of_rewards():
    learner = dynamics.ActorCritic(STAG_HUNT, 0.1, 0.9, prefactor=True)
    np.testing.assert_allclose(learner.values([[[0.6, 0.4]], [[0.5, 0.5]]])[0], [0.31], atol=1e-12)


@pytest.mark.parametrize("counts", COUNTS[1:], ids=str)
@pytest.mark.parametrize("cls", [dynamics.ActorCritic, dynamics.PartiallyObservableActorCritic])
def test_the_critics_error_averages_to_nothing(cls, counts):
    learner = cls(random_game(1, counts, 3, observations=2), 0.1, 0.8, choice_intensity=3.0)
    X = learner.random_strategies(10)
    np.testing.assert_allclose((X * learner.prediction_error(X)).sum(-1), 0, atol=1e-12)


def test_the_published_partially_observable_error_has_an_average_of_its_own():
    game = random_game(1, (2, 2), 3, observations=2)
    learner = dynamics.PartiallyObservableActorCritic(game, 0.1, 0.8, consistent=False)
    X = drawn(learner)
    assert abs((X * learner.prediction_error(X)).sum(-1)).max() > 1e-3


@pytest.mark.parametrize("consistent", [True, False])
def test_who_sees_the_state_learns_as_if_nothing_were_hidden(consistent):
    game = random_game(2, (2, 3, 2), 3)
    seeing = dynamics.PartiallyObservableActorCritic(game, 0.1, 0.8, consistent=consistent)
    knowing = dynamics.ActorCritic(game, 0.1, 0.8)
    X = knowing.random_strategies(20)
    np.testing.assert_allclose(seeing.step(X), knowing.step(X), rtol=0, atol=1e-12)
    np.testing.assert_allclose(seeing.trajectory(X, 50).final, knowing.trajectory(X, 50).final, rtol=0, atol=1e-10)


def test_who_sees_the_state_knows_it_where_it_never_comes_about():
    game = matrix_game([[3, 0], [5, 1]])
    ring = random_game(0, (2, 2), 3)
    ring.transitions = np.zeros_like(ring.transitions)
    ring.transitions[..., 0] = 1  # states 1 and 2 are left at once and for ever
    seeing, knowing = (cls(ring, 0.1, 0.8) for cls in (dynamics.PartiallyObservableActorCritic, dynamics.ActorCritic))
    X = drawn(knowing)
    assert seeing.stationary(X).tolist() == [1, 0, 0]
    np.testing.assert_allclose(seeing.step(X), knowing.step(X), rtol=0, atol=1e-12)
    assert np.isfinite(dynamics.PartiallyObservableActorCritic(game, 0.1, 0.9).step([[[1, 0]], [[0, 1]]])).all()


def test_a_belief_weighs_states_by_how_likely_they_are_seen_and_visited():
    see = np.array([[[0.8, 0.2, 0.0], [0.1, 0.9, 0.0]]])
    np.testing.assert_allclose(
        belief(see, np.array([0.25, 0.75])), [[[0.2 / 0.275, 0.075 / 0.275], [0.05 / 0.725, 0.675 / 0.725], [0.5, 0.5]]]
    )


def test_sarsa_becomes_actor_critic_as_choice_gets_intense():
    game = random_game(4, (2, 3), 2)
    critic = dynamics.ActorCritic(game, 0.1, 0.9)
    X = drawn(critic)
    gaps = [
        abs(dynamics.Sarsa(game, 0.1 / beta, 0.9, choice_intensity=beta).step(X) - critic.step(X)).max()
        for beta in (10, 100, 1000, 1e6)
    ]
    assert gaps[1] / gaps[0] == pytest.approx(0.1, rel=0.1)
    assert gaps[2] / gaps[1] == pytest.approx(0.1, rel=0.1)
    assert gaps[3] < 1e-6


def test_sarsas_fixed_points_are_the_softmax_of_values():
    learner = dynamics.Sarsa(random_game(5, (2, 3), 2), 0.1, 0.5, choice_intensity=0.7)
    run = learner.trajectory(drawn(learner), tolerance=1e-12)
    assert run.converged
    weights = np.exp(0.7 * learner.action_values(run.final)) * learner.available[:, None, :]
    np.testing.assert_allclose(run.final, weights / weights.sum(-1, keepdims=True), atol=1e-10)


def test_q_learning_reckons_with_the_best_next_action():
    game = random_game(6, (2, 3), 2)
    learner = dynamics.QLearning(game, 0.1, 0.9, choice_intensity=2.0)
    X = drawn(learner)
    to, pay, _ = joint_actions.averages(game.transitions, game.rewards, X)
    Q, error = learner.action_values(X), learner.prediction_error(X)
    for i, count in enumerate((2, 3)):
        best = Q[i, :, :count].max(-1)
        expected = 2.0 * (pay[i] + 0.9 * to[i] @ best) - np.log(X[i, :, :count])
        np.testing.assert_allclose(error[i, :, :count], expected, rtol=0, atol=1e-12)


def test_value_sarsa_moves_towards_the_true_values_of_epsilon_greedy_play():
    game = random_game(7, (2, 3), 2)
    learner = dynamics.ValueSarsa(game, [0.1, 0.4], 0.9, epsilon=0.3)
    Q = np.zeros((2, 2, 3))
    Q[0, 0, 1], Q[1, 0] = 1.0, [2.0, 2.0, 1.0]
    X = learner.state_strategies(Q)
    np.testing.assert_allclose(X[0, 0], [0.15, 0.85, 0])
    np.testing.assert_allclose(X[1, 0], [0.1 + 0.35, 0.1 + 0.35, 0.1])  # ties are shared
    true = dynamics.ActorCritic(game, 0.1, 0.9).action_values(X)
    rates = np.array([0.1, 0.4])[:, None, None]  # one a player
    np.testing.assert_allclose(learner.step(Q), Q + rates * (true - Q), rtol=0, atol=1e-12)


@pytest.mark.parametrize("cls", STRATEGIC)
def test_actions_that_a_player_does_not_have_stay_at_zero(cls):
    learner = cls(random_game(8, (2, 4, 1), 2), 0.1, 0.9)
    X = drawn(learner)
    missing = ~np.broadcast_to(learner.available[:, None, :], learner.shape)
    for table in (learner.step(X), learner.prediction_error(X), learner.prediction_error(X, centered=True)):
        assert not table[missing].any()
    np.testing.assert_allclose(learner.prediction_error(X, centered=True).sum(-1), 0, atol=1e-12)
    np.testing.assert_allclose(learner.trajectory(X, 20).final.sum(-1), 1)


@pytest.mark.parametrize("cls", EVERY)
def test_a_player_who_sits_elsewhere_learns_the_same(cls):
    game = random_game(9, (2, 3), 2, observations=2)
    turned = type(game)(
        transitions=game.transitions.transpose(0, 2, 1, 3),
        rewards=game.rewards[::-1].transpose(0, 1, 3, 2, 4),
        observations=game.observations[::-1],
    )
    X = drawn(cls(game, 0.1, 0.9))
    np.testing.assert_allclose(cls(turned, 0.1, 0.9).step(X[::-1])[::-1], cls(game, 0.1, 0.9).step(X), atol=1e-12)


@pytest.mark.parametrize("cls", STRATEGIC)
def test_pure_strategies_stay_finite_and_pure(cls):
    for game in (STAG_HUNT, CYCLE, PENNIES):
        learner = cls(game, 0.5, 0.9, choice_intensity=1e4)
        X = np.zeros(learner.shape)
        X[..., 0] = 1
        assert np.isfinite(learner.prediction_error(X)).all()
        assert np.isfinite(learner.prediction_error(X, centered=True)).all()
        assert (learner.step(X) == X).all()
        run = learner.trajectory(X)
        assert run.converged
        assert (run.final == X).all()


@pytest.mark.parametrize("cls", STRATEGIC)
def test_a_strategy_next_to_the_border_comes_back(cls):
    learner = cls(matrix_game([[1, 1], [0, 0]]), 0.5, 0.0, choice_intensity=10.0)  # action 0 pays
    run = learner.trajectory([[[1e-300, 1 - 1e-300]]] * 2, 200, tolerance=0)
    assert run.final[0, 0, 0] > 0.99


@pytest.mark.parametrize("cls", EVERY)
def test_games_with_several_closed_classes_are_solved(cls):
    game = random_game(10, (2, 2), 3)
    game.transitions = np.zeros_like(game.transitions)
    for s in range(3):
        game.transitions[s, ..., s] = 1  # nobody ever leaves a state
    learner = cls(game, 0.1, 0.9)
    X = drawn(learner)
    np.testing.assert_allclose(learner.stationary(X), [1 / 3] * 3)
    assert np.isfinite(learner.trajectory(X).final).all()
