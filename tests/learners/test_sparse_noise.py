"""Noise on a few parameters, drawn by lot."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from popagents.learners.es.elitist_es import ElitistES
from popagents.population.noise import Perturbed, SparseNoise


def test_sparse_noise_changes_from_one_parameter_to_a_share_each_order_of_magnitude_as_often():
    centre = np.full(18, 3, np.float32)
    noise, most = SparseNoise(18, 0.5), len(centre) / 2
    drawn = np.array([noise.drawn(np.uint64(key), 0.5) for key in range(4000)])
    changed = np.count_nonzero(drawn, axis=1)
    assert (changed.min(), changed.max()) == (1, most)
    for below in (2, 4, 8):
        assert np.mean(changed <= below) == pytest.approx(np.log(below + 0.5) / np.log(most), abs=0.03)
    values = drawn[drawn != 0]
    assert abs(values.mean()) < 0.02
    assert values.std() == pytest.approx(0.5, rel=0.03)
    assert np.ptp((drawn != 0).mean(axis=0)) < 0.05  # every parameter as often as another
    pair = Perturbed(centre[None], np.zeros(2, int), np.full(2, 7, np.uint64), np.array([1, -1], np.int8), 0.5)
    plus, minus = noise.vectors(pair, np.arange(2))
    assert np.array_equal(plus, centre + drawn[7])
    assert np.array_equal(minus, centre - drawn[7])


@pytest.mark.bits
def test_sparse_runs_go_on_from_a_file_bit_for_bit_at_any_number_of_slots(tmp_path):
    def env(slots):
        return SyncVectorEnv([lambda: gym.make("CartPole-v1")] * slots, autoreset_mode=AutoresetMode.SAME_STEP)

    settings = {"population_size": 8, "sigma": 0.5, "episodes": 2, "seed": 4}
    settings |= {"density": 0.3, "normalize_observations": True}
    whole = ElitistES("LinearPolicy", env(8), **settings).learn(3000, log_interval=None)
    begun = ElitistES("LinearPolicy", env(1), **settings)
    begun.learn(3000, lambda local, _: begun.generation < 1, log_interval=None)
    begun.save(tmp_path / "begun")
    loaded = ElitistES.load(tmp_path / "begun", env=env(5))
    assert (loaded.generation, loaded.density) == (1, 0.3)
    assert isinstance(loaded.workspace.noise, SparseNoise)
    loaded.learn(3000, log_interval=None, resume=True)
    assert (loaded.centre == whole.centre).all()
    assert not np.array_equal(loaded.centre, begun.centre)
    assert loaded.num_timesteps == whole.num_timesteps


@pytest.mark.parametrize(("density", "message"), [(0, "density is 0; it must be above 0"), (1.5, "density is 1.5")])
def test_a_density_out_of_range_is_named(density, message):
    with pytest.raises(ValueError, match=message):
        ElitistES("LinearPolicy", "CartPole-v1", density=density)
