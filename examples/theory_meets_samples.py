"""Learners that only see samples follow the equations: the larger the batch between two updates, the closer.

    python -m examples.theory_meets_samples [--batches 64] [--folder runs/theory_meets_samples] [--seed 0]

On the left actor-critics in a game of chicken: the flow, the way that the equations go (orange), and the ways of
sampled learners. On the right the distance of a sampled update from the exact one, by batch size: it falls as one over
the square root.
"""

import argparse
from pathlib import Path

import numpy as np

from popagents import dynamics, plots
from popenvs.dilemmas import chicken

RATE, DISCOUNT = 0.05, 0.6
START = np.array([[[0.6, 0.4]], [[0.75, 0.25]]])
SIZES = [100, 400, 1600, 6400, 25_600]
SHOWN = {30: "#009E73", 1000: "#0072B2"}  # whose ways are drawn


def error(batch_size: int, batches: int, seed: int) -> float:
    """Return the root of the mean square by which sampled updates miss the exact one."""
    sampled = dynamics.BatchLearner(chicken(), batch_size, RATE, DISCOUNT, seed=seed)
    exact = sampled.dynamics.step(START)
    return float(np.sqrt(np.mean([(sampled.step(START) - exact) ** 2 for _ in range(batches)])))


def draw(errors: list[float], slope: float, path: Path, seed: int) -> None:
    """Draw ways and errors."""
    learner = dynamics.ActorCritic(chicken(), RATE, DISCOUNT)
    run = learner.trajectory(START)
    figure, (left, right) = plots.squares(2)
    plots.flow_plot(learner, axes=left, trajectories=run, title="Chicken: equations and samples")
    for batch_size, colour in SHOWN.items():
        sampled = dynamics.BatchLearner(chicken(), batch_size, RATE, DISCOUNT, seed=seed).trajectory(START, 150)
        left.plot(*sampled[:, :, 0, 0].T, color=colour, lw=1.2, zorder=4, label=f"batches of {batch_size}")
    left.legend(fontsize=9, loc="lower center", framealpha=1, edgecolor="white")
    right.loglog(SIZES, errors, "o-", color=SHOWN[1000], lw=2, ms=7)
    right.loglog(SIZES, errors[0] * np.sqrt(SIZES[0] / np.array(SIZES)), "--", color="#888888", label="slope -1/2")
    right.set(xlabel="batch size (rounds)", ylabel="distance of an update from the exact one")
    right.set_title(f"Slope {slope:.2f}", loc="left", fontweight="bold", fontsize=11)
    right.legend(frameon=False)
    figure.savefig(path)


def main(arguments: list[str] | None = None) -> None:
    """Measure, draw, and say how fast the error falls."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=64, help="of each size")
    parser.add_argument("--folder", type=Path, default=Path("runs/theory_meets_samples"), help="where the figure goes")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    errors = [error(size, options.batches, options.seed) for size in SIZES]
    slope = np.polyfit(np.log(SIZES), np.log(errors), 1)[0]
    for size, distance in zip(SIZES, errors, strict=True):
        print(f"batches of {size:6}: {distance:.6f} from the exact update")
    print(f"slope {slope:.3f} on logarithmic axes; -0.5 in theory")
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / "theory_meets_samples.png"
    draw(errors, slope, path, options.seed)
    print(f"Written: {path}")


if __name__ == "__main__":
    main()
