"""How a run that is over is lived again: by what its lineage tells where that is enough, and by play elsewhere."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from stable_baselines3.common.policies import BasePolicy
from threadpoolctl import threadpool_limits

from popagents.common.now import Now
from popagents.population.population import write_into
from popagents.rollout.executor import LocalExecutor
from popagents.rollout.slots import Slots


def policy_then(
    model: Any, lineage: np.ndarray, until: int, generation: int, member: int, slots: Callable[[], Slots]
) -> BasePolicy:
    """Return the policy of a member as it began a generation.

    Args:
        model: a `PopulationAlgorithm` as it was in that generation or before; its run is lived until then.
        lineage: of the run.
        until: steps toward which the run was going.
        generation: which.
        member: who.
        slots: makes slots, which are needed where generations are played again.

    Raises:
        ValueError: a generation that is played again is not what the lineage tells.
    """
    while model.generation < generation:
        live_again(model, of_generation(lineage, model.generation), until, slots)
    design, parameters = model.parameters_in(model.loop.run.state, now_of(model, until), member)
    return write_into(model.new_policy(design), parameters)


def live_again(model: Any, rows: np.ndarray, until: int, slots: Callable[[], Slots]) -> None:
    """Let the next generation, whose rows of the lineage are given, become the past.

    Raises:
        ValueError: see `play_again`.
    """
    now, run = now_of(model, until), model.loop.run
    state = model.retold(run.state, now, rows)
    if state is None:
        play_again(model, rows, now, slots())
        return
    lived = int(rows["timesteps"][-1])
    fitness, timesteps = rows["fitness"].copy(), run.timesteps + lived - run.steps_lived
    counts = {"generation": run.generation + 1, "timesteps": timesteps, "steps_lived": lived}
    model.loop.run = replace(run, state=state, fitness=fitness, **counts)


def play_again(model: Any, rows: np.ndarray, now: Now, slots: Slots) -> None:
    """Play the next generation.

    Raises:
        ValueError: it is not what its rows of the lineage tell.
    """
    with threadpool_limits(1):
        model.loop.live(now, LocalExecutor(model.loop.worker, slots), None, logs=False)
    if model.fitness.tobytes() != rows["fitness"].tobytes():
        raise ValueError(
            f"generation {now.generation} that is played again has the fitness {model.fitness!s:.100}, and the "
            f"lineage tells {rows['fitness']!s:.100}; replay it with the version of popzoo and of its environment "
            "that trained it, on a processor of that kind"
        )


def now_of(model: Any, until: int) -> Now:
    """Return when a model's next generation is lived, in a run of `until` steps."""
    return Now(model.run_seed, model.generation, model.loop.run.progress(until))


def of_generation(lineage: np.ndarray, generation: int) -> np.ndarray:
    """Return a generation's rows of a lineage."""
    first, end = np.searchsorted(lineage["generation"], [generation, generation + 1])
    return lineage[first:end]
