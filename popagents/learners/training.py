"""Live generation after generation, with SB3's callbacks and logger looking on."""

from dataclasses import replace
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback
from threadpoolctl import threadpool_limits

from popagents.learners.logging import Log
from popagents.learners.monitor_file import Report, Told, reporting
from popagents.learners.observing import CallbackObserver
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
        with threadpool_limits(1), reporting(model.env, report) as told:
            live_generations(model, slots, callback, told, log_interval, until)
            model.loop.choose_champion(slots)
        model.show_champion()
    except BaseException:
        model.show_champion()
        raise


def live_generations(
    model: Any, slots: Slots, callback: BaseCallback, report: Told, log_interval: int | None, until: int
) -> None:
    """Live generations; the arguments are those of `train`."""

    def count(steps: int) -> None:
        model.num_timesteps += steps

    log = Log(model.logger, model.num_timesteps, model.start_time)
    listener = CallbackObserver(callback, count, report, slots)
    while model.num_timesteps < until:
        callback.on_rollout_start()
        model.loop.run = replace(model.loop.run, timesteps=model.num_timesteps)
        logs = log_interval is not None and (model.generation + 1) % log_interval == 0
        lived = model.loop.live(model.now, slots, listener, logs)
        if lived is None:
            return
        model.show_champion()
        if logs:
            told = model.ep_info_buffer or [], model.ep_success_buffer or []
            log.record(lived.logs, model.loop.run, model.num_timesteps, *told)
            log.dump(model.num_timesteps)
        callback.on_rollout_end()
