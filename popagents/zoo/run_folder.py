"""The folder of a run that RL Zoo's script began: what it was asked for, how far it came, and whether it has ended.

In `logs/culture/PopPacman-v0_1/` are

- `PopPacman-v0/`: args.yml, config.yml and command.txt; the folder is born with them,
- `checkpoints/`: as long as the run has not ended,
- `lineage.bin`: its lineage so far, where a learner of ours learns; checkpoints say how much of it counts,
- `milestones/`: models from which `replay` lives its generations again,
- `PopPacman-v0.zip`: the model as it stood at the end, or when a signal came,
- RL Zoo's monitor.csv, evaluations.npz and best_model.zip.
"""

import fcntl
import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from popagents.common.checkpoints import checkpoints_in, is_whole
from popagents.common.whole_files import part_of, remove_folder, replace_file
from popagents.zoo.agent_folder import anything_in, check_wrappers, data_in, literal, settings_in
from popagents.zoo.checkpoint_callback import found_lineage
from registration.learners import LEARNERS

CALLBACKS = ("popagents.learners.goal.StopOnGoal",)  # that a folder may name
EVALUATED = ("policy_kwargs", "monitor_kwargs", "replay_buffer_class", "replay_buffer_kwargs")  # by RL Zoo, as Python


@dataclass(frozen=True)
class RunFolder:
    """A run's folder.

    Args:
        path: of the folder.
        trust: whether what it names may be imported and run.

    Raises:
        ValueError: no run began there.
    """

    path: Path
    trust: bool = False

    def __post_init__(self) -> None:
        if not self.path.is_dir():
            raise ValueError(f"there is no run {self.path}; name the folder that popagents.train wrote")
        if not [*self.path.glob("*/args.yml")]:
            raise ValueError(f"{self.path} holds no args.yml, as runs of this version do; train anew")

    @property
    def params(self) -> Path:
        """Return the folder of its settings."""
        return next(self.path.glob("*/args.yml")).parent

    @property
    def checkpoints(self) -> Path:
        """Return the folder of its checkpoints."""
        return self.path / "checkpoints"

    @property
    def has_ended(self) -> bool:
        """Tell whether it ended by itself."""
        return not self.checkpoints.is_dir()

    @property
    def model(self) -> Path:
        """Return where the model is when it has ended."""
        return self.path / f"{self.params.name}.zip"

    def arguments(self) -> dict[str, Any]:
        """Return the options of RL Zoo's script with which it began, by their names there.

        Raises:
            ValueError: they hold more than data, and are not trusted.
        """
        return self._content("args.yml")

    def settings(self) -> dict[str, Any]:
        """Return its settings, as they stand in RL Zoo's files.

        Raises:
            ValueError: they hold more than data, or name what folders may not, and are not trusted.
        """
        if self.trust:
            return self._content("config.yml")
        settings = settings_in(self.params)
        if settings["normalize"] is None:
            del settings["normalize"]
        check_wrappers("callback", settings.get("callback"), CALLBACKS)
        if "." in str(settings.get("policy")):
            raise ValueError(f"the settings name the policy {settings['policy']!s:.200}, which would be imported")
        texts = {name: settings[name] for name in EVALUATED if isinstance(settings.get(name), str)}
        return settings | {name: literal(text) for name, text in texts.items()}

    def reason_for_trust(self) -> str:
        """Return why going on would run what the folder names; "" if it holds data alone."""
        untrusted = RunFolder(self.path)
        try:
            arguments, _ = untrusted.arguments(), untrusted.settings()
        except ValueError as error:
            return str(error).removesuffix("; if you know who made them, add --trust")
        if arguments["algo"] not in LEARNERS:
            return f"files of {arguments['algo']} run code when they are read"
        return f"it imports {arguments['gym_packages']}" if arguments["gym_packages"] else ""

    def newest_checkpoint(self) -> tuple[Path | None, list[str]]:
        """Return the last checkpoint that is whole, None if none was written; and what is wrong with those after it.

        Raises:
            ValueError: something is wrong with all of them.
        """
        flaws: list[str] = []
        for checkpoint in reversed(checkpoints_in(self.checkpoints)):
            if not (flaw := self.flaw(checkpoint)):
                return checkpoint, flaws
            flaws.append(flaw)
        if flaws:
            raise ValueError(f"{', '.join(flaws)}, and there is no other checkpoint; train anew")
        return None, []

    def flaw(self, checkpoint: Path) -> str:
        """Return what is wrong with a checkpoint or the lineage up to it; "" if both are as they were written."""
        if not is_whole(checkpoint):
            return f"the checkpoint {checkpoint} is damaged"
        try:
            found_lineage(self.path, checkpoint)
        except ValueError as error:
            return f"the checkpoint {checkpoint} has lost its lineage ({error})"
        return ""

    def lock(self) -> int | None:
        """Keep other processes from the run for as long as the descriptor that is returned is open.

        None if another process does. It is closed with its process, however that ends, and nothing is left behind.
        """
        place = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(place)
            return None
        return place

    def end(self) -> None:
        """Let the run have ended."""
        if not self.has_ended:
            remove_folder(self.checkpoints)

    def rewrite(self, files: dict[str, str]) -> None:
        """Write its settings anew; see `create_run`."""
        for name, text in files.items():
            replace_file(self.params / name, text.encode())

    def command(self) -> str:
        """Return the command that goes on with it."""
        trust = ["--trust"] if self.reason_for_trust() else []
        return shlex.join(["python", "-m", "popagents.train", "--resume", str(self.path), *trust])

    def _content(self, name: str) -> dict[str, Any]:
        file = self.params / name
        return anything_in(file) if self.trust else data_in(file)


def create_run(path: Path, env_name: str, files: dict[str, str]) -> RunFolder:
    """Make the folder of a run, whole from its first moment on.

    Args:
        path: where; of the next free number where another run has taken this one.
        env_name: of the folder inside that holds the settings.
        files: their texts by name.
    """
    part = part_of(path)
    try:
        (part / "checkpoints").mkdir(parents=True)
        (part / env_name).mkdir()
        for name, text in files.items():
            (part / env_name / name).write_text(text)
        while True:
            try:
                os.rename(part, path)
                return RunFolder(path)
            except OSError:
                stem, _, number = path.name.rpartition("_")
                if not path.exists() or not number.isdecimal():
                    raise
                path = path.with_name(f"{stem}_{int(number) + 1}")
    finally:
        shutil.rmtree(part, ignore_errors=True)


def newest_run(folder: Path, env_name: str, trust: bool, claim: Callable[[RunFolder], bool]) -> bool:
    """Claim the newest run of an environment that has not ended and that no process is at work on, if there is one.

    Args:
        folder: of an algorithm's runs.
        env_name: as folders have it.
        trust: see `RunFolder`.
        claim: claims a run; False if it is another's.
    """
    ids = [path.name.rpartition("_")[2] for path in folder.glob(f"{env_name}_*") if (path / "checkpoints").is_dir()]
    numbers = sorted((number for number in ids if number.isdecimal()), key=int, reverse=True)
    return any(claim(RunFolder(folder / f"{env_name}_{number}", trust)) for number in numbers)
