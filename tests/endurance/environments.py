"""Random operations on vector and single environments: `python -m tests.endurance.environments --operations 100000`.

Steps here, in threads and in another process, resets, copies, pickles, states that are kept and restored, in any order:
lanes and single environments stay the same, in every bit.
"""

import argparse

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.envs.machine import GAMES, machine

AT_A_TIME = 50


def main():
    """Operate as often as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operations", type=int, default=100_000, help="over all games")
    each = parser.parse_args().operations // len(GAMES)
    many = settings(
        max_examples=max(1, each // AT_A_TIME),
        stateful_step_count=AT_A_TIME,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    for game in GAMES:
        shells = machine(game)
        run_state_machine_as_test(shells, settings=many)
        print(f"{game}: {shells.operations} operations, no difference", flush=True)


if __name__ == "__main__":
    main()
