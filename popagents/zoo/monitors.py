"""RL Zoo's csv files of episodes: cut where a checkpoint was, and gone on with, time counted from the start."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
from stable_baselines3.common.monitor import ResultsWriter
from stable_baselines3.common.vec_env import VecMonitor


def cut_monitors(run: Path, sizes: dict[str, int]) -> None:
    """Cut every csv of a run to the size in bytes that it had at a checkpoint; remove those that were not there yet."""
    for path in run.glob("*.monitor.csv"):
        if path.name in sizes:
            os.truncate(path, min(path.stat().st_size, sizes[path.name]))
        else:
            path.unlink()


def began(run: Path) -> float | None:
    """Return when a run's first csv began, in seconds as `time.time` has them; None if it has none that is whole."""
    try:
        with open(run / "0.monitor.csv") as file:
            return float(json.loads(file.readline()[1:])["t_start"])
    except (OSError, ValueError, KeyError):
        return None


def monitored_on(env: VecMonitor, file: str, began: float) -> VecMonitor:
    """Let a VecMonitor that writes no csv add its episodes to one that there is, and return it."""
    env.results_writer = ResultsWriter(file, extra_keys=env.info_keywords, override_existing=False)
    env.t_start = began
    return env


def since(began: float, wrapper: Callable[[gym.Env], gym.Env] | None) -> Callable[[gym.Env], gym.Env]:
    """Return an `env_wrapper` that sets when the Monitor inside began, and then wraps as another one does."""

    def wrapped(monitor: Any) -> gym.Env:
        monitor.t_start = began
        return monitor if wrapper is None else wrapper(monitor)

    return wrapped
