"""Two actor-critics in a stag hunt: where learning pulls, with a trajectory over it, beside the same over time.

python -m examples.stag_hunt_flow [runs/stag_hunt_flow/flow.png]
"""

import sys
from pathlib import Path

from popagents import dynamics, plots
from popenvs.dilemmas import stag_hunt


def main(path: str = "runs/stag_hunt_flow/flow.png") -> None:
    """Learn and draw."""
    game = stag_hunt(R=1.0, T=0.8, S=-0.5, P=0.0)
    learner = dynamics.ActorCritic(game, learning_rate=0.1, discount=0.9)
    run = learner.trajectory([[[0.6, 0.4]], [[0.55, 0.45]]])
    figure, (left, right) = plots.squares(2)
    plots.flow_plot(learner, axes=left, trajectories=run, title="Stag hunt")
    plots.trajectory_plot(learner, run, axes=right)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    print(f"{run}\nWritten: {path}")


if __name__ == "__main__":
    main(*sys.argv[1:])
