"""`python -m benchmarks [--long]`: every figure that the project promises, measured here and now.

Times are CPU seconds of one process on one core; ratios compare neighbours in time.
"""

import argparse
import itertools

from benchmarks import atari, bsuite_catch, culture, dilemmas, dynamics, environments, es, fruit_catch, genetic, harlow
from benchmarks.table import show


def main() -> None:
    """Print one row a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", help="the long presets too (minutes)")
    arguments = parser.parse_args()
    parts = [environments.rows(), culture.yardstick(), culture.port(), culture.members()]
    parts.append(culture.champions("culture", ">= 18.0 within 3M"))
    parts += [bsuite_catch.rows(), fruit_catch.rows(), harlow.rows(), dilemmas.rows(), dynamics.rows()]
    parts += [es.rows(), genetic.newcomers(), genetic.port(), genetic.one_shot()]
    if arguments.long:
        parts += [atari.rows(), genetic.evolution()]
        parts.append(culture.champions("culture-long", "20.0"))
    show(itertools.chain(*parts))


if __name__ == "__main__":
    main()
