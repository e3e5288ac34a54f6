"""KeyboardInterrupts at random moments inside a process: `python -m tests.endurance.interrupts --moments 2000`.

Each is raised at a random line of ours in a generation, of each learner in turn; the run is then what it was before, or
what it is after the generation, in every bit, and so the one that goes on ends as its twin.
"""

import argparse

from registration.learners import LEARNERS
from tests.learners.test_interrupts import interrupted_anywhere


def main():
    """Interrupt as often as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=2000, help="over all learners")
    moments = parser.parse_args().moments // len(LEARNERS)
    for name in LEARNERS:
        interrupted_anywhere(name, moments)
        print(f"{name}: {moments} random moments and the last 25 lines: nothing changed, or everything", flush=True)


if __name__ == "__main__":
    main()
