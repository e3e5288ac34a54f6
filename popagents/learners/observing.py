"""What callbacks and counters see of the play."""

from collections.abc import Callable
from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback, CallbackList

from popagents.common.records import unpacked
from popagents.rollout.jobs import Episodes
from popagents.rollout.slots import Slots
from popagents.rollout.step import Step


class CallbackObserver:
    """Counts steps, and shows each to SB3's callbacks, one row a slot.

    `locals` hold observations (from before the step) and new_obs (a dict of arrays each, where the space is a Dict),
    actions, rewards, dones and infos. Rows of idle slots say reward 0, done False, info {}; `live` (bool, (slots,))
    tells which slots were playing.

    Args:
        callback: SB3's.
        count: takes how many steps were taken.
        report: takes the slots in which an episode ended, and their infos.
        slots: where the play is.
    """

    def __init__(
        self,
        callback: BaseCallback,
        count: Callable[[int], None],
        report: Callable[[list[int], list[dict[str, Any]]], None],
        slots: Slots,
    ) -> None:
        self.callback, self.count, self.report, self.slots = callback, count, report, slots
        self.nobody_listens = isinstance(callback, CallbackList) and not callback.callbacks
        self._live, self._playing = np.zeros(0, np.int64), np.zeros(slots.n, bool)

    def __call__(self, step: Step) -> bool:
        """Show a step; return whether to go on."""
        self.count(len(step.live))
        if self.nobody_listens and not step.ended:
            return True
        rewards, dones, infos = step.rewards, step.dones, step.infos
        if step.live is not self._live:  # the same array as long as the same slots play
            self._live, self._playing = step.live, np.zeros(len(dones), bool)
            self._playing[step.live] = True
        playing = self._playing
        if len(step.live) < len(dones):
            rewards, dones = np.zeros(len(dones)), dones & playing
            rewards[step.live] = step.of_live(step.rewards)
            if any(infos):
                infos = [info if live else {} for info, live in zip(infos, playing.tolist(), strict=True)]
        if step.ended:
            over = np.flatnonzero(dones).tolist()  # SB3 counts whatever is named "episode", wherever it stands
            self.report(over, [infos[slot] for slot in over])
        shown: dict[str, Any] = {
            "observations": unpacked(step.observations),
            "new_obs": unpacked(self.slots.observations),
            "actions": step.actions,
            "rewards": rewards,
            "dones": dones,
            "infos": infos,
            "live": playing,
        }
        self.callback.update_locals(shown)
        return bool(self.callback.on_step())

    def answered(self, episodes: Episodes) -> bool:
        """Show what workers have played, once a request, with a row a job; return whether to go on.

        `locals` hold rewards (returns of jobs' last episodes), dones (all True), live (all True) and infos: what
        `Episodes.infos` holds, and the entry by which SB3's monitors report an episode, l being the steps of all of a
        job's episodes, so that they sum up to `num_timesteps`.
        """
        self.count(int(episodes.lengths.sum()))
        infos, dones = infos_of(episodes), np.ones(len(episodes.returns), bool)
        self.report((np.arange(len(infos)) % self.slots.n).tolist(), infos)
        self.callback.update_locals({"rewards": episodes.returns, "dones": dones, "infos": infos, "live": dones})
        return bool(self.callback.on_step())


def infos_of(episodes: Episodes) -> list[dict[str, Any]]:
    """Return one info a job: floats of its last step, and "episode" with r (return) and l (steps)."""
    rows = zip(episodes.returns.tolist(), episodes.lengths.tolist(), strict=True)
    infos: list[dict[str, Any]] = [{"episode": {"r": r, "l": length}} for r, length in rows]
    for name, values in episodes.infos.items():
        for job in np.flatnonzero(~np.isnan(values)).tolist():
            infos[job][name] = float(values[job])
    return infos
