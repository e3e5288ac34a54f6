"""Any member of any generation of a run, rebuilt from the run's folder.

    python -m popagents.replay logs/es/PopPacman-v0_1 --generation 40 --member 7

plays one episode of it. For ES and ElitistES without scaled observations, and for Genetic without lamarck, the seed and
the lineage, 33 bytes a member and generation, tell all: who was fit, or whose child everybody is. Elsewhere generations
are played again, from the last milestone on (`milestones.py`), and held against the lineage.
"""

import argparse
from pathlib import Path
from typing import Any

from stable_baselines3.common.policies import BasePolicy

from popagents.zoo.refuse import refuse


def replay(run: Any, generation: int, member: int, *, trust: bool = False) -> BasePolicy:
    """Rebuild a member of a run that `python -m popagents.train` wrote: the weights with which it began a generation.

    Args:
        run: the run's folder.
        generation: from 0.
        member: from 0.
        trust: whether what the folder names may be imported and run.

    Returns:
        A policy of Stable-Baselines3's, whose `predict` acts; scales of observations are in it.

    Raises:
        ValueError: there is no such run, generation or member, its files are damaged or not trusted, or a generation
            that has to be played again cannot be, or comes out otherwise.
        ImportError: the extra `zoo` is not installed.
    """
    from popagents.zoo.rebuilding import Replay  # which needs the extra `zoo`; a plain install has this function, too

    return Replay.of(run, trust).policy(generation, member)[1]


def main() -> None:
    """Play a member that the command line names.

    Raises:
        SystemExit: there is none; one line on stderr says why.
    """
    from popagents.zoo.rebuilding import Replay

    parser = argparse.ArgumentParser(prog="python -m popagents.replay", description="play any member of a run again")
    parser.add_argument("run", type=Path, help="the folder that python -m popagents.train wrote")
    parser.add_argument("--generation", type=int, required=True)
    parser.add_argument("--member", type=int, required=True)
    parser.add_argument("--trust", action="store_true", help="let what the folder names be imported and run")
    given = parser.parse_args()
    try:
        again = Replay.of(given.run, given.trust)
        fitness = again.rows(given.generation, given.member)["fitness"][given.member]
        points, steps = again.return_of(*again.policy(given.generation, given.member))
    except ValueError as error:
        refuse(str(error))
    print(f"Member {given.member} of generation {given.generation}, whose fitness is {fitness:g} in the lineage,")
    print(f"plays an episode of {steps} steps and returns {points:g}.")
