"""`python -m benchmarks [--long]`: every figure that the project promises, measured here and now.

Times are CPU seconds of one process on one core; ratios compare neighbours in time.
"""

import argparse
import itertools

from threadpoolctl import threadpool_limits

from benchmarks import culture, environments


def main() -> None:
    """Print one row a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", help="the long presets too (minutes)")
    arguments = parser.parse_args()
    parts = [environments.rows(), culture.yardstick(), culture.port(), culture.members()]
    parts.append(culture.champions("culture", ">= 18.0 within 3M"))
    if arguments.long:
        parts.append(culture.champions("culture-long", "20.0"))
    print("| what | asked | measured |\n| --- | --- | --- |")
    with threadpool_limits(1):
        for what, asked, measured in itertools.chain(*parts):
            print(f"| {what} | {asked} | {measured} |", flush=True)


if __name__ == "__main__":
    main()
