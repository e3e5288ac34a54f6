"""What must be settled before a test imports anything: where numba keeps its code, and that nothing opens a window.

Numba's cache sees edits in a file but not in a module that it imports, and it does not see switches such as
NUMBA_BOUNDSCHECK; so compiled code lives in a folder named by a hash of every source file and switch.
"""

import hashlib
import os
import signal
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
PACKAGES = ("popenvs", "popagents", "registration")


def fingerprint() -> str:
    """Hash all that compiled code depends on."""
    digest = hashlib.sha256()
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    switches = {name: value for name, value in os.environ.items() if name.startswith("NUMBA_")}
    switches.pop("NUMBA_CACHE_DIR", None)
    digest.update(repr(sorted(switches.items())).encode())
    return digest.hexdigest()[:16]


sys.path.insert(0, str(ROOT / "tests"))  # for `from oracles.x import ...`
os.environ["NUMBA_CACHE_DIR"] = str(ROOT / ".pytest_cache" / "numba" / fingerprint())
os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["MPLBACKEND"] = "Agg"
signal.signal(
    signal.SIGINT, signal.default_int_handler
)  # a shell's background job ignores Ctrl-C, and so do its children
if os.environ.get("NUMBA_DISABLE_JIT") == "1":
    np.seterr(over="ignore")  # the random streams multiply modulo 2**64, of which NumPy warns when interpreted
