"""How fast the environments step, as ratios to Gymnasium's CartPole in the same run, on one core."""

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym

import popenvs  # noqa: F401
from benchmarks.ratios import paired
from benchmarks.table import Row, show

LANES = 1024
BATCHES = (  # id, dtype of its observations where there is a choice, target ratio
    ("PopPacman-v0", "float32", ">= 1.3"),
    ("PopPacman-v0", "uint8", ">= 1.8"),
    ("PopFruitCatch-v0", "float32", ">= 2"),
    ("PopFruitCatch-v0", "uint8", ">= 4"),
    ("PopHarlow-v0", "", ">= 2"),
)


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
    """Yield (what, target, measured)."""
    for env_id in ("PopPacman-v0", "PopFruitCatch-v0", "PopHarlow-v0"):
        ours, theirs, ratio = paired(single(env_id), single("CartPole-v1"))
        rates = f"{20 / ours:.0f} against {20 / theirs:.0f} thousand steps/s"
        yield f"{env_id} single / CartPole-v1", ">= 1.3", f"{ratio:.2f} ({rates})"
    for env_id, dtype, target in BATCHES:
        settings = {"dtype": dtype} if dtype else {}
        ours, theirs, ratio = paired(vector(env_id, **settings), vector("CartPole-v1"))
        rates = f"{0.3 * LANES / ours / 1e3:.1f} against {0.3 * LANES / theirs / 1e3:.1f} million lane-steps/s"
        yield f"{' '.join([env_id, '1024 lanes', dtype]).strip()} / CartPoleVectorEnv", target, f"{ratio:.2f} ({rates})"


if __name__ == "__main__":
    show(rows())
