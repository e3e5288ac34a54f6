"""Timing two things in one process, turn by turn: machines drift, ratios of neighbours hold."""

import time
from collections.abc import Callable
from statistics import median


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds that some work takes."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def paired(first: Callable[[], object], second: Callable[[], object], rounds: int = 7) -> tuple[float, float, float]:
    """Time two pieces of work in turn.

    Returns:
        The medians of both (CPU seconds), and the median of their ratios second / first, round by round.
    """
    first(), second()
    times = [(seconds(first), seconds(second)) for _ in range(rounds)]
    return median(a for a, _ in times), median(b for _, b in times), median(b / a for a, b in times)
