"""`NUMBA_DISABLE_JIT=1` runs everything as plain Python: learners too, with the same random numbers."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DRAWS = """
import zlib
import numpy as np

np.seterr(over="ignore")
from popagents.common.normal import normal, standard_normal
from popagents.common.randomness import Purpose, gumbel, keys, shuffles, subset

key = keys(3, Purpose.NOISE, 1, np.arange(50))
drawn = [key, gumbel(key, np.arange(50), 3), normal(key, np.arange(50), 3), standard_normal(key[0], 7)]
drawn += [subset(key[1], 50, 7), shuffles(key[2], 10, 3)]
print([zlib.crc32(numbers.tobytes()) for numbers in drawn])
"""
RUNS = """
import numpy as np

np.seterr(over="ignore")
from tests.learners.cases import LEARNERS, new

for name in LEARNERS:
    model = new(name, "popenvs:PopFruitCatch-v0").learn(1)
    print(name, model.generation)
from popagents import ES, Genetic, RecurrentPolicy

few = {"population_size": 4, "seed": 1, "champion_episodes": 1}
ES("MlpPolicy", "CartPole-v1", population_size=4, seed=1, rank=1).learn(1)
tournament = {"tournament_size": 2, "n_offspring": 2, "n_parents": 1}
lives = {"inheritance": "baldwin", "n_tasks": 1, "n_updates": 1}
Genetic(RecurrentPolicy, "popenvs:PopHarlow-v0", **few, **tournament, **lives).learn(1)
"""


def output(code, **switches):
    """Run Python in a process of its own."""
    settings = os.environ | switches | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_interpreted_random_numbers_are_the_compiled_ones():
    assert output(DRAWS, NUMBA_DISABLE_JIT="1") == output(DRAWS, NUMBA_DISABLE_JIT="0")


def test_every_learner_runs_interpreted():
    learned = output(RUNS, NUMBA_DISABLE_JIT="1").split()
    assert learned == ["culture", "1", "es", "1", "elitist_es", "1", "genetic", "1"]
