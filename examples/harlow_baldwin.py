"""The Baldwin effect: what evolution makes easy to learn, and what it makes known at birth.

    python -m examples.harlow_baldwin [--individuals 30] [--generations 0] [--runs 3] [--folder FOLDER] [--seed 0]

Two agents ship with the package. One evolved for 800 generations with the source's settings: at birth it knows nothing
about a problem, but it learns faster than a newcomer. Newcomers and this agent live the same lifetimes; boxes of their
scores, one member's lives, and the share of right choices by trial before and after learning are drawn. The other
evolved under lamarckian inheritance (the preset `genetic.yml`) and has the one-shot rule itself: it is right
after one trial, on pairs that it never met, without a gradient step. `--generations` evolves populations anew, under
darwin, baldwin and lamarck, and draws their fitness and the drift of the hyperparameters.
"""

import argparse
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3.common.policies import BasePolicy

import popenvs  # noqa: F401  (registers the ids)
from popagents import Genetic, plots
from popagents.learners.genetic.settings import HYPERPARAMETERS
from popagents.learners.updates.a2c import Hyperparameters
from popagents.learners.updates.lifetime import live_again
from popagents.population.population import write_into
from popagents.rollout.make_env import native_vec_env
from popagents.rollout.step import Step

ENV = "PopHarlow-v0"
TASKS, UPDATES, TRIALS, LAST = 10, 25, 6, {"n_trials": 20}
FIRST = Hyperparameters(*(first for first, *_ in HYPERPARAMETERS.values()))
CHAMPIONS = resources.files("popagents.zoo") / "champions" / "genetic"


def rewards_of(
    policies: Sequence[BasePolicy], hyperparameters: Hyperparameters, updates: int, seed: int
) -> list[np.ndarray]:
    """Let policies live; return what each trial brought: arrays (policies, tasks, trials), one an episode."""
    env = native_vec_env(ENV, TASKS * len(policies))  # a lane a life: all trials fall together
    steps: list[np.ndarray] = []

    def keep(step: Step) -> None:
        steps.append(step.rewards.reshape(len(policies), TASKS))

    settings: dict[str, Any] = {"n_tasks": TASKS, "n_updates": updates, "evaluation_options": LAST}
    live_again(policies, env, hyperparameters, **settings, seed=seed, observers=[keep])
    trials = np.stack(steps, axis=2)
    return np.split(trials, np.arange(1, 1 + updates) * TRIALS, axis=2)


def newcomers(individuals: int, seed: int) -> list[BasePolicy]:
    """Draw policies at random."""
    model = Genetic("RecurrentPolicy", ENV, population_size=individuals, tournament_size=1, n_offspring=1, seed=seed)
    born = [model.policy_of(model.loop.run.state, member) for member in range(individuals)]
    return [write_into(model.new_policy(design), parameters) for design, parameters in born]


def right_by_trial(policy: BasePolicy, split: str, episodes: int = 1000, seed: int = 10**6) -> np.ndarray:
    """Play episodes by the likeliest actions, without learning; return the share of right choices, (trials,)."""
    lanes = gym.make_vec(ENV, num_envs=episodes, split=split)
    observations, _ = lanes.reset(seed=seed, options=LAST)
    memory, shares = None, []
    for trial in range(LAST["n_trials"]):
        first = np.full(episodes, trial == 0)
        actions, memory = policy.predict(observations, state=memory, episode_start=first, deterministic=True)
        observations, rewards, _, _, _ = lanes.step(actions)
        shares.append((rewards > 0).mean())
    return np.array(shares)


