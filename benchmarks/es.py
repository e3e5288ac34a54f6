"""Evolution strategies on CartPole beside two well-kept peers: sb3-contrib's ARS and EvoTorch's PGPE, if installed.

Each plays plain `gym.make("CartPole-v1")`, every step of it counted, until its mean policy reaches 475 in 20 greedy
episodes, tested after each update. The tests' time and steps are left out for all of them. So does `maximize`, with a
linear policy and a loop of one's own.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from statistics import median
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from sb3_contrib import ARS
from stable_baselines3.common.callbacks import BaseCallback

from benchmarks.ratios import paired
from benchmarks.table import Row, show
from examples.presets import preset
from popagents import ES, maximize
from popagents.rollout.make_env import native_vec_env

GOAL, EPISODES, SEEDS = 475, 20, range(5)
LIMIT = 100_000  # steps after which a run is given up
Predict = Callable[[np.ndarray], np.ndarray]


class Counted(gym.Wrapper):
    """Counts the steps that are taken in all of its kind."""

    steps = 0

    def step(self, action):  # type: ignore[no-untyped-def]  # noqa: D102
        Counted.steps += 1
        return self.env.step(action)


def cartpole(**_: object) -> gym.Env:
    """Make the task, its steps counted."""
    return Counted(gym.make("CartPole-v1"))


def greedy_mean(predict: Predict, seed: int) -> float:
    """Return a policy's mean return over 20 fresh episodes, played side by side."""
    lanes = CartPoleVectorEnv(EPISODES)
    observations, _ = lanes.reset(seed=seed)
    playing, total = np.ones(EPISODES, bool), 0
    while playing.any():
        observations, _, terminated, truncated, _ = lanes.step(predict(observations))
        total += playing.sum()
        playing &= ~(terminated | truncated)
    return total / EPISODES


class Race:
    """One run toward the goal: steps and CPU seconds, without those of the tests."""

    def __init__(self) -> None:
        Counted.steps, self.tests, self.spent = 0, 0, 0.0
        self.begun = time.process_time()
        self.steps, self.seconds = LIMIT, float("inf")

    def over(self, predict: Predict) -> bool:
        """Test a policy; tell whether it has arrived or the run is given up."""
        begin = time.process_time()
        arrived = greedy_mean(predict, 10_000 + self.tests) >= GOAL
        if arrived:
            self.steps, self.seconds = Counted.steps, begin - self.begun - self.spent
        self.tests += 1
        self.spent += time.process_time() - begin
        return arrived or Counted.steps >= LIMIT


class StopWhenThere(BaseCallback):
    """Tests an SB3 algorithm after every update."""

    race: Race

    def _on_training_start(self) -> None:
        self.race, self.over = Race(), False  # start-up does not count

    def _on_rollout_start(self) -> None:
        self.over = self.over or self.race.over(lambda rows: self.model.predict(rows, deterministic=True)[0])

    def _on_step(self) -> bool:
        return not self.over


def es(policy: str, seed: int) -> Race:
    """Run the shipped settings of ES."""
    settings = preset("es" if policy == "MlpPolicy" else "es-linear", "CartPole-v1")[3]
    slots = SyncVectorEnv([cartpole] * settings["population_size"], autoreset_mode=AutoresetMode.DISABLED)
    watch = StopWhenThere()
    ES(env=slots, seed=seed, **settings).learn(LIMIT, watch, log_interval=None)
    return watch.race


class Arrived(Exception):  # noqa: N818
    """Ends ARS, whose loop a callback cannot stop, and `maximize`, which knows no test but the reward."""


def own_reward(policy: str, seed: int) -> Race:
    """Run `maximize` with the linear settings of ES; observations are not scaled, which is the reward's affair.

    A generation's members play the same episode, which `reward` seeds. It is called for the centre first, and for it
    again behind the members of every generation.
    """
    names = ("population_size", "sigma", "learning_rate", "optimizer", "fitness_shaping")
    shipped = preset("es-linear", "CartPole-v1")[3]
    settings: dict[str, Any] = {name: shipped[name] for name in names}
    env, race, calls = cartpole(), Race(), count()

    def reward(parameters: list[np.ndarray]) -> float:
        weight, bias = parameters
        generation, place = divmod(next(calls), settings["population_size"] + 1)
        if place:
            return episode(env, lambda rows: (rows @ weight.T + bias).argmax(-1), generation)
        if race.over(lambda rows: (rows @ weight.T + bias).argmax(-1)):
            raise Arrived
        return 0.0

    with suppress(Arrived):
        maximize(reward, [np.zeros((2, 4)), np.zeros(2)], generations=LIMIT, seed=seed, **settings)
    return race


def episode(env: gym.Env, predict: Predict, seed: int) -> float:
    """Return the return of an episode."""
    (observation, _), total, over = env.reset(seed=seed), 0.0, False
    while not over:
        observation, reward, terminated, truncated, _ = env.step(predict(observation))
        total, over = total + float(reward), terminated or truncated
    return total


class RaiseWhenThere(StopWhenThere):
    """Tests ARS, and leaves its loop by an exception."""

    def _on_step(self) -> bool:
        if self.over:
            raise Arrived
        return True


