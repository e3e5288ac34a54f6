"""What the documents show runs as it stands."""

import doctest
import importlib
import inspect
import pkgutil
import re
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import popagents
import popenvs
import registration
from examples.demo import taken_up
from popagents import Culture
from registration.environments import ENVIRONMENTS
from registration.learners import LEARNERS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
MODULES = [
    name
    for package in (popenvs, popagents, registration)
    for _, name, _ in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    if not name.endswith("__main__")
]


@pytest.mark.parametrize("name", ["popenvs", "popagents", *MODULES])
def test_doctests_hold(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_readmes_python_runs_from_top_to_bottom(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        exec(compile(block, "README.md", "exec"), namespace)
    assert Culture.load(tmp_path / "runs/culture").generation > 0


def test_the_readmes_files_and_commands_exist():
    for target in re.findall(r"\]\(((?!http)[^)]+)\)", README):
        assert (ROOT / target).exists(), target
    for module in re.findall(r"python -m ([\w.]+)", README):
        assert importlib.util.find_spec(module), module
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make (\w+) ", README):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m (benchmarks\.\w+)", README))))
def test_the_readmes_benchmarks_print_a_table(module, monkeypatch):
    shown = []
    monkeypatch.setattr("benchmarks.table.show", shown.append)
    runpy.run_module(module, run_name="__main__")
    assert [inspect.isgenerator(rows) for rows in shown] == [True]


def test_every_id_and_learner_is_in_the_readme():
    assert all(name in README for name in [*ENVIRONMENTS, *LEARNERS])


def demo(folder, *arguments):
    command = [sys.executable, "-m", "examples.demo", "--folder", str(folder), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def assert_left(folder, output):
    for name in ("model.zip", "learning_curve.png", "lineage.png", "before_after.gif"):
        assert str(folder / name) in output
        assert (folder / name).stat().st_size > 1000
    assert Image.open(folder / "before_after.gif").n_frames > 50
    assert Culture.load(folder / "model").generation > 0


def test_the_demo_leaves_the_model_and_the_pictures(tmp_path):
    run = demo(tmp_path, "--steps", "20000")
    output, _ = run.communicate(timeout=240)
    assert run.returncode == 0, output
    assert "mean score" in output
    assert_left(tmp_path, output)


def test_a_signal_to_the_demo_saves_what_there_is_and_says_how_to_go_on(tmp_path):
    run = demo(tmp_path, "--steps", "100000000")
    lines = iter(run.stdout.readline, "")
    head = ""
    for line in lines:
        head += line
        if re.search(
            r"^\s*[\d,]+\s+\d+\s+\d+\.\d\d", line.split("\r")[-1]
        ):  # the table's first row: a generation is over
            break
    run.send_signal(signal.SIGTERM)
    output = head + "".join(lines)
    assert run.wait(timeout=120) == 128 + signal.SIGTERM, output
    assert "Stopped after" in output
    assert "saving what there is" in output
    assert_left(tmp_path, output)
    resume = f"python -m examples.demo --folder {tmp_path} --steps 100000000 --resume"
    assert output.splitlines()[-1] == resume


def test_the_demo_goes_on_with_what_it_saved(tmp_path, capsys):
    fresh = Culture("LinearPolicy", "popenvs:PopPacman-v0", population_size=2, seed=0)
    assert taken_up(fresh, tmp_path / "model.zip") is fresh
    fresh.learn(200).save(tmp_path / "model.zip")
    assert taken_up(fresh, tmp_path / "model.zip").num_timesteps == 200
    assert "model.zip goes on after 200 steps" in capsys.readouterr().out
