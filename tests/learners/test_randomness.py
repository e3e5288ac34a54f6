"""Random numbers are functions of where they are used, and have the distributions that they claim."""

import numpy as np
import pytest

from popagents.common.normal import normal
from popagents.common.randomness import Purpose, episode_seeds, generator, gumbel, keys, shuffles, subset


def test_a_key_depends_on_every_part_of_where_it_is_used():
    base = (1, Purpose.EPISODE, 2, [3], [4])
    others = [
        (2, Purpose.EPISODE, 2, [3], [4]),
        (1, Purpose.ACTION, 2, [3], [4]),
        (1, Purpose.EPISODE, 3, [3], [4]),
        (1, Purpose.EPISODE, 2, [4], [4]),
        (1, Purpose.EPISODE, 2, [3], [5]),
        (1, Purpose.EPISODE, 2, [4], [3]),
    ]
    assert all(keys(*base)[0] != keys(*other)[0] for other in others)


def test_keys_of_a_batch_are_the_keys_one_by_one_and_all_different():
    members, episodes = np.divmod(np.arange(5000), 10)
    batch = keys(7, Purpose.ACTION, 0, members, episodes)
    assert len(np.unique(batch)) == 5000
    assert [keys(7, Purpose.ACTION, 0, [m], [e])[0] for m, e in zip(members[:20], episodes[:20], strict=True)] == list(
        batch[:20]
    )


def test_episode_seeds_are_what_any_environment_takes():
    seeds = episode_seeds(keys(0, Purpose.EPISODE, 0, np.arange(1000)))
    assert seeds.dtype == np.int64
    assert seeds.min() >= 0
    assert seeds.max() < 2**31
    assert len(np.unique(seeds)) == 1000


@pytest.mark.parametrize("draw", [gumbel, normal])
def test_noise_of_a_row_depends_on_its_own_key_and_step_alone(draw):
    key = keys(0, Purpose.ACTION, 0, np.arange(6))
    steps = np.array([0, 5, 2, 9, 1, 1])
    together = draw(key, steps, 4)
    apart = np.concatenate([draw(key[[i]], steps[[i]], 4) for i in range(6)])
    assert together.dtype == np.float32
    assert (together == apart).all()
    assert (draw(key, steps + 1, 4) != together).any(axis=1).all()


def test_gumbel_noise_samples_the_softmax_of_the_logits():
    logits = np.array([0.0, 1.0, -1.0])
    noise = gumbel(keys(0, Purpose.ACTION, 0, np.arange(200_000)), np.zeros(200_000, np.int64), 3)
    found = np.bincount((logits + noise).argmax(axis=1), minlength=3) / 200_000
    expected = np.exp(logits) / np.exp(logits).sum()
    assert np.abs(found - expected).max() < 0.005  # five standard errors


def test_normal_noise_has_mean_0_and_deviation_1_and_no_correlation():
    noise = normal(keys(3, Purpose.ACTION, 0, np.arange(100_000)), np.zeros(100_000, np.int64), 2)
    assert np.abs(noise.mean(axis=0)).max() < 0.016
    assert np.abs(noise.std(axis=0) - 1).max() < 0.012
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.016


def test_shuffles_are_permutations_and_every_order_is_as_likely():
    orders = np.concatenate([shuffles(key, 3, 10) for key in keys(0, Purpose.SHUFFLE, 0, np.arange(3000))])
    assert (np.sort(orders, axis=1) == [0, 1, 2]).all()
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 6
    assert np.abs(counts / len(orders) - 1 / 6).max() < 0.011  # five standard errors


def test_every_subset_is_as_likely_and_has_nobody_twice():
    sets = np.array([np.sort(subset(key, 5, 2)) for key in keys(0, Purpose.MUTATION, 0, np.arange(30_000))])
    assert (sets[:, 0] < sets[:, 1]).all()
    assert sets.min() == 0
    assert sets.max() == 4
    _, counts = np.unique(sets, axis=0, return_counts=True)
    assert len(counts) == 10
    assert np.abs(counts / len(sets) - 0.1).max() < 0.009  # five standard errors
    assert (np.sort(subset(np.uint64(3), 50, 50)) == np.arange(50)).all()


def test_a_generation_has_one_generator_per_purpose():
    first = generator(5, Purpose.TEACHER, 1).random(3)
    assert (first == generator(5, Purpose.TEACHER, 1).random(3)).all()
    assert (first != generator(5, Purpose.TEACHER, 2).random(3)).all()
    assert (first != generator(5, Purpose.WEIGHTS, 1).random(3)).all()
