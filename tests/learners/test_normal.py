"""Normal numbers: functions of key and place, and normal as far as four million of them can tell."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from popagents.common.normal import log, normal, standard_normal
from popagents.common.randomness import Purpose, keys

ROOT = Path(__file__).parent.parent.parent
N = 4_000_000
PRINT_HASH = """
import zlib
import numpy as np
from popagents.common.normal import standard_normal
print(zlib.crc32(standard_normal(np.uint64(2), 1001)))
"""
HASH = 2841318796


@pytest.fixture(scope="module")
def numbers():
    return standard_normal(np.uint64(1), N)


def test_a_number_is_a_function_of_its_key_and_place_alone():
    whole = standard_normal(np.uint64(8), 80)
    assert whole.dtype == np.float32
    for size in range(1, 80):
        assert (standard_normal(np.uint64(8), size) == whole[:size]).all()
    for width in (1, 3, 4):
        rows = normal(np.full(20, 8, np.uint64), np.arange(20), width)
        assert (rows.ravel() == whole[: 20 * width]).all()


def test_moments_are_those_of_the_normal_distribution(numbers):
    x = numbers.astype(np.float64)
    for power, expected in enumerate((0, 1, 0, 3, 0, 15), start=1):
        spread = math.sqrt((math.prod(range(2 * power - 1, 0, -2)) - expected**2) / N)  # of a mean of x ** power
        assert abs((x**power).mean() - expected) < 5 * spread


def test_tails_have_their_share(numbers):
    for edge in (0.5, 1, 2, 3, 4, 4.5):
        share = math.erfc(edge / math.sqrt(2)) / 2
        for side in (numbers > edge, numbers < -edge):
            assert abs(side.sum() - N * share) < 5 * math.sqrt(N * share) + 1
    assert np.isfinite(numbers).all()
    assert np.abs(numbers).max() < 6.7


def test_the_distribution_function_is_the_normal_one(numbers):
    points = np.linspace(-4, 4, 801)
    expected = np.array([math.erfc(-x / math.sqrt(2)) / 2 for x in points])
    found = np.searchsorted(np.sort(numbers), points) / N
    assert np.abs(found - expected).max() < 2.5 / math.sqrt(N)  # Kolmogorov: once in 130 000 samples


def test_neighbours_and_neighbouring_keys_are_not_correlated(numbers):
    x = numbers.astype(np.float64)
    limit = 5 / math.sqrt(N)
    for lag in (1, 2, 3, 4, 8, 16, 64):
        assert abs((x[:-lag] * x[lag:]).mean()) < limit
        assert abs(((x[:-lag] ** 2 - 1) * (x[lag:] ** 2 - 1)).mean()) < 2 * limit  # nor are their sizes
    rows = np.stack([standard_normal(key, 1000) for key in keys(0, Purpose.NOISE, 0, np.arange(1000))]).astype(float)
    assert abs((rows[1:] * rows[:-1]).mean()) < 5 / 1000
    assert abs((rows[2:] * rows[:-2]).mean()) < 5 / 1000
    plain = np.stack([standard_normal(np.uint64(key), 1000) for key in range(1000)]).astype(float)
    assert abs((plain[1:] * plain[:-1]).mean()) < 5 / 1000


def test_the_logarithm_is_numpys_up_to_rounding():
    u = np.concatenate([2.0 ** np.linspace(-32, 0, 20_001), np.linspace(0.4, 1, 20_001)]).astype(np.float32)
    found = np.array([log(value) for value in u], np.float64)
    exact = np.log(u.astype(np.float64))
    assert np.abs(found - exact).max() < 2e-6
    assert (np.abs(found - exact) <= 3e-7 * np.abs(exact)).all()
    assert (found <= 0).all()


@pytest.mark.parametrize("processor", ["native", "generic"])
def test_numbers_have_the_same_bits_on_every_processor(processor, tmp_path):
    settings = os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path)}
    if processor == "generic":
        settings |= {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    found = subprocess.run([sys.executable, "-c", PRINT_HASH], env=settings, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str(HASH)
