"""The strategy that climbs, number by number."""

from dataclasses import replace

import numpy as np
import pytest

from popagents.common.now import Now
from popagents.learners.es.es import ES
from popagents.learners.es.fitness_shaping import z_scores
from popagents.learners.es.gradient_strategy import GradientState
from popagents.population.noise import GaussianNoise
from tests.learners.games import Ring
from tests.learners.strategies import noise_of, succession


def centre_after(model, returns):
    """Return the centre that a generation with these returns leads to."""
    return succession(model, returns).state.strategy.centre


def test_a_step_on_three_members_with_plain_noise_worked_out_by_hand():
    model = ES("LinearPolicy", Ring(), 0.1, population_size=3, mirrored=False, optimizer="sgd", sigma=0.5, seed=5)
    before = model.centre.copy()
    e0, e1, e2 = (noise_of(model, 0, member) for member in range(3))
    after = centre_after(model, [1.0, 7.0, 3.0])  # ranks -0.5, 0.5, 0
    gradient = (-0.5 * e0 + 0.5 * e1 + 0.0 * e2) / (3 * 0.5)
    assert np.allclose(after, before + 0.1 * gradient, atol=1e-6)


def test_a_step_on_two_mirrored_pairs_worked_out_by_hand():
    model = ES(
        "LinearPolicy", Ring(), 0.1, population_size=4, fitness_shaping="zscore", optimizer="sgd", sigma=2, seed=5
    )
    before = model.centre.copy()
    e0, e2 = noise_of(model, 0, 0), noise_of(model, 0, 2)
    after = centre_after(model, [2.0, 6.0, 4.0, 4.0])  # z-scores -sqrt 2, sqrt 2, 0, 0
    gradient = (-(2**0.5) * e0 - 2**0.5 * e0 + 0 * e2) / (4 * 2)
    assert np.allclose(after, before + 0.1 * gradient, atol=1e-6)


def test_adams_first_step_has_the_size_of_the_learning_rate_and_the_sign_of_the_gradient():
    model = ES("LinearPolicy", Ring(), 0.01, population_size=2, seed=5)
    before, e0 = model.centre.copy(), noise_of(model, 0, 0)
    after = centre_after(model, [1.0, 0.0])
    assert np.allclose(after - before, 0.01 * np.sign(e0), atol=1e-4)


def test_the_estimate_is_the_gradient_of_a_linear_fitness():
    model = ES(
        "LinearPolicy", Ring(), population_size=2000, optimizer="sgd", fitness_shaping="zscore", sigma=0.3, seed=1
    )
    slope = np.random.default_rng(0).normal(size=len(model.centre))
    signs = np.tile([1, -1], 1000)
    noise = [noise_of(model, 0, member - member % 2) for member in range(2000)]
    fitness = np.array([slope @ (sign * e) for sign, e in zip(signs, noise, strict=True)])
    members = model.strategy.members(model.loop.run.state.strategy, model.now)
    gradient = model.strategy.gradient(members, z_scores(fitness), model.workspace.noise)
    cosine = gradient @ slope / np.linalg.norm(gradient) / np.linalg.norm(slope)
    assert cosine > 0.99
    assert np.linalg.norm(gradient) == pytest.approx(1 / 0.3, rel=0.05)  # a z-score grows by 1 over a distance sigma


def test_members_of_equal_fitness_move_nothing_not_even_by_adams_momentum():
    model = ES("LinearPolicy", Ring(), population_size=4, seed=0)
    first = succession(model, [1.0, 2.0, 3.0, 4.0]).state
    assert not (first.strategy.centre == model.centre).all()
    model.loop.run = replace(model.loop.run, state=first, generation=1)
    second = succession(model, [5.0, 5.0, 5.0, 5.0]).state
    assert (second.strategy.centre == first.strategy.centre).all()
    assert second.strategy.updates == first.strategy.updates == 1


def test_learning_rate_and_sigma_fall_geometrically_with_progress():
    settings = {"final_learning_rate": 0.001, "sigma": 0.4, "final_sigma": 0.1, "optimizer": "sgd"}
    strategy = ES("LinearPolicy", Ring(), 0.1, population_size=4, seed=0, **settings).strategy
    state, noise, fitness = GradientState.at(np.zeros(6, np.float32)), GaussianNoise(6), np.array([1.0, 2.0, 3.0, 5.0])
    for progress, sigma, rate in ((0, 0.4, 0.1), (0.5, 0.2, 0.01), (1, 0.1, 0.001)):
        now = Now(0, 7, progress)
        members = strategy.members(state, now)
        assert members.sigma == pytest.approx(sigma)
        gradient = strategy.gradient(members, np.array([-0.5, -1 / 6, 1 / 6, 0.5]), noise)
        assert np.abs(gradient).max() > 0.1
        assert np.allclose(strategy.updated(state, members, fitness, now, noise).centre, rate * gradient)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"population_size": 7}, "population_size is 7; .* mirrored sampling needs an even number, for example 8"),
        ({"population_size": 1, "mirrored": False}, "population_size is 1; it must be 2 or more"),
        ({"sigma": 0}, "sigma is 0; it must be above 0"),
        ({"sigma": -1.0}, "sigma is -1.0"),
        ({"final_sigma": 0.0}, "final_sigma is 0.0"),
        ({"learning_rate": 0}, "learning_rate is 0"),
        ({"fitness_shaping": "rank"}, "fitness_shaping is 'rank'; choose one of ranks, zscore; did you mean 'ranks'"),
        ({"optimizer": "rmsprop"}, "optimizer is 'rmsprop'; choose one of adam, sgd"),
        ({"optimizer": "elitist"}, "optimizer is 'elitist'; choose one of adam, sgd"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        ES("LinearPolicy", Ring(), **settings)
