"""What Genetic reaches and costs: newcomers, the source's settings, a sequential port in the same run, the rule."""

from collections.abc import Iterator

import torch
from stable_baselines3.common.policies import BasePolicy

from benchmarks.genetic_port import SequentialPort
from benchmarks.ratios import paired, seconds
from benchmarks.table import Row, show
from examples.harlow_baldwin import FIRST, right_by_trial
from examples.presets import preset
from popagents import Genetic
from popagents.learners.updates.lifetime import live_again
from popagents.rollout.make_env import native_vec_env

ENV = "popenvs:PopHarlow-v0"
LAST = {"n_trials": 20}
LIFE = 10 * (25 * 6 + 20)  # steps of an individual's lifetime
GENERATIONS = 800


def population(seed: int, size: int = 50, **settings: object) -> Genetic:
    """Make a population with the source's settings."""
    given = {"inheritance": "baldwin", "evaluation_options": LAST, "population_size": size, "champion_episodes": 1}
    return Genetic("RecurrentPolicy", ENV, seed=seed, **given | settings)


def newcomers(seeds: int = 3) -> Iterator[Row]:
    """300 newcomers each."""
    for seed in range(seeds):
        model = population(seed, 300).learn(1, log_interval=None)
        spread = f"{model.fitness.mean():.1f} (sd {model.fitness.std():.1f})"
        yield f"genetic, source's settings, seed {seed}: mean fitness of 300 newcomers", "49.5 +- 3", spread


def evolution(seeds: int = 3) -> Iterator[Row]:
    """The source's settings, 800 generations."""
    for seed in range(seeds):
        model = population(seed)
        cost = seconds(lambda: model.learn((50 + 5 * (GENERATIONS - 1)) * LIFE, log_interval=None))  # noqa: B023
        mean = f"{model.fitness.mean():.1f} in {cost:.0f} CPU s"
        yield f"genetic, source's settings, seed {seed}: mean fitness of generation 800", "155 - 180, <= 60 s", mean


def port() -> Iterator[Row]:
    """An individual's lifetime against the sequential PyTorch port."""
    torch.set_num_threads(1)
    model, theirs = (
        population(0).learn(1, log_interval=None),
        SequentialPort(seed=0),
    )  # children only are born from here on

    def generations(n: int = 4) -> None:
        model.learn(n * 5 * LIFE, reset_num_timesteps=False, log_interval=None)

    fast, slow, ratio = paired(generations, theirs.individual, rounds=5)
    cost = f"{slow:.2f} s against {fast / 20 * 1e3:.1f} ms an individual"
    yield "genetic: an individual of the sequential PyTorch port / ours", ">= 60", f"{ratio * 20:.0f} ({cost})"


def one_shot(seeds: tuple[int, ...] = (0, 1, 2, 100, 101, 102)) -> Iterator[Row]:
    """The shipped preset: the rule on held-out pairs, and its score."""
    for seed in seeds:
        steps, n_envs, env_kwargs, settings = preset("genetic", "PopHarlow-v0")
        model = Genetic(env=native_vec_env(ENV, n_envs, **env_kwargs), seed=seed, **settings)
        cost = seconds(lambda: model.learn(steps, log_interval=None))  # noqa: B023
        share = 100 * right_by_trial(model.policy, "test")[1:6].mean()
        yield (
            f"genetic.yml, seed {seed}: right in trials 2-6, held-out pairs",
            ">= 95 %",
            f"{share:.1f} %, {cost:.0f} s",
        )
        score = again(model.policy)
        yield f"genetic.yml, seed {seed}: mean score of 60 re-evaluations", ">= 185 of 200", f"{score:.1f}"


def again(policy: BasePolicy) -> float:
    """Re-evaluate an individual 60 times, each on ten fresh problems of 20 trials, sampling and not learning."""
    settings = {"n_tasks": 10, "n_updates": 0, "evaluation_options": LAST, "seed": 10**6}
    return float(live_again([policy] * 60, native_vec_env(ENV, 600), FIRST, **settings).sum(axis=1).mean())


def rows() -> Iterator[Row]:
    """All of it, minutes."""
    yield from newcomers()
    yield from port()
    yield from evolution()
    yield from one_shot()


if __name__ == "__main__":
    show(rows())
