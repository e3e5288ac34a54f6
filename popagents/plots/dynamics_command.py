"""`python -m popagents.dynamics stag_hunt --out flow.png`: the learning dynamics of a named game as a figure."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from popagents import dynamics, plots
from popagents.dynamics.learner import Learner
from popagents.plots.flow import STYLES
from registration.games import GAMES, load_game

LEARNERS = {"actor_critic": dynamics.ActorCritic, "sarsa": dynamics.Sarsa, "q_learning": dynamics.QLearning}


def main(arguments: list[str] | None = None) -> None:
    """Draw the flow with trajectories and fixed points, beside a trajectory over time."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    try:
        draw(options)
    except (TypeError, ValueError) as error:
        parser.error(str(error))


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m popagents.dynamics", description=__doc__)
    parser.add_argument("game", choices=GAMES, metavar="game", help=", ".join(GAMES))
    parser.add_argument("--payoffs", type=float, nargs=4, default=(), metavar=tuple("RTSP"), help="of matrix_game")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/dynamics/flow.png"), help="the file to write (runs/dynamics/flow.png)"
    )
    parser.add_argument("--learner", choices=LEARNERS, default="actor_critic")
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--discount", type=float, default=0.9)
    parser.add_argument("--intensity", type=float, default=1.0, help="of choice")
    parser.add_argument("--style", choices=STYLES, default="quiver")
    parser.add_argument("--starts", type=int, default=5, help="trajectories to draw")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def draw(options: argparse.Namespace) -> None:
    """Write the figure, and print the fixed points with the sizes of their basins."""
    if options.game == "matrix_game" and not options.payoffs:
        raise ValueError("matrix_game needs four payoffs, for example --payoffs 3 5 0 1")
    game = load_game(options.game)(*options.payoffs)
    state = int(np.argmax(game.start))  # where play begins: elsewhere, little may happen
    learner = LEARNERS[options.learner](game, options.learning_rate, options.discount, options.intensity)
    run = learner.trajectory(learner.random_strategies(options.starts, options.seed), max_steps=2000)
    basins = dynamics.basins(learner, 1000, options.seed)
    title = options.game.replace("_", " ")
    figure = panels(learner, run, state, {"style": options.style, "fixed_points": basins.points[:20], "title": title})
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out)
    for point, share in list(zip(basins.points, basins.shares, strict=True))[:10]:
        print(f"{share:6.1%} of random starts end at {np.round(point[..., 0], 3).tolist()} (probabilities of action 0)")
    print(options.out)


def panels(learner: Learner, run: dynamics.Trajectory, state: int, settings: dict[str, Any]) -> Any:
    """Return a figure of a state's flow, with settings of `flow_plot`, and of the first trajectory over time."""
    figure, (left, right) = plots.squares(2)
    plots.flow_plot(learner, (0, state, 0), (1, state, 0), axes=left, trajectories=run, **settings)
    first = run.strategies[: run.n_steps[0] + 1, 0]
    plots.trajectory_plot(learner, first, axes=right, title="The first trajectory over time")
    return figure


if __name__ == "__main__":
    main()
