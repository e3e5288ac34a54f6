"""`python -m benchmarks.scaling`: what a second worker brings, what Ray costs, and what travels. Wall time.

A generation is a request of evolution strategies' members, played again and again by workers that have started. Two
workers need two free cores, but for the episodes that sleep.
"""

import time
from collections.abc import Iterator
from functools import partial
from statistics import median
from typing import Any

import gymnasium as gym
import numpy as np
import ray
from gymnasium import spaces

from benchmarks.table import Row, show
from popagents.learners.es.es import ES
from popagents.learners.training import executor_of
from popagents.rollout.dealing import dealt
from popagents.rollout.jobs import Request
from popagents.rollout.make_env import native_vec_env
from popagents.rollout.make_slots import slots_of
from popagents.rollout.ray_executor import messages, packed

EPISODE, STEPS, MEMBERS = 0.05, 10, 16  # seconds, steps
RAM = {"obs_type": "ram", "max_num_frames_per_episode": 1200}


class Slow(gym.Env):
    """An episode of `STEPS` steps that takes some seconds, asleep or at work."""

    def __init__(self, seconds: float, asleep: bool) -> None:
        self.observation_space, self.action_space = spaces.Box(0, 1, (8,), np.float32), spaces.Discrete(2)
        self.seconds, self.asleep = seconds, asleep

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin."""
        self.steps = 0
        return np.zeros(8, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take the step's share of the time."""
        self.steps += 1
        end = time.perf_counter() + self.seconds / STEPS
        if self.asleep:
            time.sleep(self.seconds / STEPS)
        while time.perf_counter() < end:
            pass
        return np.zeros(8, np.float32), 1.0, self.steps == STEPS, False, {}


def model_of(env: Any, members: int, **where: Any) -> tuple[ES, Request]:
    """Return a model and what it wants played first."""
    model = ES("LinearPolicy", env, population_size=members, seed=0, **where)
    return model, next(model.next_generation(model.loop.run.state, model.now))


def generation(env: Any, members: int, rounds: int = 9, **where: Any) -> float:
    """Return the median of the seconds that a generation takes."""
    model, request = model_of(env, members, **where)
    times = []
    with executor_of(model, slots_of(model.env)) as executor:
        for _ in range(rounds + 1):
            begin = time.perf_counter()
            executor.play(request)
            times.append(time.perf_counter() - begin)
    return median(times[1:])


def speed_up(env: Any, members: int) -> str:
    """Measure how many times as fast two of Ray's workers play as one does."""
    one, two = (generation(env, members, workers=n, ray_address="local") for n in (1, 2))
    return f"{one / two:.2f}x ({members / one:.1f} and {members / two:.1f} episodes/s)"


def overhead(members: int) -> str:
    """Measure how much longer a generation of episodes that take no time takes by way of Ray."""
    env = partial(Slow, 0.0, False)
    here, there = generation(env, members), generation(env, members, rounds=49, ray_address="local")
    return f"{1000 * (there - here):.1f} ms ({1000 * here:.1f} ms here)"


def bytes_each(members: int) -> str:
    """Count what is sent to two workers for a member, beside the broadcast."""
    _, request = model_of(partial(Slow, 0.0, False), members)
    common, shares = messages(dealt(request, 2))
    return f"{sum(map(len, shares)) / members:.1f} bytes, and {len(packed(common))} broadcast"


def rows() -> Iterator[Row]:
    """Yield a row a figure."""
    yield "two workers, episodes of 50 ms asleep", ">= 1.8x one", speed_up(partial(Slow, EPISODE, True), MEMBERS)
    yield "two workers, episodes of 50 ms at work", ">= 1.8x one", speed_up(partial(Slow, EPISODE, False), MEMBERS)
    atari = partial(native_vec_env, "ALE/SpaceInvaders-v5", 8, **RAM)
    yield "two workers, Atari RAM, episodes of 1200 frames", ">= 1.8x one", speed_up(atari, 32)
    yield "Ray's overhead a generation, 16 members", "<= 20 ms", overhead(16)
    yield "sent for a member of ES and generation, of 1000", "<= 64 bytes with its answer", bytes_each(1000)
    ray.shutdown()


if __name__ == "__main__":
    show(rows())
