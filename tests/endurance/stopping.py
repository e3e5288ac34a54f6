"""Runs that are stopped at random moments and gone on with, beside twins that never were.

    python -m tests.endurance.stopping --kills 200 --terms 100

stops runs of every learner through the command line, and of `maximize` in a script of its own, as often as that in all,
and prints how many ended as their twins did, byte for byte where files hold arrays. Every process is one of its own: a
server that has imported everything forks it, which takes a tenth of a second.
"""

import argparse
import itertools
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

from popagents.common import model_files
from registration.learners import LEARNERS

ENV = "PopPacman-v0"
ENTRY = {"policy": "LinearPolicy", "population_size": 4, "n_envs": 2, "env_kwargs": {"max_steps": 5}}
ENTRIES = {  # settings under which a generation takes milliseconds
    "culture": ENTRY | {"n_timesteps": 800, "n_epochs": 1, "champion_episodes": 1},
    "es": ENTRY | {"n_timesteps": 800},
    "elitist_es": ENTRY | {"n_timesteps": 800},
    "genetic": ENTRY | {"n_timesteps": 800, "champion_episodes": 1, "tournament_size": 2, "n_offspring": 2},
}
OPTIONS = ["--num-threads", "1", "--seed", "3", "--save-freq", "20", "--eval-freq", "300", "--eval-episodes", "1"]
GENERATIONS = 200  # of maximize
PATIENCE = 120.0  # seconds, for a process


def train(folder, arguments):
    """Run the training script in a folder; what it prints is added to `output` there."""
    os.chdir(folder)
    out = os.open("output", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    from popagents.zoo.train import main

    sys.argv = ["train", *arguments]
    main()


def climb(folder, _):
    """Maximise in a folder; the end is written into `found.npz`."""
    from popagents import maximize

    start = [np.zeros(3)]
    settings = {"generations": GENERATIONS, "population_size": 4, "seed": 1}
    found = maximize(lambda p: -((p[0] - 0.5) ** 2).sum(), start, path=folder / "run", resume=True, **settings)
    np.savez(folder / "found.npz", rewards=found.rewards, parameters=found.parameters[0])


def server():
    """Return what makes processes: quick ones, that share no memory with this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["popagents.zoo.train", "popagents.learners.es.maximize", __name__])
    return context


def command(algo, folder):
    """Return a command line's arguments; the run need not have begun."""
    conf_file = folder / "settings.yml"
    conf_file.write_text(yaml.safe_dump({ENV: ENTRIES[algo]}))
    return ["--algo", algo, "--env", ENV, "-conf", str(conf_file), *OPTIONS, "--resume"]


def stage_of(folder):
    """Return how far a run is, as its newest file tells."""
    return max((path.stat().st_mtime_ns for path in folder.rglob("*") if path.name != "output"), default=0)


def stop(context, target, folder, arguments, number, rng):
    """Begin, or go on with a run, and stop it by a signal; return its exit code, None if it ended before."""
    process = context.Process(target=target, args=(folder, arguments))
    before = stage_of(folder)
    process.start()
    deadline = time.monotonic() + PATIENCE
    while process.is_alive() and stage_of_or(before, folder) == before and time.monotonic() < deadline:
        time.sleep(0.005)
    process.join(rng.exponential(0.1))  # some before anything is learned, some late
    stopped = process.is_alive()
    if stopped:
        os.kill(process.pid, number)
    process.join(PATIENCE)
    assert process.exitcode is not None, f"{folder} hangs after signal {number}"
    return process.exitcode if stopped else None


def stage_of_or(stage, folder):
    """Return `stage_of`, or the stage given where files come and go in the meantime."""
    try:
        return stage_of(folder)
    except FileNotFoundError:
        return stage


def finish(context, target, folder, arguments):
    """Let a run go on until its end."""
    process = context.Process(target=target, args=(folder, arguments))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == 0, (folder / "output").read_text()[-3000:]


def left(folder):
    """Return what a run left: arrays by file and name, the rows of its monitors, and the names of all files."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".zip":
            arrays, description = model_files.read(path)
            found |= {f"{path.name}/{name}": array.tobytes() for name, array in arrays.items()}
            found[path.name] = description
        elif path.suffix == ".npz":
            with np.load(path) as arrays:
                found |= {f"{path.name}/{name}": arrays[name].tobytes() for name in arrays}
        elif path.name == "lineage.bin":
            found[path.name] = path.read_bytes()
        elif path.name.endswith("monitor.csv"):
            found[path.name] = [row.rsplit(",", 1)[0] for row in path.read_text().splitlines()[1:]]
    found["files"] = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.name != "output")
    return found


def differences(first, second):
    """Return the names under which what two runs left differs."""
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def ends_as_its_twin(context, algo, folder, signals, rng):
    """Stop runs by signals until all have come; hold each one's end against the twin's.

    Returns:
        How many runs there were; by signal, the exit codes; and the names of what differed.
    """
    target, arguments = (climb, lambda _: None) if algo == "maximize" else (train, lambda at: command(algo, at))
    twin = folder / "twin"
    twin.mkdir()
    finish(context, target, twin, arguments(twin))
    whole, waiting, codes, wrong = left(twin), list(signals), {}, []
    for number in itertools.count(1):
        here = folder / f"{number}"
        here.mkdir()
        while waiting:
            code = stop(context, target, here, arguments(here), waiting[0], rng)
            if code is None:  # it ended before the signal came: another run
                break
            codes.setdefault(waiting.pop(0), set()).add(code)
        else:
            finish(context, target, here, arguments(here))
        wrong += differences(left(here), whole)
        if not waiting:
            return number, codes, wrong
    raise AssertionError


def main():
    """Stop runs as often as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="SIGKILLs, over all learners and maximize")
    parser.add_argument("--terms", type=int, default=100, help="SIGTERMs, likewise")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng, names = np.random.default_rng(given.seed), [*LEARNERS, "maximize"]
    signals = [signal.SIGKILL] * given.kills + [signal.SIGTERM] * given.terms
    rng.shuffle(signals)
    failed = False
    for number, name in enumerate(names):
        own = [signal.Signals(n) for n in signals[number :: len(names)]]
        with tempfile.TemporaryDirectory() as folder:
            runs, codes, wrong = ends_as_its_twin(server(), name, Path(folder), own, rng)
        failed |= bool(wrong)
        told = ", ".join(f"{own.count(n)} {n.name} (exit codes {sorted(codes[n])})" for n in codes)
        print(f"{name}: {told} in {runs} runs; {len(wrong)} differences from the twin {wrong[:5]}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
