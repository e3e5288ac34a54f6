"""`--resume [RUN]`: which run goes on, from where, and whether what the command line asks for is what the run is."""

import argparse
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from popagents.common.signals import Ending
from popagents.zoo.run_folder import RunFolder, newest_run
from registration.learners import LEARNERS

FIXED = ("algo", "env", "seed", "conf_file", "env_kwargs", "eval_env_kwargs")  # another one makes another run
CHANGEABLE = ("n_timesteps", "eval_freq", "eval_episodes", "n_eval_envs", "vec_env")  # by --override
FREE = ("num_threads", "log_interval", "save_freq", "save_replay_buffer", "log_folder", "tensorboard_log", "device")
SHOWN = ("verbose", "progress")  # nor do these change what is learned


@dataclass
class Session:
    """What the command line says beside RL Zoo's options, and what has come of it.

    Attributes:
        trust: whether files may run code.
        resume: the run that is to go on, "" for the newest; None begins one.
        override: whether it may go on with other settings.
        ending: tells which signal came.
        run: the run, once there is one.
        checkpoint: from which it goes on; None where it begins.
        changes: settings that are others than the run's.
        lock: of the run's folder, a file descriptor.
        workers: who plays: `workers` and `ray_address` of the learners, where they are given.
    """

    trust: bool = False
    resume: str | None = None
    override: bool = False
    ending: Ending = field(default_factory=Ending)
    run: RunFolder | None = None
    checkpoint: Path | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    lock: int | None = None
    workers: dict[str, Any] = field(default_factory=dict)

    def claim(self, run: RunFolder) -> bool:
        """Make a run this process's own; False if another process is at work on it."""
        lock = run.lock()
        if lock is not None:
            self.run, self.lock = run, lock
        return lock is not None

    def release(self) -> None:
        """Let other processes go on with the run."""
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None


def session_of(arguments: list[str]) -> tuple[Session, list[str]]:
    """Return what a command line says beside RL Zoo's options, and those."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--resume", nargs="?", const="")
    parser.add_argument("--override", action="store_true")
    parser.add_argument("--trust", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--ray-address")
    given, rest = parser.parse_known_args(arguments)
    asked = {"workers": given.workers, "ray_address": given.ray_address}
    workers = asked if asked != {"workers": 1, "ray_address": None} else {}
    return Session(given.trust, given.resume, given.override, workers=workers), rest


def find_run(session: Session, names: argparse.Namespace, rest: list[str]) -> list[str]:
    """Find the run that a session is to go on with.

    Args:
        session: gets the run and its last checkpoint, if there is one.
        names: algo, env and folder on the command line.
        rest: RL Zoo's options.

    Returns:
        Those options behind the run's own, so that they count more.

    Raises:
        ValueError: there is no such run, it has ended, is damaged, runs code, or another process is at work on it.
    """
    folder, env_name = Path(names.folder or "logs") / names.algo, names.env.rpartition(":")[2].replace("/", "-")
    if not session.resume:
        if not newest_run(folder, env_name, session.trust, session.claim):
            print(f"No run of {names.algo} on {names.env} in {folder} waits to go on; a new one begins.")
            return rest
    else:
        path = Path(session.resume)
        run = RunFolder(path if path.is_dir() else folder / session.resume, session.trust)
        if run.has_ended:
            raise ValueError(f"the run {run.path} has ended; train on from its model by -i {run.model}")
        if not session.claim(run):
            raise ValueError(f"another process is at work on {run.path}; wait until it ends, or stop it")
    return take_up(session) + rest


def take_up(session: Session) -> list[str]:
    """Find where the session's run goes on; return RL Zoo's options with which it began.

    Raises:
        ValueError: it is damaged, or runs code and is not trusted.
    """
    run = session.run
    assert run is not None
    if not session.trust and (reason := run.reason_for_trust()):
        raise ValueError(f"{reason}; if you know who made {run.path}, add --trust")
    session.checkpoint, flaws = run.newest_checkpoint()
    for flaw in flaws:
        print(f"{flaw[:1].upper()}{flaw[1:]}; the run goes on from the one before.")
    stored = run.arguments()
    kept = {name: stored[name] for name in (*FIXED[:3], *CHANGEABLE, *FREE, *SHOWN)}
    words = {name: "--" + name.replace("_", "-") for name, value in kept.items() if value not in (None, "", False)}
    options = [word if kept[name] is True else f"{word}={kept[name]}" for name, word in words.items()]
    modules = ["--gym-packages", *stored["gym_packages"]] if stored["gym_packages"] else []
    begun = stored["trained_agent"] if session.checkpoint is None else ""
    return [*modules, *options, *[f"--trained-agent={begun}"] * bool(begun)]


def changes_of(asked: dict[str, Any], run: RunFolder, override: bool) -> dict[str, Any]:
    """Return the settings that are to be others than a run's.

    Args:
        asked: RL Zoo's options, the run's own where the command line has none.
        run: the run.
        override: whether there may be any.

    Raises:
        ValueError: there are some and may be none, or one that cannot change.
    """
    stored, settings, wanted = run.arguments(), run.settings(), asked["hyperparams"] or {}
    options = [name for name in FIXED + CHANGEABLE if asked[name] is not None and asked[name] != stored[name]]
    fixed = [name for name in options if name in FIXED]
    changes = {name: value for name, value in wanted.items() if name not in settings or settings[name] != value}
    told = [f"{name} {stored[name]} (asked: {asked[name]})" for name in options]
    told += [f"{name} {settings.get(name)} (asked: {value})" for name, value in changes.items()]
    if fixed or (told and not override):
        remedy = "begin another run without --resume" if fixed else "ask for the same, or add --override"
        raise ValueError(f"{run.path} has {', '.join(told)}; {remedy}")
    return changes | ({"n_timesteps": asked["n_timesteps"]} if "n_timesteps" in options else {})


def what_differs(algo: str, buffer: bool) -> str:
    """Return what a run that goes on does not have in common with one that was never stopped."""
    if algo in LEARNERS:
        return "as if it had never been stopped"
    empty = "" if buffer else "; a replay buffer begins empty unless --save-replay-buffer keeps it"
    return (
        f"with the weights, optimisers and counts of {algo}. Its environments begin new episodes and its random "
        f"numbers begin anew, so that it does not end exactly as without the stop{empty}"
    )
