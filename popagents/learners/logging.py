"""What a generation tells the outside: SB3's logger and the csv of a VecMonitor."""

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from stable_baselines3.common.logger import HumanOutputFormat
from stable_baselines3.common.utils import safe_mean
from stable_baselines3.common.vec_env import VecMonitor

from popagents.population.actions import disagreement
from popagents.rollout.play import Lives
from popagents.rollout.vec_env import GymVecEnv

if TYPE_CHECKING:
    from popagents.learners.base import PopulationAlgorithm


def diversity(model: "PopulationAlgorithm", lives: Lives) -> float:
    """Measure how differently the members of this generation act in situations that it met; see `disagreement`."""
    probe = np.repeat(lives.probe, model.population_size, axis=0)
    everyone = np.tile(np.arange(model.population_size), len(lives.probe))
    actions = model.population.act(everyone, probe).reshape(len(lives.probe), model.population_size, -1)
    return disagreement(actions, model.action_space)


def log_generation(model: "PopulationAlgorithm") -> None:
    """Log the generation that has just been learned from; its diversity was recorded before."""
    fitness = model.fitness[np.isfinite(model.fitness)]
    seconds = max((time.time_ns() - model.start_time) / 1e9, 1e-9)
    values = {
        "rollout/ep_rew_mean": safe_mean([e["r"] for e in model.ep_info_buffer]),  # type: ignore[union-attr]
        "rollout/ep_len_mean": safe_mean([e["l"] for e in model.ep_info_buffer]),  # type: ignore[union-attr]
        "population/fitness_mean": fitness.mean(),
        "population/fitness_max": fitness.max(),
        "population/fitness_min": fitness.min(),
        "population/fitness_std": fitness.std(),
        "time/generation": model.generation,
        "time/total_timesteps": model.num_timesteps,
        "time/fps": int((model.num_timesteps - model._num_timesteps_at_start) / seconds),
    }
    for key, value in values.items():
        model.logger.record(key, value)
    dump(model)


def dump(model: "PopulationAlgorithm") -> None:
    """Write what was recorded: into files every time, onto the screen once a second; generations take milliseconds."""
    formats, now = model.logger.output_formats, time.monotonic()
    if now < model.next_table:
        model.logger.output_formats = [f for f in formats if not isinstance(f, HumanOutputFormat)]
    else:
        model.next_table = now + 1
    model.logger.dump(step=model.num_timesteps)
    model.logger.output_formats = formats


def write_monitor(env: Any, lives: Lives) -> None:
    """Write episodes into the file of a VecMonitor that the slots looked through."""
    if isinstance(env, VecMonitor) and isinstance(env.venv, GymVecEnv) and env.results_writer:
        now = round(time.time() - env.t_start, 6)
        for r, length in zip(lives.returns, lives.lengths, strict=True):
            env.results_writer.write_row({"r": round(float(r), 6), "l": int(length), "t": now})
