"""The csv files of monitors: one row for each episode that was played.

A monitor itself would write rows for slots that nobody plays in, and for the champion's evaluation. One in another
process cannot be reached, and does.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from stable_baselines3.common.env_util import unwrap_wrapper
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv, VecMonitor, unwrap_vec_wrapper

Report = Callable[[list[dict[str, Any]], np.ndarray], None]  # takes infos and dones
Told = Callable[[list[int], list[dict[str, Any]]], None]  # takes the slots in which an episode ended, and their infos


@contextmanager
def reporting(env: VecEnv, report: Report) -> Iterator[Told]:
    """Write the rows of a VecMonitor, and of Monitors in this process, wherever they are, as long as this lasts.

    Args:
        env: what is played in.
        report: what else takes the infos, where an episode ended.

    Yields:
        What takes slots and infos, writes a row for each, and hands them on.
    """
    monitors = [monitors_of(env, slot) for slot in range(env.num_envs)]
    writers = {monitor: monitor.results_writer for some in monitors for monitor in some if monitor.results_writer}

    def written(slots: list[int], infos: list[dict[str, Any]]) -> None:
        """Write a row for each episode."""
        for slot, info in zip(slots, infos, strict=True):
            for monitor in monitors[slot]:
                if monitor in writers:
                    writers[monitor].write_row(row_of(monitor, info))
        report(infos, np.ones(len(infos), bool))

    for monitor in writers:
        monitor.results_writer = None
    try:
        yield written
    finally:
        for monitor, writer in writers.items():
            monitor.results_writer = writer


def monitors_of(env: VecEnv, slot: int) -> list[Any]:
    """Return what monitors a slot in this process."""
    envs = getattr(env.unwrapped, "envs", ())
    found = unwrap_vec_wrapper(env, VecMonitor), unwrap_wrapper(envs[slot], Monitor) if envs else None
    return [monitor for monitor in found if monitor is not None]


def row_of(monitor: Any, info: dict[str, Any]) -> dict[str, Any]:
    """Return the row of an episode, as the monitor would write it: r return, l length (steps), t time (seconds)."""
    seconds, episode = round(time.time() - monitor.t_start, 6), info["episode"]
    told = {name: info[name] for name in monitor.info_keywords if name in info}
    begun = getattr(monitor, "current_reset_info", {})  # a VecMonitor keeps nothing of resets
    return {"r": round(episode["r"], 6), "l": episode["l"], "t": seconds, **told, **begun}
