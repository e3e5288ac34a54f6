"""Live generation after generation, with SB3's callbacks and logger looking on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback
from threadpoolctl import threadpool_limits

from popagents.learners.logging import Log
from popagents.learners.monitor_file import Report, reporting
from popagents.learners.observing import CallbackObserver
from popagents.learners.settings import slots_each
from popagents.rollout.executor import Executor, LocalExecutor
from popagents.rollout.make_elsewhere import check_dealable, maker_of
from popagents.rollout.ray_executor import RayExecutor
from popagents.rollout.slots import Slots


def train(
    model: Any,
    slots: Slots,
    callback: BaseCallback,
    report: Report,
    log_interval: int | None,
    until: int,
) -> None:
    """Live generations until `until` steps are taken or a callback stops; then choose the champion.

    Wherever an interrupt comes, `model.policy` is then the champion of `model.loop.run`.

    Args:
        model: a `PopulationAlgorithm`; its `num_timesteps` are counted here.
        slots: where it plays.
        callback: sees every step.
        report: takes infos and dones where an episode ended.
        log_interval: log every so many generations; None never.
        until: steps.
    """
    try:
        with threadpool_limits(1), executor_of(model, slots) as executor, reporting(model.env, report) as told:
            listener = CallbackObserver(callback, partial(count, model), told, slots)
            live_generations(model, executor, listener, log_interval, until)
            model.loop.choose_champion(executor)
        model.show_champion()
    except BaseException:
        model.show_champion()
        raise


@contextmanager
def executor_of(model: Any, slots: Slots) -> Iterator[Executor]:
    """Return who plays for a model: this process in `slots`, or workers as long as this lasts.

    Raises:
        ImportError: there are to be workers, and Ray is not installed.
        ValueError: they cannot be reached, are too many, or cannot play in the model's environment.
    """
    if model.workers == 1 and model.ray_address is None:
        yield LocalExecutor(model.loop.worker, slots)
        return
    check_dealable(slots)
    make = maker_of(model.given_env, model.env, slots_each(model))
    with RayExecutor(model.workers, model.ray_address, model.make_workspace(), make) as executor:
        yield executor


def count(model: Any, steps: int) -> None:
    """Count steps that a model has taken."""
    model.num_timesteps += steps


def live_generations(
    model: Any, executor: Executor, listener: CallbackObserver, log_interval: int | None, until: int
) -> None:
    """Live generations, which `executor` plays; the other arguments are those of `train`."""
    log, callback = Log(model.logger, model.num_timesteps, model.start_time), listener.callback
    while model.num_timesteps < until:
        callback.on_rollout_start()
        model.loop.run = replace(model.loop.run, timesteps=model.num_timesteps)
        logs = log_interval is not None and (model.generation + 1) % log_interval == 0
        lived = model.loop.live(model.now, executor, listener, logs)
        if lived is None:
            return
        model.show_champion()
        if logs:
            told = model.ep_info_buffer or [], model.ep_success_buffer or []
            log.record(lived.logs, model.loop.run, model.num_timesteps, *told)
            log.dump(model.num_timesteps)
        callback.on_rollout_end()
