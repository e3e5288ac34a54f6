"""What RecurrentPPO learns of the one-shot rule, on pairs that it has never seen."""

from collections.abc import Iterator

import torch
from sb3_contrib import RecurrentPPO

from benchmarks.ratios import seconds
from benchmarks.table import Row, show
from examples.harlow_one_shot import ENV, right_by_trial
from examples.presets import preset
from popagents.rollout.make_env import native_vec_env


def rows(seeds: int = 3) -> Iterator[Row]:
    """The shipped preset."""
    torch.set_num_threads(1)
    for seed in range(seeds):
        steps, n_envs, env_kwargs, settings = preset("ppo_lstm", ENV)
        model = RecurrentPPO(env=native_vec_env(ENV, n_envs, **env_kwargs), seed=seed, device="cpu", **settings)
        cost = seconds(lambda: model.learn(steps, log_interval=None))  # noqa: B023
        shares = right_by_trial(model, "test")
        measured = f"{100 * shares[1:].mean():.1f} % (worst trial {100 * shares[1:].min():.1f} %), {cost:.0f} s"
        yield f"ppo_lstm.yml, seed {seed}: right in trials 2-6, held-out pairs", ">= 95 % within 180 s", measured


if __name__ == "__main__":
    show(rows())
