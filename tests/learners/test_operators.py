"""The operators of the genetic algorithm, each on a case worked out by hand."""

import numpy as np
import pytest

from popagents.learners.genetic.operators import (
    Births,
    crossover,
    gaussian_mutation,
    layer_of,
    parents_of,
    replaced,
    self_adapted,
)

RANKS = np.array([1, 3, 4, 0, 2])  # members from best to worst


def test_parents_are_drawn_twice_with_replacement():
    pool = np.array([7, 8, 9])
    rng = np.random.default_rng(0)
    counts = np.zeros((10, 10))
    for _ in range(3000):
        pair = parents_of(pool, 4, 5, rng)
        assert pair.shape == (2, 5)
        assert len(np.unique(pair)) <= 3  # never outside the four
        counts[pair[0, 0], pair[1, 0]] += 1
    counts = counts[7:, 7:] / 3000
    # Two draws from four: the same of the four with 1/4, another with 3/4, which is the same member with 1/3.
    assert np.allclose(np.diag(counts), (1 / 4 + 3 / 4 / 3) / 3, atol=0.02)
    assert np.allclose(counts[~np.eye(3, dtype=bool)], (1 - 1 / 2) / 6, atol=0.02)
    assert (parents_of(pool, 1, 50, rng) == parents_of(pool, 1, 50, rng)[0, 0]).all() in (True, False)
    one = parents_of(pool, 1, 50, rng)
    assert len(np.unique(one)) == 1


def test_children_replace_the_worst_or_random_members_but_never_the_elite():
    rng = np.random.default_rng(0)
    assert sorted(replaced(RANKS, 2, "worst", 0, rng)) == [0, 2]
    assert sorted(replaced(RANKS, 5, "worst", 0, rng)) == [0, 1, 2, 3, 4]
    drawn = np.array([replaced(RANKS, 2, "random", 0, rng) for _ in range(2000)])
    assert (drawn[:, 0] != drawn[:, 1]).all()
    assert np.allclose(np.bincount(drawn.ravel(), minlength=5) / 4000, 0.2, atol=0.03)
    spared = np.array([replaced(RANKS, 3, "random", 2, rng) for _ in range(50)])
    assert set(spared.ravel()) == {0, 2, 4}  # members 1 and 3 are the best two


def test_crossover_takes_whole_layers_by_a_coin():
    members = np.arange(4.0)
    genes = {
        "a.weight": np.tile(members[:, None, None], (1, 2, 3)),
        "a.bias": np.tile(members[:, None], (1, 2)),
        "b.weight": np.tile(members[:, None, None], (1, 1, 2)),
        "log_std": np.tile(members[:, None], (1, 2)),
    }
    births = Births(np.arange(1000), np.full(1000, 1), np.full(1000, 3))
    children = crossover(genes, births, np.random.default_rng(0))
    first = {name: values.reshape(1000, -1) == 1 for name, values in children.items()}
    assert all(((values == 1) | (values == 3)).all() for values in children.values())
    assert (first["a.weight"].all(axis=1) == first["a.bias"].all(axis=1)).all()
    assert all((chosen.all(axis=1) | ~chosen.any(axis=1)).all() for chosen in first.values())
    for one, other in (("a.weight", "b.weight"), ("a.weight", "log_std"), ("b.weight", "log_std")):
        agree = first[one][:, 0] == first[other][:, 0]
        assert agree.mean() == pytest.approx(0.5, abs=0.06)  # the coins are independent
    assert [layer_of(name) for name in genes] == ["a", "a", "b", ""]


def test_mutation_adds_normal_noise_to_copies():
    genes = {"w": np.full((10, 1000), 2.0, np.float32)}
    mutated = gaussian_mutation(genes, 0.02, np.random.default_rng(0))["w"]
    assert mutated.dtype == np.float32
    assert mutated.mean() == pytest.approx(2, abs=1e-3)
    assert mutated.std() == pytest.approx(0.02, rel=0.03)
    assert (genes["w"] == 2).all()
    assert (gaussian_mutation(genes, 0.0, np.random.default_rng(0))["w"] == 2).all()


def test_hyperparameters_are_one_parents_plus_noise_within_their_own_range():
    table = np.array([[0.1, 10.0], [0.9, 20.0]])
    births = Births(np.arange(4000), np.zeros(4000, int), np.ones(4000, int))
    settings = np.array([[0.05, 1.0], [0.12, 0.0], [0.85, 19.5]])  # deviations, smallest, largest
    children = self_adapted(table, births, settings, np.random.default_rng(0))
    assert children.min(axis=0)[0] == 0.12
    assert children.max(axis=0).tolist() == [0.85, 19.5]
    low = children[:, 0] < 0.5
    assert low.mean() == pytest.approx(0.5, abs=0.03)
    assert children[children[:, 1] < 15, 1].std() == pytest.approx(1, rel=0.06)
    assert np.corrcoef(low, children[:, 1] < 15)[0, 1] == pytest.approx(0, abs=0.05)  # a coin for each
