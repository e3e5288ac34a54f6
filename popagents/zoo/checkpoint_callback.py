"""Checkpoints of a run under RL Zoo's script, and what of a run is outside the model: monitors, callbacks, statistics.

A learner of ours is saved as it stood when its last generation was whole, wherever the moment comes; any other
algorithm as it stands.
"""

import copy
import inspect
import json
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback, EvalCallback

from popagents.common import model_files
from popagents.common.checkpoints import checkpoints_in, write_checkpoint
from popagents.common.lineage import ROW
from popagents.common.lineage_file import LineageFile
from popagents.common.signals import Ending
from popagents.learners.algorithm import PopulationAlgorithm
from popagents.learners.snapshot import pack
from popagents.zoo.milestones import begin_milestones, is_due, write_milestone
from popagents.zoo.statistics import moments_of, restore_moments, save_statistics

FORMAT = 2
MODEL, PROGRESS, BUFFER = "model.zip", "progress.json", "replay_buffer.pkl"
LINEAGE = "lineage.bin"  # in a run's folder
SECONDS = 120.0  # between two checkpoints, at most


class Checkpoints(BaseCallback):
    """Writes checkpoints between generations, or between rollouts of other algorithms. It comes first of all callbacks.

    Args:
        run: the run's folder.
        every: environment steps between two checkpoints at most; below 1 only time counts.
        callbacks: the run's others.
        ending: tells whether a signal came.
        buffer: whether the replay buffer is saved, too.
        begun: the checkpoint from which the run goes on; None where it begins.
    """

    def __init__(
        self,
        run: Path,
        every: int,
        callbacks: Sequence[BaseCallback],
        ending: Ending,
        buffer: bool,
        begun: Path | None,
    ) -> None:
        super().__init__()
        self.run, self.every, self.callbacks, self.ending = run, every, callbacks, ending
        self.buffer, self.begun = buffer, begun
        self.written, self.next_time, self.until = 0, 0.0, 0
        self._whole: Callable[[], dict[str, Any]] | None = None

    @property
    def folder(self) -> Path:
        """Return where checkpoints are."""
        return self.run / "checkpoints"

    def _on_training_start(self) -> None:
        normalizer = self.model.get_vec_normalize_env()
        if normalizer is not None and self.begun is not None:
            restore_moments(normalizer, self.begun)  # SB3's `learn` has reset it, which counts
        if isinstance(self.model, PopulationAlgorithm) and self.begun is None:
            self.model.loop.keep_lineage(LineageFile.holding(self.run / LINEAGE, self.model.lineage))
        self.remember()
        self.keep_milestone(begins=True)
        self.written, self.next_time = self.model.num_timesteps, time.monotonic() + SECONDS
        if not checkpoints_in(self.folder):
            self.write()

    def _on_rollout_start(self) -> None:
        self.remember()
        self.keep_milestone(begins=False)
        steps = self.model.num_timesteps - self.written
        if 1 <= self.every <= steps or time.monotonic() >= self.next_time:
            self.write()

    def _on_step(self) -> bool:
        return not self.ending.number

    def remember(self) -> None:
        """Remember the run as it is now, which is whole."""
        model = self.model
        if not isinstance(model, PopulationAlgorithm):
            self._whole = self.progress
            return
        run, normalizer = replace(model.loop.run, timesteps=model.num_timesteps), model.get_vec_normalize_env()
        progress = self.progress()
        moments = copy.deepcopy(moments_of(normalizer)) if normalizer is not None else {}

        def whole() -> dict[str, Any]:
            """Let the model be what is remembered; return how far its run had come."""
            model.loop.run, model.num_timesteps = run, run.timesteps
            model.show_champion()
            for name, values in moments.items():
                moments_of(normalizer)[name].__dict__.update(vars(values))  # type: ignore[arg-type]
            return progress

        self._whole = whole

    def write(self) -> None:
        """Write a checkpoint of the run as it was when it was last whole, and let the model be that again."""
        if self._whole is None:  # it has not begun
            return
        progress = self._whole()
        try:
            write_checkpoint(self.folder, lambda folder: self.fill(folder, progress))
        except OSError as error:
            warnings.warn(f"no checkpoint could be written ({error}); the one before stays: free space", stacklevel=2)
        self.written, self.next_time = self.model.num_timesteps, time.monotonic() + SECONDS

    def fill(self, folder: Path, progress: dict[str, Any]) -> None:
        """Write a checkpoint's files."""
        model = self.model
        lineage = self.flush_lineage()
        if lineage is not None:
            progress = progress | {"lineage": lineage}
            model_files.write(folder / MODEL, *pack(model, np.empty(0, ROW)))
        else:
            model.save(folder / MODEL)
        normalizer = model.get_vec_normalize_env()
        if normalizer is not None:
            save_statistics(normalizer, folder)
        if self.buffer and hasattr(model, "save_replay_buffer"):
            model.save_replay_buffer(folder / BUFFER)
        (folder / PROGRESS).write_text(json.dumps(progress))

    def flush_lineage(self) -> dict[str, Any] | None:
        """Put the lineage onto the disk; return how many rows it has, and their SHA-256. Other algorithms have none."""
        if not isinstance(self.model, PopulationAlgorithm):
            return None
        loop = self.model.loop
        assert isinstance(loop.table, LineageFile)
        return {"rows": loop.run.rows, "sha256": loop.table.flush(loop.run.rows)}

    def seal(self, model: Any) -> None:
        """Close the lineage of a model whose run has ended."""
        if isinstance(model, PopulationAlgorithm) and isinstance(model.loop.table, LineageFile):
            model.loop.table.seal(model.loop.run.rows)

    def keep_milestone(self, begins: bool) -> None:
        """Keep the model for ever where a run begins, or where that is due."""
        if not isinstance(self.model, PopulationAlgorithm) or not (begins or is_due(self.run, self.model)):
            return
        assert self._whole is not None
        self._whole()
        if begins:
            self.until = self.locals["total_timesteps"] + self.model.num_timesteps
        keep = begin_milestones if begins else write_milestone
        try:
            keep(self.run, self.model, self.until)
        except OSError as error:
            warnings.warn(f"no milestone could be written ({error}); free space", stacklevel=2)

    def progress(self) -> dict[str, Any]:
        """Return how far everything beside the model is."""
        return {
            "format": FORMAT,
            "timesteps": self.model.num_timesteps,
            "log": self.model.logger.dir,
            "monitors": {path.name: path.stat().st_size for path in self.run.glob("*.monitor.csv")},
            "callbacks": {name: numbers_of(callback) for name, callback in named(self.callbacks).items()},
        }


