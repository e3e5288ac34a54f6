"""Pairs are seen as the difference of their numbers."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from popagents.population.pairs import PairDifference

THINGS = 4
SPACE = spaces.Box(-1, 1, (2 * THINGS + 3,), np.float32)


def observations(*rows):
    """Write observations down: left thing, right thing, last reward, left taken, right taken."""
    one_hot = np.eye(THINGS)
    return torch.tensor(
        [[*one_hot[left], *one_hot[right], *hands] for left, right, *hands in rows], dtype=torch.float32
    )


def test_a_pair_is_the_difference_of_its_numbers_and_the_rest_stays():
    extractor = PairDifference(SPACE)
    features = extractor(observations((0, 3, -1, 0, 1), (3, 0, 1, 1, 0), (2, 1, 0, 0, 0)))
    assert features.tolist() == [[-3, -1, 0, 1], [3, 1, 1, 0], [1, 0, 0, 0]]
    assert extractor.features_dim == 4


def test_nothing_in_it_learns():
    assert not list(PairDifference(SPACE).parameters())


@pytest.mark.parametrize(("shape", "passed_on"), [((10,), 3), ((3,), 3), ((2, 4), 0)])
def test_what_holds_no_two_one_hots_is_refused(shape, passed_on):
    with pytest.raises(ValueError, match="two one-hots of one length"):
        PairDifference(spaces.Box(-1, 1, shape, np.float32), passed_on=passed_on)
