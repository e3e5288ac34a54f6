"""Three hundred mutants of what each reader reads; `python -m tests.fuzz.mutants` tries ten thousand."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_mutants_load_right_or_are_refused_by_one_error_without_running_importing_or_taking_memory():
    command = [sys.executable, "-m", "tests.fuzz.mutants", "--mutants", "300", "--seed", "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert done.stdout.count("0 wrong") == 5