class Evaluations(EvalCallback):
    """SB3's EvalCallback whose evaluations depend on when they are held, and on none that was held before.

    Where workers play it is called once a request, and counts the calls that so many steps would have been.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.held = 0  # evaluations, where workers play

    def _on_step(self) -> bool:
        if "new_obs" not in self.locals and self.eval_freq > 0:
            calls = self.num_timesteps // (self.training_env.num_envs * self.model.workers)  # type: ignore[attr-defined]
            before, self.held = self.held, calls // self.eval_freq
            self.n_calls = self.held * self.eval_freq + (self.held == before)
        if self.eval_freq > 0 and self.n_calls % self.eval_freq == 0:
            self.eval_env.seed((self.model.seed or 0) + self.n_calls)
        return super()._on_step()


def progress_in(checkpoint: Path) -> dict[str, Any]:
    """Return what `Checkpoints.progress` told.

    Raises:
        ValueError: another version of popzoo wrote it.
    """
    progress: dict[str, Any] = json.loads((checkpoint / PROGRESS).read_text())
    if progress.get("format") != FORMAT:
        raise ValueError(
            f"{checkpoint} has format {progress.get('format')!s:.80}; this version of popzoo reads format {FORMAT}: "
            "go on with the version that wrote it, or train anew"
        )
    return progress


def found_lineage(run: Path, checkpoint: Path) -> LineageFile | None:
    """Return the lineage in a run's folder up to a checkpoint; None where an algorithm has none.

    Raises:
        ValueError: it is torn or altered.
    """
    kept = json.loads((checkpoint / PROGRESS).read_text()).get("lineage")
    return None if kept is None else LineageFile.found(run / LINEAGE, **kept)


def named(callbacks: Iterable[BaseCallback]) -> dict[str, BaseCallback]:
    """Return callbacks by names under which another process finds them again: their classes', counted."""
    found: dict[str, BaseCallback] = {}
    for callback in callbacks:
        kind = type(callback).__name__
        found[f"{kind} {sum(name.startswith(f'{kind} ') for name in found)}"] = callback
    return found


def numbers_of(callback: BaseCallback) -> dict[str, Any]:
    """Return what a callback counts: attributes that are numbers or lists of them, and no arguments of its class."""
    given = inspect.signature(type(callback)).parameters
    return {name: plain(value) for name, value in vars(callback).items() if is_plain(value) and name not in given}


def is_plain(value: Any) -> bool:
    """Tell whether a value is a number, or a list of such values."""
    return all(map(is_plain, value)) if isinstance(value, list) else isinstance(value, (bool, int, float, np.generic))


def plain(value: Any) -> Any:
    """Return numbers as JSON has them."""
    return [*map(plain, value)] if isinstance(value, list) else value.item() if isinstance(value, np.generic) else value


def restore_callbacks(callbacks: Iterable[BaseCallback], progress: dict[str, Any]) -> None:
    """Let callbacks go on counting where they were."""
    for name, callback in named(callbacks).items():
        own, numbers = vars(callback), progress["callbacks"].get(name, {})
        own.update({key: value for key, value in numbers.items() if key in own and is_plain(own[key])})
