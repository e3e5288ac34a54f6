"""What the first signal, and those that follow, do to a program."""

import inspect
import os
import signal
import subprocess
import sys
import time

import numba
import pytest

from popagents.common.signals import Ending, is_compiling, is_gone


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_the_first_signal_interrupts_and_the_second_waits(name):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    with Ending() as ending:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        signal.raise_signal(signal.SIGINT)  # while it saves
        signal.raise_signal(signal.SIGTERM)
    assert (ending.number, ending.code) == (number, 128 + number)
    assert signal.getsignal(number) is before


def test_a_signal_that_was_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Ending() as ending:
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert ending.number == 0


def test_a_signal_waits_until_numba_has_compiled():
    seen = []

    @numba.extending.overload(abs)  # typing calls it, amid a compilation
    def typed(value):
        if isinstance(value, numba.types.UnicodeType):
            seen.append(is_compiling(inspect.currentframe()))
            signal.raise_signal(signal.SIGTERM)
            seen.append("and goes on")
            return lambda value: 7
        return None

    with Ending() as ending, pytest.raises(KeyboardInterrupt):  # noqa: PT012
        assert numba.njit(lambda text: abs(text))("a") == 7
        assert seen[:2] == [True, "and goes on"]
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            time.sleep(0.01)
    assert ending.number == signal.SIGTERM
    assert not is_compiling(inspect.currentframe())


CLOSED = """
import os, pty, sys
from popagents.common.signals import Ending
child, terminal = pty.fork()
if child:
    os.read(terminal, 1)
    os.close(terminal)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
with Ending() as ending:
    try:
        print("ready", flush=True)
        import time
        time.sleep(60)
    except KeyboardInterrupt:
        print("printed to nobody", flush=True)
sys.exit(ending.code)
"""


def test_a_terminal_that_is_closed_is_printed_to_in_vain():
    assert not is_gone(sys.__stdout__)
    done = subprocess.run([sys.executable, "-c", CLOSED], timeout=60, cwd=os.getcwd(), check=False)
    assert done.returncode == 128 + signal.SIGHUP
