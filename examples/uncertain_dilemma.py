"""Not seeing clearly can help: cooperation in an uncertain social dilemma, by how noisy observation is.

    python -m examples.uncertain_dilemma [--starts 1000] [--folder runs/uncertain_dilemma]

Each round a coin decides whether a contract binds (a stag hunt: T = 2) or not (a prisoner's dilemma: T = 6; R = 5).
Actor-critics who see which it is cooperate under the contract at most, and never without. If they take one for the
other with a probability above 1/4, full cooperation becomes stable, for then (1 - noise) 6 + noise 2 < 5.

Source: W. Barfuss, R. Mann (2022), "Modeling the effects of environmental and perceptual uncertainty using
deterministic reinforcement learning dynamics with partial observability", Physical Review E 105. The mean rewards that
its authors published with it (github.com/wbarfuss/POLD, UncertainSocialDilemma..., HetFalse) stand beside ours; theirs
are from Q-learning with choice intensity 100, which stays a little away from pure strategies.
"""

import argparse
from pathlib import Path

import numpy as np

from popagents import dynamics, plots
from popenvs.dilemmas import uncertain_dilemma

PUBLISHED = {  # noise -> mean rewards at the fixed points
    0.0: (0.0000, 2.5000),
    0.01: (0.0000, 2.4802),
    0.02: (0.0000, 2.4608),
    0.03: (0.0000, 2.4418),
    0.04: (0.0000, 2.4232),
    0.05: (0.0000, 2.4050),
    0.31: (0.0000, 2.0753, 4.9995),
}
NOISES = sorted({*PUBLISHED, 0.1, 0.15, 0.2, 0.24, 0.26, 0.3, 0.35, 0.4, 0.45, 0.5})


def ends(noise: float, starts: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean rewards at which random starts end, in ascending order, and what share of them ends at each."""
    learner = dynamics.PartiallyObservableActorCritic(uncertain_dilemma(noise=noise), 0.1, 0.5)
    run = learner.trajectory(learner.random_strategies(starts), max_steps=100_000, keep="ends")
    rewards = learner.mean_rewards(run.final[run.converged]).mean(-1)
    _, kind, counts = np.unique(rewards.round(2), return_inverse=True, return_counts=True)
    return np.bincount(kind, rewards) / counts, counts / starts


def full_cooperation(noise: float) -> str:
    """Tell whether it is stable that everybody cooperates whatever it sees."""
    learner = dynamics.PartiallyObservableActorCritic(uncertain_dilemma(noise=noise), 0.1, 0.5)
    return dynamics.stability(learner, np.broadcast_to([1.0, 0.0], learner.shape))


def draw(found: dict[float, tuple[np.ndarray, np.ndarray]], path: Path) -> None:
    """Draw the fixed points by noise, large where many starts end."""
    figure, (axes,) = plots.squares()
    for noise, (rewards, shares) in found.items():
        axes.scatter(np.full(len(rewards), noise), rewards, s=300 * shares, color="#0072B2", lw=0, zorder=2)
    for noise, rewards in PUBLISHED.items():
        axes.plot([noise] * len(rewards), rewards, "x", color="#D55E00", ms=6, zorder=3)
    axes.axvline(0.25, color="#888888", lw=1, ls=(0, (5, 4)), zorder=0)
    axes.text(0.26, 3.6, "full cooperation\nis stable", color="#555555")
    axes.set(xlabel="noise of observation", ylabel="mean reward", ylim=(-0.3, 5.3))
    axes.set_title("Fixed points by noise (crosses: published)", loc="left", fontweight="bold", fontsize=11)
    figure.savefig(path)


def main(arguments: list[str] | None = None) -> None:
    """Learn from many starts, print beside the published figures, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=1000, help="at each noise")
    parser.add_argument("--folder", type=Path, default=Path("runs/uncertain_dilemma"), help="where the figure goes")
    options = parser.parse_args(arguments)
    found = {noise: ends(noise, options.starts) for noise in NOISES}
    print("noise  full cooperation  mean rewards at the ends of random starts (share)   published")
    for noise, (rewards, shares) in found.items():
        ours = "  ".join(f"{reward:.4f} ({share:.0%})" for reward, share in zip(rewards, shares, strict=True))
        theirs = "  ".join(f"{reward:.4f}" for reward in PUBLISHED.get(noise, ()))
        print(f"{noise:5.2f}  {full_cooperation(noise):16}  {ours:50}  {theirs}")
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / "uncertain_dilemma.png"
    draw(found, path)
    print(f"Written: {path}")


if __name__ == "__main__":
    main()
