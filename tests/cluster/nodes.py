"""`make ray`: what takes Ray too long for the suite. A cluster of several nodes on this machine, and how runs end."""

import os
import signal
import subprocess
import sys
import time

import pytest
import ray
from ray.cluster_utils import Cluster
from stable_baselines3.common.callbacks import BaseCallback

from tests.learners.cases import assert_same, every_learner, new
from tests.learners.games import Ring


@pytest.fixture(autouse=True)
def _alone():
    """Let every test start Ray by itself."""
    yield
    ray.shutdown()


class Failing(Ring):
    def step(self, action):
        raise KeyError("a wheel came off")


def test_a_worker_says_whose_episode_failed():
    model = new("es", Failing, workers=2)
    with pytest.raises(RuntimeError, match="a wheel came off.* at step 0 while members? .* played, seeded"):
        model.learn(400)
    assert model.generation == 0


@every_learner
def test_workers_play_what_one_process_plays(name):
    assert_same(new(name, Ring, "MlpPolicy", workers=2).learn(600), new(name, Ring, "MlpPolicy").learn(600))


class Change(BaseCallback):
    """Removes a node after the second generation, and adds another."""

    def __init__(self, cluster, node):
        super().__init__()
        self.cluster, self.node = cluster, node

    def _on_rollout_start(self):
        if self.model.generation == 2 and self.node is not None:
            self.cluster.remove_node(self.node, allow_graceful=False)
            self.cluster.add_node(num_cpus=1)
            self.node = None

    def _on_step(self):
        return True


def test_a_node_that_dies_takes_nothing_with_it():
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        change = Change(cluster, cluster.add_node(num_cpus=1))
        model = new("culture", Ring, workers=2, ray_address=cluster.address).learn(600, callback=change)
        assert change.node is None
        assert_same(model, new("culture", Ring).learn(600))
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_no_process(number, tmp_path):
    command = "-m popagents.train --algo es --env CartPole-v1 --workers 2 --num-threads 1 -n 10000000 --eval-freq -1"
    arguments = [sys.executable, *command.split()]
    run = subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.PIPE, text=True, start_new_session=True)
    while "total_timesteps" not in run.stdout.readline():
        assert run.poll() is None
    children = descendants(run.pid)
    assert any("ray::Actor" in name for name in children.values())
    os.killpg(run.pid, number)  # as a terminal does
    assert "--resume" in run.communicate(timeout=60)[0].splitlines()[-1]
    assert run.returncode == 128 + number
    end = time.monotonic() + 20
    while alive := [name for pid, name in children.items() if os.path.exists(f"/proc/{pid}")]:
        assert time.monotonic() < end, alive
        time.sleep(0.2)


def descendants(pid):
    """Return the processes below one, by number."""
    lines = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in lines.splitlines()[1:]]
    found, new = {}, {str(pid)}
    while new:
        children = {row[0]: row[2] for row in rows if row[1] in new}
        found |= children
        new = set(children)
    return found