def ars(policy: str, seed: int) -> Race:
    """Run sb3-contrib's ARS: RL Zoo's tuned settings for a linear policy, the defaults for an MLP."""
    tuned = {"n_delta": 2} if policy == "LinearPolicy" else {}
    watch = RaiseWhenThere()
    with suppress(Arrived):
        ARS(policy, cartpole(), seed=seed, device="cpu", **tuned).learn(LIMIT, watch, log_interval=None)  # type: ignore[arg-type]
    return watch.race


def pgpe(policy: str, seed: int) -> Race:
    """Run EvoTorch's PGPE with ClipUp, population 50."""
    import evotorch
    from evotorch.algorithms import PGPE
    from evotorch.neuroevolution import GymNE

    evotorch.tools.set_default_logger_config(logger_level=40, override=True)
    net = "Linear(obs_length, act_length)"
    if policy == "MlpPolicy":
        net = "Linear(obs_length, 64) >> Tanh() >> Linear(64, 64) >> Tanh() >> Linear(64, act_length)"
    torch.manual_seed(seed)
    problem = GymNE(cartpole, net, observation_normalization=True)
    settings = {"center_learning_rate": 0.1, "stdev_learning_rate": 0.1, "radius_init": 1.0, "optimizer": "clipup"}
    searcher = PGPE(problem, popsize=50, optimizer_config={"max_speed": 0.2}, **settings)
    race = Race()
    while True:
        searcher.step()
        centre = problem.to_policy(searcher.status["center"])
        if race.over(lambda rows: centre(torch.from_numpy(rows)).argmax(1).numpy()):  # noqa: B023
            return race


def installed(name: str) -> bool:
    """Tell whether a module can be imported."""
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def races() -> Iterator[Row]:
    """Steps and seconds to the goal, medians of five seeds."""
    torch.set_num_threads(1)
    runners = {"ES": es, "sb3-contrib's ARS": ars} | ({"EvoTorch's PGPE": pgpe} if installed("evotorch") else {})
    for policy, net, most in (("LinearPolicy", "linear", 8_000), ("MlpPolicy", "64x64", 30_000)):
        own = {"maximize, against ES above": own_reward} if policy == "LinearPolicy" else {}
        target = {"ES": f"<= {most} steps, <= 0.3 s", "maximize, against ES above": f"< {LIMIT} steps in every run"}
        for name, runner in (runners | own).items():
            runs = [runner(policy, seed) for seed in SEEDS]
            steps, cpu = median(r.steps for r in runs), median(r.seconds for r in runs)
            each = ", ".join(str(r.steps) for r in runs)
            yield (
                f"CartPole to 475, {net}, {name}",
                target.get(name, "slower than ES"),
                f"{steps:.0f} steps, {cpu:.2f} CPU s (steps by seed: {each})",
            )


def throughput() -> Iterator[Row]:
    """Environment steps per CPU second with members of 64x64, against ARS in turn."""
    net = {"net_arch": [64, 64]}
    theirs = ARS("MlpPolicy", cartpole(), n_delta=8, seed=0, device="cpu", policy_kwargs=net)
    slots = SyncVectorEnv([cartpole] * 64, autoreset_mode=AutoresetMode.DISABLED)
    plain = ES("MlpPolicy", slots, population_size=64, sigma=0.5, seed=0, policy_kwargs=net)
    lanes = native_vec_env("popenvs:PopPacman-v0", 64)
    native = ES("MlpPolicy", lanes, population_size=64, seed=0, policy_kwargs=net)

    def per_second(model: BaseCallback | ARS | ES) -> float:
        before, begin = (Counted.steps, model.num_timesteps), time.process_time()
        model.learn(6_000, log_interval=None)  # type: ignore[union-attr]
        counted = Counted.steps - before[0] or model.num_timesteps
        return counted / (time.process_time() - begin)

    rates = [[per_second(model) for model in (theirs, plain, native)] for _ in range(5)]
    rate = np.median(rates, axis=0)
    for i, (what, least) in enumerate((("on plain CartPole slots", 8), ("on native pac-man lanes", 20)), start=1):
        ratio = median(row[i] / row[0] for row in rates)
        shown = f"{ratio:.1f} ({rate[i] / 1e3:.0f}k against {rate[0] / 1e3:.1f}k)"
        yield f"ES, 64 members of 64x64, {what}: env steps per CPU second / ARS's", f">= {least}", shown


def low_rank() -> Iterator[Row]:
    """Environment steps per CPU second with noise of low rank, against Gaussian noise in turn; drawing it counts."""
    for width in (64, 256, 1024):
        gaussian, shared = (
            ES(
                "MlpPolicy",
                native_vec_env("popenvs:PopPacman-v0", 64),
                population_size=64,
                seed=0,
                rank=rank,
                policy_kwargs={"net_arch": [width, width]},
            )
            for rank in (None, 1)
        )
        generation = 64 * 200  # steps
        slow, fast, ratio = paired(
            lambda: gaussian.learn(generation, log_interval=None),  # noqa: B023
            lambda: shared.learn(generation, log_interval=None),  # noqa: B023
            rounds=3,
        )
        shown = f"{1 / ratio:.1f} ({generation / fast / 1e3:.0f}k against {generation / slow / 1e3:.1f}k)"
        yield f"ES, 64 members of {width}x{width}: env steps per CPU second, low rank / Gaussian noise", "> 1", shown


def rows() -> Iterator[Row]:
    """Yield every figure."""
    yield from races()
    yield from throughput()
    yield from low_rank()


if __name__ == "__main__":
    show(rows())
