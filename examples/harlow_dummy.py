"""The agent that learns the wrong rule: win-stay lose-shift on the hand, over 100 trials of Harlow's experiment.

    python -m examples.harlow_dummy [--steps 100] [--folder runs/harlow_dummy] [--seed 0]

It takes the same side again after a reward and the other after a punishment. Since the sides are drawn anew in every
trial, that says nothing about the objects: its reward walks at random, while one trial is enough for who looks at the
objects. Draws the cumulative reward of both, and of a random player, over the trials.
"""

import argparse
from pathlib import Path

import gymnasium as gym
import numpy as np

import popenvs  # noqa: F401  (registers the ids)
from popagents import plots

ENV = "PopHarlow-v0"


def rewards(env: gym.Env, name: str, steps: int, seed: int) -> np.ndarray:
    """Return what a reference policy gets in each trial, (steps,), through as many episodes as that takes."""
    policy = env.unwrapped.game.references()[name]  # type: ignore[attr-defined]
    rng, got = np.random.default_rng(seed), []
    observation, _ = env.reset(seed=seed)
    for _ in range(steps):
        observation, reward, terminated, _, _ = env.step(policy(observation, rng))
        got.append(float(reward))
        if terminated:
            observation, _ = env.reset()
    return np.array(got)


def draw(totals: dict[str, np.ndarray], path: Path) -> Path:
    """Draw rewards added up, a line for each player."""
    figure, axes = plots.canvas(4.4)
    for (name, total), colour in zip(totals.items(), plots.LINES, strict=False):
        axes.plot(np.arange(len(total) + 1), np.concatenate([[0], total]), color=colour, lw=2, label=name)
    axes.axhline(0, color=plots.GREY, lw=1, zorder=0)
    axes.margins(x=0)
    axes.set(xlabel="trial", ylabel="cumulative reward")
    axes.legend(frameon=False)
    axes.set_title(f"{ENV}: a rule about hands, and a rule about objects", loc="left", fontweight="bold")
    figure.savefig(path)
    return path


def main(arguments: list[str] | None = None) -> None:
    """Play, draw, and say what was earned."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100, help="trials")
    parser.add_argument("--folder", type=Path, default=Path("runs/harlow_dummy"), help="where the figure goes")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    names = ("win-stay by hand", "random", "one-shot")
    totals = {name: rewards(gym.make(ENV), name, options.steps, options.seed).cumsum() for name in names}
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, total in totals.items():
        print(f"{name:17}{total[-1]:+5.0f} after {options.steps} trials")
    print(f"Written: {draw(totals, options.folder / 'cumulative_reward.png')}")


if __name__ == "__main__":
    main()
