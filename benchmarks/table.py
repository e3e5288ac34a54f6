"""The table that every benchmark prints: what, the target, what was measured here and now."""

from collections.abc import Iterable

from threadpoolctl import threadpool_limits

Row = tuple[str, str, str]


def show(rows: Iterable[Row]) -> None:
    """Print rows as they come, measured on one core."""
    print("| what | target | measured |\n| --- | --- | --- |")
    with threadpool_limits(1):
        for what, target, measured in rows:
            print(f"| {what} | {target} | {measured} |", flush=True)
