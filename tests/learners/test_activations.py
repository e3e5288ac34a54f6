"""Activations: one implementation of each, torch's up to rounding, with the same bits in any company."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from popagents.networks import kernels
from popagents.networks.dense import ACTIVATIONS

ROOT = Path(__file__).parent.parent.parent
GRID = np.concatenate([np.linspace(-20, 20, 400_001), np.linspace(-1e-3, 1e-3, 20_001)]).astype(np.float32)
PRINT_HASH = """
import zlib
import numpy as np
from popagents.networks import kernels
x = np.linspace(-9, 9, 1001).astype(np.float32)
kernels.activate(x, kernels.TANH)
print(zlib.crc32(x))
"""
HASH = 1910847430


@pytest.mark.parametrize("module", ACTIVATIONS)
def test_an_activation_is_torchs_up_to_rounding(module):
    found, expected = ACTIVATIONS[module].function(GRID), module()(torch.from_numpy(GRID)).numpy()
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() <= (3.3e-7 if module is nn.Tanh else 0)


def test_sigmoid_is_torchs_up_to_rounding():
    x = GRID[::50]
    found = np.array([kernels.sigmoid(value) for value in x])
    assert np.abs(found - torch.sigmoid(torch.from_numpy(x)).numpy()).max() < 2e-7


@pytest.mark.parametrize("module", ACTIVATIONS)
def test_bits_depend_neither_on_the_length_nor_on_the_place(module):
    activation = ACTIVATIONS[module]
    x = np.random.default_rng(0).normal(0, 3, 80).astype(np.float32)
    alone = np.concatenate([activation.function(value[None]) for value in x])
    for length in range(1, 68):
        for first in range(9):
            part = x.copy()
            kernels.activate(part[first : first + length], activation.code)
            assert (part[first : first + length] == alone[first : first + length]).all()
            assert (part[first + length :] == x[first + length :]).all()


@pytest.mark.parametrize("module", ACTIVATIONS)
def test_the_argument_stays_as_it_is_and_may_lie_anyhow(module):
    x = np.random.default_rng(0).normal(size=(6, 5, 4)).astype(np.float32)
    before = x.copy()
    turned = ACTIVATIONS[module].function(x.T)
    assert (turned == ACTIVATIONS[module].function(x).T).all()
    assert (x == before).all()


@pytest.mark.parametrize("module", ACTIVATIONS)
def test_what_is_not_finite_comes_out_as_torch_has_it(module):
    x = np.array([np.nan, np.inf, -np.inf], np.float32)
    found = ACTIVATIONS[module].function(x)
    assert np.allclose(found, module()(torch.from_numpy(x)).numpy(), atol=4e-7, equal_nan=True)


@pytest.mark.parametrize("processor", ["native", "generic"])
def test_tanh_has_the_same_bits_on_every_processor(processor, tmp_path):
    settings = os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path)}
    if processor == "generic":
        settings |= {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    found = subprocess.run([sys.executable, "-c", PRINT_HASH], env=settings, capture_output=True, text=True, check=True)
    assert int(found.stdout) == HASH
