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
    found = under(kernels, "-m", "pytest", "-q", "-m", "bits", "-p", "no:cacheprovider", "tests/learners")
    assert found.returncode == 0, found.stdout + found.stderr
