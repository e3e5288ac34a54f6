"""What promises the same bits keeps it under the linear algebra of other processors."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PROBE = """
import numpy as np
from threadpoolctl import threadpool_info

assert (np.ones((64, 64), np.float32) @ np.ones((64, 64), np.float32) == 64).all()
print(*(library["architecture"] for library in threadpool_info() if library["internal_api"] == "openblas"))
"""


def under(kernels, *arguments):
    """Run Python in a process whose OpenBLAS computes as on another processor."""
    settings = os.environ | {"OPENBLAS_CORETYPE": kernels, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=settings, capture_output=True, text=True)


@pytest.mark.parametrize("kernels", ["Haswell", "SkylakeX"])
def test_bits_do_not_depend_on_company_nor_on_interruptions(kernels):
    if under(kernels, "-c", PROBE).stdout.split() != [kernels]:
        pytest.skip(f"this processor or NumPy's library does not run OpenBLAS's {kernels} kernels")
    found = under(kernels, "-m", "pytest", "-q", "-m", "bits", "-p", "no:cacheprovider", "tests")
    assert found.returncode == 0, found.stdout + found.stderr


MAKE = """
import zlib

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy

from popagents.population.policies import make_policy

torch.set_num_threads({threads})
state = torch.get_rng_state()
for seed in (7, 2**64 - 1):
    space = spaces.Box(-1, 1, (300,))
    policy = make_policy(ActorCriticPolicy, space, space, lambda _: 1e-3, {{"net_arch": [400, 300]}}, seed)
    print(zlib.crc32(b"".join(values.detach().numpy().tobytes() for values in policy.parameters())))
assert torch.get_num_threads() == {threads}
assert (torch.get_rng_state() == state).all()
"""


def test_initial_weights_do_not_depend_on_the_number_of_threads():
    found = []
    for threads in (1, 3):
        done = subprocess.run(
            [sys.executable, "-c", MAKE.format(threads=threads)],
            env=os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(done.stdout)
    assert found[0] == found[1]
    assert len(set(found[0].split())) == 2
