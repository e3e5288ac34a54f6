"""The table that every benchmark prints: what, what was asked, what was measured here and now."""

from collections.abc import Iterable

from threadpoolctl import threadpool_limits

Row = tuple[str, str, str]


def show(rows: Iterable[Row]) -> None:
    """Print rows as they come, measured on one core."""
    print("| what | asked | measured |\n| --- | --- | --- |")
    with threadpool_limits(1):
        for what, asked, measured in rows:
            print(f"| {what} | {asked} | {measured} |", flush=True)