def evolve(generations: int, seeds: range, folder: Path) -> list[Path]:
    """Evolve populations under each inheritance, one for each seed, and draw them side by side."""
    models: dict[str, list[Genetic]] = {}
    for inheritance in ("darwin", "baldwin", "lamarck"):
        life = TASKS * (LAST["n_trials"] + (0 if inheritance == "darwin" else UPDATES * TRIALS))
        models[inheritance] = [
            Genetic("RecurrentPolicy", ENV, inheritance=inheritance, evaluation_options=LAST, seed=seed).learn(
                (50 + 5 * (generations - 1)) * life, log_interval=None
            )
            for seed in seeds
        ]
        means = ", ".join(f"{model.fitness.mean():.1f}" for model in models[inheritance])
        print(f"  {inheritance:8} mean fitness of generation {generations}: {means} of 200")
    runs = {inheritance: [model.lineage for model in evolved] for inheritance, evolved in models.items()}
    return [
        plots.inheritance_curves(runs, folder / "inheritance.png"),
        plots.drift_figure(models["baldwin"][0].drift, list(HYPERPARAMETERS), folder / "drift.png"),
    ]


def draw(individuals: int, seed: int, folder: Path) -> list[Path]:
    """Let newcomers and the evolved agent live; print and draw how they fare."""
    evolved = Genetic.load(CHAMPIONS / "baldwin.zip")
    groups: dict[str, Any] = {
        "newcomers": (newcomers(individuals, seed), FIRST),
        "evolved": ([evolved.policy] * individuals, Hyperparameters(*evolved.hyperparameters_of[evolved.champion])),
    }
    scores, curves = {}, {}
    for name, (policies, hyperparameters) in groups.items():
        *learning, last = rewards_of(policies, hyperparameters, UPDATES, seed)
        (before,) = rewards_of(policies, hyperparameters, 0, seed)
        scores[name] = last.sum(axis=2).ravel()
        fitness = last.sum(axis=(1, 2))
        print(f"  {name:10} mean fitness of {individuals} lifetimes: {fitness.mean():.1f} of 200")
        curves[f"{name}, at birth"] = (before > 0).mean(axis=(0, 1))
        curves[f"{name}, after learning"] = (last > 0).mean(axis=(0, 1))
    lives = np.stack([episode.mean(axis=2)[0] for episode in learning], axis=1)  # of one evolved individual
    return [
        plots.life_curve(lives, last[0].mean(axis=1), folder / "life.png"),
        plots.task_boxes(scores, folder / "boxes.png", "Scores of problems after a lifetime of learning"),
        plots.learning_set_curve(
            curves, folder / "before_after.png", None, "Right choices at birth and after learning"
        ),
    ]


def main(arguments: list[str] | None = None) -> None:
    """Live, draw, evolve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--individuals", type=int, default=30, help="newcomers, and lives of the evolved agent")
    parser.add_argument("--generations", type=int, default=0, help="evolve for so many generations anew")
    parser.add_argument("--runs", type=int, default=3, help="populations to evolve under each inheritance")
    parser.add_argument("--folder", type=Path, default=Path("runs/harlow_baldwin"), help="where the results go")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    torch.set_num_threads(1)  # networks this small gain nothing from more
    options.folder.mkdir(parents=True, exist_ok=True)
    print(
        f"{options.individuals} newcomers and the evolved agent learn {TASKS} problems each, {UPDATES} steps a problem."
    )
    written = draw(options.individuals, options.seed, options.folder)
    one_shot = Genetic.load(CHAMPIONS / f"{ENV}_1" / f"{ENV}.zip").policy
    curves = {f"{name} pairs": right_by_trial(one_shot, split) for name, split in (("known", "train"), ("new", "test"))}
    share = 100 * curves["new pairs"][1:6].mean()
    print(f"The one-shot agent, new pairs, trials 2 to 6: {share:.1f} % right, no learning.")
    title = "Right choices of the agent with the one-shot rule, without learning"
    written.append(plots.learning_set_curve(curves, options.folder / "learning_set.png", None, title))
    if options.generations:
        seeds = range(options.seed, options.seed + options.runs)
        written += evolve(options.generations, seeds, options.folder)
    print("Written:", *written, sep="\n  ")


if __name__ == "__main__":
    main()
