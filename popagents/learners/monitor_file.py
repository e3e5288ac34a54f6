"""The csv of a VecMonitor: one row for each episode that was played.

The monitor itself would write rows for slots that nobody plays in, and for the champion's evaluation.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv, VecMonitor, unwrap_vec_wrapper

Report = Callable[[list[dict[str, Any]], np.ndarray], None]  # takes infos and dones where an episode ended


@contextmanager
def reporting(env: VecEnv, report: Report) -> Iterator[Report]:
    """Write the rows of a VecMonitor, wherever among the wrappers it is, as long as this lasts.

    Args:
        env: what is played in.
        report: what else takes infos and dones.

    Yields:
        What takes infos and dones, writes a row for each that is done, and hands them on.
    """
    monitor: Any = unwrap_vec_wrapper(env, VecMonitor)
    writer = None if monitor is None else monitor.results_writer
    if writer is None:
        yield report
        return

    def written(infos: list[dict[str, Any]], dones: np.ndarray) -> None:
        """Write a row for each episode that is done."""
        seconds = round(time.time() - monitor.t_start, 6)
        for slot in np.flatnonzero(dones).tolist():
            info, episode = infos[slot], infos[slot]["episode"]
            told = {name: info[name] for name in monitor.info_keywords if name in info}
            writer.write_row({"r": round(episode["r"], 6), "l": episode["l"], "t": seconds, **told})
        report(infos, dones)

    monitor.results_writer = None
    try:
        yield written
    finally:
        monitor.results_writer = writer
