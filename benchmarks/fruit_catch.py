"""What DQN reaches on fruit catch and what it costs, beside a straightforward port of the source's loop."""

from collections.abc import Iterator
from typing import Any

import torch
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback

from benchmarks.dqn_port import DQNPort
from benchmarks.ratios import paired, seconds
from benchmarks.table import Row, show
from examples.fruit_catch_dqn import ENV, STEPS, caught_starts
from examples.presets import preset
from popagents.rollout.make_env import native_vec_env

MARKS = (100, 250, 500, 1000)  # episodes after which the greedy policy is examined


class Exams(BaseCallback):
    """Counts the starts that the greedy policy catches after so many training episodes."""

    def __init__(self, **env_kwargs: Any) -> None:
        super().__init__()
        self.env_kwargs = env_kwargs
        self.caught: dict[int, int] = {}  # by episodes
        self.cost = 0.0  # of the exams (CPU seconds)

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        for mark in MARKS:
            if mark not in self.caught and self.num_timesteps >= mark * STEPS:
                self.cost += seconds(lambda: self.examine(mark))  # noqa: B023

    def _on_training_end(self) -> None:
        self._on_rollout_start()

    def examine(self, mark: int) -> None:
        """Play every start once."""
        self.caught[mark] = int(caught_starts(self.model, **self.env_kwargs).sum())


def learner(seed: int) -> tuple[DQN, dict[str, Any], int]:
    """Return DQN with the shipped preset, the environment's settings, and the steps to train for."""
    steps, n_envs, env_kwargs, settings = preset("dqn", ENV)
    return DQN(env=native_vec_env(ENV, n_envs, **env_kwargs), seed=seed, device="cpu", **settings), env_kwargs, steps


def starts() -> Iterator[Row]:
    """The shipped preset, three seeds."""
    torch.set_num_threads(1)
    for seed in range(3):
        model, env_kwargs, steps = learner(seed)
        exams = Exams(**env_kwargs)
        cost = seconds(lambda: model.learn(steps, callback=exams, log_interval=None)) - exams.cost  # noqa: B023
        measured = ", ".join(f"{caught} after {mark}" for mark, caught in exams.caught.items())
        target = "median 193 after 500, 195 after 1000"
        yield f"dqn.yml, seed {seed}: starts caught of 195, after episodes", target, f"{measured} ({cost:.0f} s)"


def port() -> Iterator[Row]:
    """An episode of the source's loop in PyTorch against ours."""
    torch.set_num_threads(1)
    theirs = DQNPort(seed=0)
    model, _, _ = learner(0)
    model.learn(100 * STEPS, log_interval=None)  # past the steps without learning

    def episodes(n: int = 24) -> None:
        model.learn(n * STEPS, log_interval=None, reset_num_timesteps=False)

    def port_episodes(n: int = 8) -> None:
        for _ in range(n):
            theirs.episode()

    port_episodes()
    fast, slow, ratio = paired(episodes, port_episodes, rounds=5)
    cost = f"{slow / 8 * 1e3:.0f} ms against {fast / 24 * 1e3:.0f} ms an episode"
    yield "dqn on fruit catch: an episode of the PyTorch port / ours", ">= 3", f"{ratio * 24 / 8:.1f} ({cost})"


def rows() -> Iterator[Row]:
    """The preset, and its cost beside the port's."""
    yield from port()
    yield from starts()


if __name__ == "__main__":
    show(rows())
