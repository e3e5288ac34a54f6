"""A product that rows share: its sums in the order of the inputs, and a row's bits its own."""

import numpy as np
import pytest

from popagents.networks.shared_product import shared_product

SHAPES = ((180, 600), (1000, 6), (77, 33), (1500, 512), (1, 1), (64, 4))


def drawn(inputs, outputs, k):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, inputs)).astype(np.float32) for n in (k, outputs)]


@pytest.mark.bits
def test_a_row_of_a_shared_product_has_the_same_bits_wherever_it_stands():
    rng = np.random.default_rng(0)
    for inputs, outputs in SHAPES:
        x, matrix = drawn(inputs, outputs, 101)
        together = shared_product(x, matrix)
        assert np.allclose(together, x @ matrix.T, atol=1e-3)
        for k in (1, 2, 7, 32, 33, 64, 65):
            order = rng.permutation(len(x))
            for first in range(0, len(x), k):
                rows = order[first : first + k]
                assert (shared_product(x[rows], matrix) == together[rows]).all()


def test_products_are_added_one_by_one_in_the_order_of_the_inputs():
    for inputs, outputs in SHAPES:
        x, matrix = drawn(inputs, outputs, 19)
        total = np.zeros((19, outputs), np.float32)
        for i in range(inputs):
            total = total + x[:, i, None] * matrix[:, i]
        assert (shared_product(x, matrix) == total).all()


def test_a_row_that_is_not_finite_leaves_the_others_alone():
    x, matrix = drawn(77, 33, 5)
    x[2, 3] = np.nan
    found = shared_product(x, matrix)
    assert np.isnan(found[2]).all()
    assert np.isfinite(found[[0, 1, 3, 4]]).all()
