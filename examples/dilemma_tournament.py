"""A round robin of the named opponents, as Axelrod held it: exact mean scores, every pair, itself included.

    python -m examples.dilemma_tournament [--game prisoners_dilemma] [--rounds 200] [--noise 0] [--folder runs/...]

Slips of the hand (`--noise 0.05`) change who wins.
"""

import argparse
from pathlib import Path

import numpy as np

from popagents import plots
from popenvs.dilemmas import OPPONENTS
from popenvs.dilemmas.tournament import tournament
from registration.games import load_game


def main(arguments: list[str] | None = None) -> None:
    """Score and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--game", default="prisoners_dilemma", help="a prisoner's dilemma of the catalogue")
    parser.add_argument("--rounds", type=int, default=200, help="of a match")
    parser.add_argument("--noise", type=float, default=0.0, help="probability of a slip of the hand")
    parser.add_argument("--folder", type=Path, default=Path("runs/dilemma_tournament"), help="where the figure goes")
    options = parser.parse_args(arguments)

    try:
        scores = tournament(load_game(options.game)(), OPPONENTS, options.rounds, options.noise) / options.rounds
    except (TypeError, ValueError) as error:
        parser.error(str(error))
    ranked = np.argsort(-scores.mean(axis=1), kind="stable")
    print(f"Mean score a round in {options.game}, {options.rounds} rounds a match, noise {options.noise:g}:")
    for place, player in enumerate(ranked, start=1):
        print(f"  {place}. {OPPONENTS[player]:22}{scores[player].mean():6.3f}")
    options.folder.mkdir(parents=True, exist_ok=True)
    title = f"Score a round of the row against the column ({options.rounds} rounds, noise {options.noise:g})"
    print(f"Written:\n  {plots.tournament_table(OPPONENTS, scores, options.folder / 'tournament.png', title)}")


if __name__ == "__main__":
    main()
