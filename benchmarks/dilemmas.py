"""How fast dilemmas are played, as ratios to Gymnasium's and PettingZoo's own games in the same run, on one core.

`python -m benchmarks.dilemmas`; with the axelrod package installed, its tournament is held against ours, too.
"""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pettingzoo
from gymnasium.vector import VectorEnv

from benchmarks.environments import LANES, single, vector
from benchmarks.ratios import paired
from benchmarks.table import Row, show
from popenvs.dilemmas import OPPONENTS, prisoners_dilemma
from popenvs.dilemmas.tournament import tournament
from popenvs.social_dilemma_v0 import vector_env

DETERMINISTIC = {  # ours -> axelrod's
    "always_cooperate": "Cooperator",
    "always_defect": "Defector",
    "tit_for_tat": "TitForTat",
    "win_stay_lose_shift": "WinStayLoseShift",
    "grim": "Grudger",
}
SAMPLED = {"generous_tit_for_tat": "GTFT", "random": "Random", "extortion": "ZDExtort3"}


def everybody(steps: int = 300, **settings: Any) -> Callable[[], None]:
    """Return work: rounds of 1024 lanes of two players by random actions; every step returns fresh arrays."""
    env: VectorEnv = vector_env(num_envs=2 * LANES, **settings)
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(steps)]

    def work() -> None:
        for action in actions:
            env.step(action)

    return work


def agents(env_id: str, steps: int = 3000, **settings: Any) -> Callable[[], None]:
    """Return work: joint steps of a PettingZoo parallel environment by random actions, resets included."""
    env = pettingzoo.make("parallel", env_id, **settings)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    actions = [dict(zip(env.possible_agents, row, strict=True)) for row in rng.integers(2, size=(steps, 2)).tolist()]

    def work() -> None:
        for action in actions:
            env.step(action)
            if not env.agents:
                env.reset()

    return work


def speeds() -> Iterator[Row]:
    """Yield (what, target, measured)."""
    env_id = "PopPrisonersDilemma-v0"
    games = {
        f"{env_id}, 1024 lanes, no memory": (">= 4", vector(env_id, memory=0)),
        f"{env_id}, 1024 lanes, as registered": ("", vector(env_id)),
        "vector_env, 1024 lanes of two players, no memory": (">= 4", everybody(memory=0)),
        "vector_env, 1024 lanes of two players": ("", everybody()),
        "vector_env, 1024 lanes of two players, ecological": ("", everybody(game="ecological_public_good")),
    }
    for what, (target, work) in games.items():
        ours, theirs, ratio = paired(work, vector("CartPole-v1"))
        rates = f"{0.3 * LANES / ours / 1e3:.1f} against {0.3 * LANES / theirs / 1e3:.1f} million rounds or steps/s"
        yield f"{what} / CartPoleVectorEnv", target, f"{ratio:.2f} ({rates})"
    ours, theirs, ratio = paired(single(env_id), single("CartPole-v1"))
    yield f"{env_id} single / CartPole-v1", "", f"{ratio:.2f} ({20 / ours:.0f} against {20 / theirs:.0f} thousand/s)"
    ours, theirs, ratio = paired(agents("popenvs/social_dilemma_v0"), agents("classic/rps_v2", max_cycles=100))
    rates = f"{3 / ours:.0f} against {3 / theirs:.0f} thousand joint steps/s"
    yield "social_dilemma_v0 parallel / rps_v2 parallel", ">= 2", f"{ratio:.2f} ({rates})"


def beside_axelrod(turns: int = 200, repetitions: int = 200) -> Iterator[Row]:
    """Yield how far our exact scores lie from the axelrod package's played ones, if it is installed."""
    if find_spec("axelrod") is None:
        return
    import axelrod

    ours = tournament(prisoners_dilemma(), OPPONENTS, turns)
    names = DETERMINISTIC | SAMPLED
    exact, sampled = [0.0], [0.0]
    for i, one in enumerate(OPPONENTS):
        for j, other in enumerate(OPPONENTS):
            sure = {one, other} <= set(DETERMINISTIC)
            played = []
            for seed in range(1 if sure else repetitions):
                players = getattr(axelrod, names[one])(), getattr(axelrod, names[other])()
                match = axelrod.Match(players, turns=turns, seed=seed)
                match.play()
                played.append(match.final_score()[0])
            if sure:
                exact.append(abs(ours[i, j] - played[0]))
            else:
                error = max(float(np.std(played, ddof=1)) / repetitions**0.5, 1e-9)
                sampled.append(abs(ours[i, j] - float(np.mean(played))) / error)
    yield "deterministic opponents beside axelrod's, largest difference", "0", f"{max(exact):g}"
    yield "all others, largest difference (standard errors)", "< 4", f"{max(sampled):.1f}"


def rows() -> Iterator[Row]:
    """Yield every figure."""
    yield from speeds()
    yield from beside_axelrod()


if __name__ == "__main__":
    show(rows())
