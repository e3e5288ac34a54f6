"""Signals that end a program: the first stops what is going on, as Ctrl-C does; while it is saved, others wait."""

import errno
import os
import signal
import sys
from threading import Timer
from types import FrameType
from typing import Any, Self

ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
SOON = 0.05  # seconds


class Ending:
    """A context, in the main thread, in which the first signal raises KeyboardInterrupt and no other does anything.

    Signals that were ignored before, as behind `nohup`, stay ignored. One that comes while numba compiles comes again
    when that is done.

    Attributes:
        number: of the signal that came, 0 if none did; it tells those whose KeyboardInterrupt was swallowed elsewhere.
    """

    def __init__(self) -> None:
        self.number = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._come)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def code(self) -> int:
        """Return the exit code of a program that the signal ended."""
        return 128 + self.number

    def _come(self, number: int, frame: FrameType | None) -> None:
        if self.number:
            return
        if is_compiling(frame):
            Timer(SOON, os.kill, (os.getpid(), number)).start()
            return
        self.number = number
        if is_gone(sys.stdout):
            sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - lives as long as the program
        raise KeyboardInterrupt


def is_compiling(frame: FrameType | None) -> bool:
    """Tell whether numba is at work: LLVM calls Python back, loses what is raised there, and ends the process."""
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] in ("numba", "llvmlite"):
            return True
        frame = frame.f_back
    return False


def is_gone(stream: Any) -> bool:
    """Tell whether a stream leads to a terminal that was closed, where every `print` would fail."""
    try:
        os.tcgetpgrp(stream.fileno())
    except OSError as error:
        return error.errno == errno.EIO
    return False
