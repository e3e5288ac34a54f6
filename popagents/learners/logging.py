"""What a generation tells SB3's logger, and the csv of a VecMonitor."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.logger import HumanOutputFormat, Logger
from stable_baselines3.common.utils import safe_mean
from stable_baselines3.common.vec_env import VecMonitor

from popagents.rollout.jobs import Episodes
from popagents.rollout.vec_env import GymVecEnv

SECONDS = 1.0  # between two tables on the screen: generations take milliseconds


class GenerationLog:
    """Writes one table a generation: into files every time, onto the screen once a second.

    Args:
        logger: SB3's.
        timesteps: `num_timesteps` when the run began.
    """

    def __init__(self, logger: Logger, timesteps: int) -> None:
        self.logger, self.timesteps = logger, timesteps
        self.begun, self.next_table = time.monotonic(), 0.0

    def write(
        self,
        logs: dict[str, float],
        fitness: np.ndarray,
        generation: int,
        timesteps: int,
        episodes: Iterable[dict[str, Any]],
    ) -> None:
        """Write a generation's table.

        Args:
            logs: numbers by name.
            fitness: float64, (members,); members with NaN are left out.
            generation: how many are done.
            timesteps: `num_timesteps`.
            episodes: the last ones, with r (return) and l (length).
        """
        episodes = list(episodes)
        values = logs | fitness_statistics(fitness)
        values |= {
            "rollout/ep_rew_mean": safe_mean([e["r"] for e in episodes]),
            "rollout/ep_len_mean": safe_mean([e["l"] for e in episodes]),
            "time/generation": generation,
            "time/total_timesteps": timesteps,
            "time/fps": int((timesteps - self.timesteps) / max(time.monotonic() - self.begun, 1e-9)),
        }
        for key, value in values.items():
            self.logger.record(key, value)
        self._dump(timesteps)

    def _dump(self, timesteps: int) -> None:
        formats, now = self.logger.output_formats, time.monotonic()
        if now < self.next_table:
            self.logger.output_formats = [f for f in formats if not isinstance(f, HumanOutputFormat)]
        else:
            self.next_table = now + SECONDS
        self.logger.dump(step=timesteps)
        self.logger.output_formats = formats


def fitness_statistics(fitness: np.ndarray) -> dict[str, float]:
    """Return mean, extremes and standard deviation of the members' fitness, (members,); NaN does not count."""
    known = fitness[np.isfinite(fitness)]
    statistics = {"mean": known.mean(), "max": known.max(), "min": known.min(), "std": known.std()}
    return {f"population/fitness_{name}": value for name, value in statistics.items()}


def info_means(answers: Sequence[Episodes]) -> dict[str, float]:
    """Return the mean of each float that the infos of a generation's last steps held."""
    names = sorted({name for episodes in answers for name in episodes.infos})
    columns = {name: [e.infos[name] for e in answers if name in e.infos] for name in names}
    return {f"rollout/{name}": float(np.nanmean(np.concatenate(rows))) for name, rows in columns.items()}


def write_monitor(env: Any, answers: Sequence[Episodes]) -> None:
    """Write judged episodes into the file of a VecMonitor that the slots looked through."""
    if isinstance(env, VecMonitor) and isinstance(env.venv, GymVecEnv) and env.results_writer:
        now = round(time.time() - env.t_start, 6)
        for episodes in answers:
            judged = episodes.jobs.judged
            for r, length in zip(episodes.returns[judged], episodes.lengths[judged], strict=True):
                env.results_writer.write_row({"r": round(float(r), 6), "l": int(length), "t": now})
