"""How fast the environments step, as ratios to Gymnasium's CartPole in the same run, on one core."""

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym

import popenvs  # noqa: F401
from benchmarks.ratios import paired

LANES = 1024
Row = tuple[str, str, str]


def single(env_id: str, steps: int = 20_000) -> Callable[[], None]:
    """Return work: steps of a single environment by random actions, resets included."""
    env = gym.make(env_id)
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(steps)]

    def work() -> None:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()

    return work


def vector(env_id: str, steps: int = 300, **settings: Any) -> Callable[[], None]:
    """Return work: steps of 1024 lanes by random actions; every step returns fresh arrays."""
    env = gym.make_vec(env_id, num_envs=LANES, vectorization_mode="vector_entry_point", **settings)
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(steps)]

    def work() -> None:
        for action in actions:
            env.step(action)

    return work


def rows() -> Iterator[Row]:
    """Yield (what, asked, measured)."""
    ours, theirs, ratio = paired(single("PopPacman-v0"), single("CartPole-v1"))
    rates = f"{20 / ours:.0f} against {20 / theirs:.0f} thousand steps/s"
    yield "PopPacman-v0 single / CartPole-v1", ">= 1.3", f"{ratio:.2f} ({rates})"
    for dtype, asked in (("float32", ">= 1.3"), ("uint8", ">= 1.8")):
        ours, theirs, ratio = paired(vector("PopPacman-v0", dtype=dtype), vector("CartPole-v1"))
        rates = f"{0.3 * LANES / ours / 1e3:.1f} against {0.3 * LANES / theirs / 1e3:.1f} million lane-steps/s"
        yield f"PopPacman-v0 1024 lanes {dtype} / CartPoleVectorEnv", asked, f"{ratio:.2f} ({rates})"
