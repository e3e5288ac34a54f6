"""Fitness shaping, number by number."""

import numpy as np
import pytest

from popagents.learners.es.fitness_shaping import centred_ranks, z_scores


def test_ties_share_the_mean_of_their_ranks():
    assert centred_ranks(np.array([5.0, 5.0, 1.0])).tolist() == [0.25, 0.25, -0.5]
    assert centred_ranks(np.array([3.0, 1.0, 2.0])).tolist() == [0.5, -0.5, 0.0]
    assert centred_ranks(np.full(4, 7.0)).tolist() == [0, 0, 0, 0]
    assert centred_ranks(np.arange(64.0) // 5).sum() == pytest.approx(0)


def test_z_scores_have_mean_0_and_deviation_1():
    assert z_scores(np.array([2.0, 4.0, 4.0, 6.0])).tolist() == pytest.approx([-(2**0.5), 0, 0, 2**0.5])
    assert z_scores(np.full(3, 9.0)).tolist() == [0, 0, 0]
