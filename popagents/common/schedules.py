"""Settings that change with the progress of a run."""

from typing import Any

from popagents.common.checks import between


def geometric(first: float, last: float | None, progress: float) -> float:
    """Return the value that falls geometrically from `first` to `last` as `progress` goes from 0 to 1.

    >>> geometric(1.0, 0.01, 0.5)
    0.1
    """
    return first if last is None else first * (last / first) ** progress


def constant(learning_rate: Any) -> float:
    """Return a learning rate as a float; RL Zoo wraps numbers into schedules.

    Raises:
        ValueError: it is not above 0, or it is a schedule that moves.
    """
    if callable(learning_rate):
        if learning_rate(1.0) != learning_rate(0.5):
            raise ValueError(f"learning_rate is the schedule {learning_rate}; give a number, and final_learning_rate")
        learning_rate = learning_rate(1.0)
    return between("learning_rate", learning_rate, 0, 10)
