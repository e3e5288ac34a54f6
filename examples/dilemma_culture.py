"""Social learning in social dilemmas: members meet in random pairs, and imitate who earned more.

    python -m examples.dilemma_culture [--generations 60] [--runs 4] [--folder runs/dilemma_culture]

Every generation the 64 members are dealt into pairs, eight times, and each pair plays 100 rounds; fitness is the mean
payoff. The first generation's strategies differ widely. Imitation of the better ends all cooperation in the prisoner's
dilemma without memory; where players see the last round, those who answer in kind take over in most runs. The stag hunt
settles on hunting together, and chicken stays mixed.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.logger import KVWriter, Logger

from popagents import Culture, plots
from popenvs.social_dilemma_v0 import vector_env

MEMBERS, EPISODES, ROUNDS = 64, 8, 100
GAMES: dict[str, dict[str, Any]] = {
    "prisoner's dilemma,\nno memory": {"game": "prisoners_dilemma", "memory": 0},
    "prisoner's dilemma,\nlast round seen": {"game": "prisoners_dilemma", "memory": 1},
    "stag hunt,\nlast round seen": {"game": "stag_hunt", "memory": 1},
    "chicken,\nno memory": {"game": "chicken", "memory": 0},
}


class Rates(KVWriter):
    """Keeps the logged cooperation rate of every generation."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def write(self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0) -> None:
        """Take down one generation."""
        self.values.append(float(key_values["rollout/cooperation"]))

    def close(self) -> None:
        """Do nothing: no file is open."""


def cooperation(generations: int, seed: int, **settings: Any) -> list[float]:
    """Let a culture live in a dilemma; return the cooperation rate of each generation."""
    lanes = vector_env(num_envs=MEMBERS, max_steps=ROUNDS, autoreset_mode=AutoresetMode.DISABLED, **settings)
    model = Culture(
        "LinearPolicy",
        lanes,
        population_size=MEMBERS,
        episodes=EPISODES,
        learning_rate=0.05,
        initial_std=4.0,
        champion_episodes=1,
        seed=seed,
    )
    rates = Rates()
    model.set_logger(Logger(None, [rates]))
    model.learn(generations * MEMBERS * EPISODES * ROUNDS)
    return rates.values


def main(arguments: list[str] | None = None) -> None:
    """Run every game, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generations", type=int, default=60)
    parser.add_argument("--runs", type=int, default=4, help="of each game, with seeds from 0")
    parser.add_argument("--folder", type=Path, default=Path("runs/dilemma_culture"), help="where the figure goes")
    options = parser.parse_args(arguments)

    torch.set_num_threads(1)
    rates = {}
    for name, settings in GAMES.items():
        rates[name] = np.array([cooperation(options.generations, seed, **settings) for seed in range(options.runs)])
        ends = ", ".join(f"{100 * run[-10:].mean():.0f} %" for run in rates[name])
        print(f"{' '.join(name.split()):42}cooperation in the last generations: {ends}", flush=True)
    options.folder.mkdir(parents=True, exist_ok=True)
    title = f"{MEMBERS} members meet in pairs and imitate who earned more"
    print(f"Written:\n  {plots.cooperation_curves(rates, options.folder / 'cooperation.png', title)}")


if __name__ == "__main__":
    main()
