"""Replicator dynamics and the Moran process, against conserved quantities, exact chains and formulas of the books."""

import numpy as np
import pytest

from popagents import dynamics
from popenvs.dilemmas import catalogue
from tests.dynamics.cases import CYCLE, PENNIES, STAG_HUNT, matrix_game, random_game


def test_one_population_by_hand():
    x = np.array([0.6, 0.4])
    payoffs = np.array([0.6 * 1 - 0.4 * 0.5, 0.6 * 0.8])
    expected = x * (payoffs - x @ payoffs)
    np.testing.assert_allclose(dynamics.replicator(STAG_HUNT, single=True).derivative(x), expected, atol=1e-15)


def test_three_players_of_one_population_meet_two_others():
    game = catalogue.public_goods(n=3, f=2.0, c=1.0)
    x = np.array([0.3, 0.7])
    gain = 2.0 / 3 - 1.0  # what one more contribution brings its giver
    expected = np.array([0.3 * 0.7 * gain, -0.3 * 0.7 * gain])
    np.testing.assert_allclose(dynamics.replicator(game, single=True).derivative(x), expected, atol=1e-15)


@pytest.mark.parametrize(
    ("game", "single", "start"), [(CYCLE, True, [0.2, 0.3, 0.5]), (PENNIES, False, [[0.2, 0.8], [0.3, 0.7]])]
)
def test_zero_sum_games_go_round_for_ever(game, single, start):
    path = dynamics.replicator(game, single).trajectory(start, 600)
    product = path.reshape(601, -1).prod(-1)
    np.testing.assert_allclose(product, product[0], rtol=1e-9)
    assert abs(path - path[0]).max() > 0.3
    np.testing.assert_allclose(path.sum(-1), 1, rtol=1e-12)


def test_several_populations_are_an_actor_critic_without_a_future_in_small_steps():
    game = random_game(0, (2, 3, 2), 1)
    learner = dynamics.ActorCritic(game, 1e-7, 0.0)
    X = learner.random_strategies(4)
    speed = (learner.step(X) - X)[..., 0, :] / 1e-7
    np.testing.assert_allclose(dynamics.replicator(game).derivative(X[..., 0, :]), speed, atol=1e-6)


def test_steps_of_the_integrator_are_of_fourth_order():
    model = dynamics.replicator(STAG_HUNT, single=True)
    exact = model.trajectory([0.8, 0.2], 400, 0.02)[-1]
    errors = [abs(model.trajectory([0.8, 0.2], n, 8 / n)[-1] - exact).max() for n in (8, 16)]
    assert 12 < errors[0] / errors[1] < 20


@pytest.mark.parametrize("size", [2, 5, 30])
def test_without_selection_everybody_takes_over_alike(size):
    found = dynamics.moran(CYCLE, size, selection=0.0)
    np.testing.assert_allclose(found.fixation[~np.eye(3, dtype=bool)], 1 / size)
    np.testing.assert_allclose(found.stationary, [1 / 3] * 3)


def birth_death(game, size, selection, resident, mutant):
    """Solve for the probability of taking over, from the full Markov chain of the numbers of mutants."""
    table = game.rewards[0, 0, ..., 0]
    chain = np.eye(size + 1)
    for k in range(1, size):
        pay_mutant = ((k - 1) * table[mutant, mutant] + (size - k) * table[mutant, resident]) / (size - 1)
        pay_resident = (k * table[resident, mutant] + (size - k - 1) * table[resident, resident]) / (size - 1)
        weights = np.array([k * np.exp(selection * pay_mutant), (size - k) * np.exp(selection * pay_resident)])
        born = weights / weights.sum()
        up, down = born[0] * (size - k) / size, born[1] * k / size
        chain[k, k - 1 : k + 2] = [down, 1 - up - down, up]
    inner = slice(1, size)
    return np.linalg.solve(np.eye(size - 1) - chain[inner, inner], chain[inner, size])[0]


@pytest.mark.parametrize(("size", "selection"), [(2, 1.0), (6, 0.3), (20, 1.0)])
def test_fixation_is_that_of_the_exact_birth_death_chain(size, selection):
    for game in (STAG_HUNT, CYCLE):
        found = dynamics.moran(game, size, selection).fixation
        for a, b in np.argwhere(~np.eye(len(found), dtype=bool)):
            assert found[a, b] == pytest.approx(birth_death(game, size, selection, a, b), rel=1e-9)


def test_groups_of_three_are_drawn_without_replacement():
    game = catalogue.public_goods(n=3, f=2.0, c=1.0)
    found = dynamics.moran(game, 10, 0.5).fixation
    # a cooperator gets f c / n per cooperator in its group less c; with k mutants of 10 a defector gains
    # c - f c / n from not giving, whoever it meets, and f c / n 2 (1 / 9) from not being among those who give
    advantage = -(1 - 2 / 3) - (2 / 3) * 2 / 9
    steps = np.exp(-0.5 * advantage * np.arange(10))
    assert found[1, 0] == pytest.approx(1 / steps.sum(), rel=1e-12)
    assert found[0, 1] == pytest.approx(1 / (1 / steps).sum(), rel=1e-12)


def test_strong_selection_in_a_large_population_does_not_overflow():
    found = dynamics.moran(matrix_game([[3, 0], [5, 1]]), 1000, 100.0)
    assert found.fixation[0, 1] == pytest.approx(1)
    assert found.fixation[1, 0] == 0
    np.testing.assert_allclose(found.stationary, [0, 1])


def test_the_small_mutation_limit_is_that_of_the_whole_process():
    size, selection, mutation = 6, 0.4, 1e-6
    table = STAG_HUNT.rewards[0, 0, ..., 0]
    chain = np.zeros((size + 1, size + 1))
    for k in range(size + 1):  # cooperators
        others = [(k - 1) * table[0, 0] + (size - k) * table[0, 1], k * table[1, 0] + (size - k - 1) * table[1, 1]]
        weights = np.array([k, size - k]) * np.exp(selection * np.array(others) / (size - 1))
        born = weights / weights.sum() * (1 - mutation) + weights[::-1] / weights.sum() * mutation
        up, down = born[0] * (size - k) / size, born[1] * k / size
        chain[k, k] += 1 - up - down
        if k < size:
            chain[k, k + 1] += up
        if k > 0:
            chain[k, k - 1] += down
    shares = dynamics.stationary(chain)
    expected = shares[[size, 0]] / shares[[size, 0]].sum()
    np.testing.assert_allclose(dynamics.moran(STAG_HUNT, size, selection).stationary, expected, atol=1e-4)
