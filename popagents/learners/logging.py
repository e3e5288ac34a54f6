"""What a generation tells SB3's logger."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.logger import HumanOutputFormat, Logger
from stable_baselines3.common.utils import safe_mean

from popagents.learners.run import Run
from popagents.rollout.jobs import Episodes

SECONDS = 1.0  # between two tables on the screen: generations take milliseconds


class Log:
    """Writes what is known of a run: into files every time, onto the screen once a second.

    Args:
        logger: SB3's.
        timesteps: `num_timesteps` when the run began.
        begun: when that was, in nanoseconds of `time.time_ns`.
    """

    def __init__(self, logger: Logger, timesteps: int, begun: int) -> None:
        self.logger, self.timesteps, self.begun, self.next_table = logger, timesteps, begun, 0.0

    def record(
        self,
        logs: dict[str, float],
        run: Run[Any],
        timesteps: int,
        episodes: Iterable[dict[str, Any]],
        successes: Iterable[bool],
    ) -> None:
        """Record numbers by name; nothing is written yet.

        Args:
            logs: further ones, of a generation.
            run: its fitness is told of members that have any.
            timesteps: `num_timesteps`.
            episodes: the last ones, with r (return) and l (length).
            successes: what the last ones called `is_success`.
        """
        last, successes, known = list(episodes), list(successes), run.fitness[np.isfinite(run.fitness)]
        seconds = max((time.time_ns() - self.begun) / 1e9, 1e-9)
        values = logs | {
            "rollout/ep_rew_mean": safe_mean([e["r"] for e in last]),
            "rollout/ep_len_mean": safe_mean([e["l"] for e in last]),
            "time/generation": run.generation,
            "time/total_timesteps": timesteps,
            "time/fps": int((timesteps - self.timesteps) / seconds),
        }
        for key, value in (values | means_of(known, successes)).items():
            self.logger.record(key, value)

    def dump(self, timesteps: int) -> None:
        """Write what was recorded."""
        formats, now = self.logger.output_formats, time.monotonic()
        if now < self.next_table:
            self.logger.output_formats = [f for f in formats if not isinstance(f, HumanOutputFormat)]
        else:
            self.next_table = now + SECONDS
        self.logger.dump(step=timesteps)
        self.logger.output_formats = formats


def means_of(fitness: np.ndarray, successes: list[bool]) -> dict[str, float]:
    """Return what is logged of fitness (k,) and of successes, where there are any."""
    means: dict[str, float] = {"rollout/success_rate": safe_mean(successes)} if successes else {}
    if not len(fitness):
        return means
    statistics = {"mean": fitness.mean(), "max": fitness.max(), "min": fitness.min(), "std": fitness.std()}
    return means | {f"population/fitness_{name}": value for name, value in statistics.items()}


def check_interval(log_interval: int | None) -> None:
    """Refuse an interval at which nothing can be logged.

    Raises:
        ValueError: it is neither None nor a whole number above 0.
    """
    if log_interval is not None and log_interval < 1:
        raise ValueError(f"log_interval is {log_interval}; log every so many generations, 1 or more; None never logs")


def info_means(answers: Sequence[Episodes]) -> dict[str, float]:
    """Return the mean of each float that the infos of a generation's last steps held."""
    names = sorted({name for episodes in answers for name in episodes.infos}, key=str)
    columns = {name: [e.infos[name] for e in answers if name in e.infos] for name in names}
    return {f"rollout/{name}": float(np.nanmean(np.concatenate(rows))) for name, rows in columns.items()}
