"""Asking for members and telling their fitness, number by number."""

import numpy as np
import pytest

from popagents.common.randomness import Purpose, keys
from popagents.learners.es.ask_tell import AskTell
from popagents.learners.es.es import ES
from popagents.learners.es.gradient_strategy import GradientStrategy
from popagents.population.noise import standard_normal
from tests.learners.games import Ring
from tests.learners.strategies import succession

PAIRS = GradientStrategy(population_size=4, sigma=0.5, learning_rate=0.1, optimizer="sgd")


def drawn(seed, generation, member, size):
    (key,) = keys(seed, Purpose.NOISE, generation, [member])
    return standard_normal(key, size)


def test_two_generations_worked_out_by_hand():
    search = AskTell(PAIRS, [1.0, 2.0, 3.0], seed=7)
    centre = np.array([1, 2, 3], np.float32)
    for generation in range(2):
        e0, e2 = drawn(7, generation, 0, 3), drawn(7, generation, 2, 3)
        members = search.ask()
        assert members.dtype == np.float32
        assert np.allclose(members, centre + 0.5 * np.stack([e0, -e0, e2, -e2]), atol=1e-6)
        assert (search.ask() == members).all()
        search.tell([0.0, 30.0, 20.0, 10.0])  # ranks -1/2, 1/2, 1/6, -1/6
        centre = centre + 0.1 * (-1.0 * e0 + 1 / 3 * e2) / (4 * 0.5)
        assert np.allclose(search.centre, centre, atol=1e-6)
        assert search.generation == generation + 1


def test_it_moves_as_the_learner_on_an_environment_does():
    model = ES("LinearPolicy", Ring(), population_size=4, seed=3)
    search = AskTell(GradientStrategy(population_size=4), model.centre, seed=3)
    search.tell([1.0, 4.0, 2.0, 2.0])
    assert (search.centre == succession(model, [1.0, 4.0, 2.0, 2.0]).state.strategy.centre).all()


def test_sigma_falls_over_the_generations_and_stays_at_its_end():
    strategy = GradientStrategy(population_size=2, sigma=0.4, final_sigma=0.1)
    search = AskTell(strategy, np.zeros(3), seed=0, generations=2)
    for generation, sigma in enumerate((0.4, 0.2, 0.1, 0.1)):
        assert np.allclose(search.ask()[0], sigma * drawn(0, generation, 0, 3))
        search.tell([1.0, 1.0])  # nothing moves


def test_a_seed_is_drawn_where_none_is_given():
    first, second = (AskTell(PAIRS, np.zeros(3)) for _ in range(2))
    assert (first.ask() != second.ask()).any()
    assert (AskTell(PAIRS, np.zeros(3), seed=first.run_seed).ask() == first.ask()).all()


def test_what_is_told_must_be_a_finite_number_for_every_member():
    search = AskTell(PAIRS, np.zeros(3), seed=0)
    for fitness, message in (
        ([1.0, 2.0, 3.0], r"fitness has shape \(3,\); it must hold one number for each of 4 members"),
        ([1.0, 2.0, np.nan, 4.0], "the fitness of member 2 is nan; it must be finite"),
        ([1.0, -np.inf, 3.0, 4.0], "the fitness of member 1 is -inf"),
    ):
        with pytest.raises(ValueError, match=message):
            search.tell(fitness)
    assert search.generation == 0
    assert not search.centre.any()


@pytest.mark.parametrize("centre", [[], [[1.0, 2.0]], 3.0, [1.0, np.nan]])
def test_a_centre_that_is_no_vector_of_finite_numbers_is_refused(centre):
    with pytest.raises(ValueError, match="it must be a vector of finite numbers, at least one"):
        AskTell(PAIRS, centre)


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, True, "1"])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(ValueError, match=f"seed is {seed!r}; it must be a whole number from 0 to"):
        AskTell(PAIRS, np.zeros(3), seed=seed)


def test_what_falls_needs_to_know_when():
    for setting in ("final_sigma", "final_learning_rate"):
        with pytest.raises(ValueError, match=rf"{setting} .*0\.01.* but generations is None; say in how many"):
            AskTell(GradientStrategy(**{setting: 0.01}), np.zeros(3))
    with pytest.raises(ValueError, match="generations is 0; it must be a whole number, 1 or more"):
        AskTell(PAIRS, np.zeros(3), generations=0)
