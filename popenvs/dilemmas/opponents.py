"""Strategies that remember one round, by name and as probabilities of cooperating (of action 0).

A strategy is a vector, (J + 1,): the first round, then after each joint action, as that player sees it (its own action
first). For two players of two actions: (start, both cooperated, I did and the other did not, the other way round,
neither did).

=======================  ===========================  =================================================================
Name                     Vector                       Source
=======================  ===========================  =================================================================
always_cooperate         1, 1, 1, 1, 1
always_defect            0, 0, 0, 0, 0
tit_for_tat              1, 1, 0, 1, 0                R. Axelrod (1984), "The Evolution of Cooperation"
generous_tit_for_tat     1, 1, g, 1, g                M. Nowak, K. Sigmund (1992), "Tit for tat in heterogeneous
                                                      populations", Nature 355; g = min(1 - (T-R)/(R-S), (R-P)/(T-P))
win_stay_lose_shift      1, 1, 0, 0, 1                M. Nowak, K. Sigmund (1993), "A strategy of win-stay, lose-shift
                                                      that outperforms tit-for-tat", Nature 364
grim                     1, 1, 0, 0, 0                J. Friedman (1971), "A non-cooperative equilibrium for supergames"
random                   1/2 in all places
extortion                see `extortion`              W. Press, F. Dyson (2012), "Iterated prisoner's dilemma contains
                                                      strategies that dominate any evolutionary opponent", PNAS 109
=======================  ===========================  =================================================================
"""

from typing import Any

import numpy as np

from popenvs.dilemmas.game import Game
from registration.names import unknown

FIXED: dict[str, tuple[float, ...]] = {
    "always_cooperate": (1, 1, 1, 1, 1),
    "always_defect": (0, 0, 0, 0, 0),
    "tit_for_tat": (1, 1, 0, 1, 0),
    "win_stay_lose_shift": (1, 1, 0, 0, 1),
    "grim": (1, 1, 0, 0, 0),
    "random": (0.5, 0.5, 0.5, 0.5, 0.5),
}
OPPONENTS = (*FIXED, "generous_tit_for_tat", "extortion")


def strategy(opponent: str | Any, game: Game, seat: int = 1) -> np.ndarray:
    """Return an opponent as probabilities of action 0, (J + 1,).

    Args:
        opponent: a name of `OPPONENTS`, for two players of two actions, or a vector, for any game in which this seat
            has two actions.
        game: where it plays; some names depend on its payoffs.
        seat: on which it plays.

    Raises:
        ValueError: there is no such name, it makes no sense in this game, or the vector holds no probabilities.
    """
    joints = int(np.prod(game.n_actions))
    if game.n_actions[seat] != 2:
        raise ValueError(
            f"seat {seat} has {game.n_actions[seat]} actions; a strategy of probabilities needs 2 of them: let a "
            "function of (observation, random generator) play it, or agents of social_dilemma_v0.parallel_env all seats"
        )
    if isinstance(opponent, str):
        return named(opponent, game, seat)
    vector = np.asarray(opponent, np.float64)
    if vector.shape == (joints + 1,) and ((vector >= 0) & (vector <= 1)).all():
        return vector
    raise ValueError(
        f"opponent is {opponent!r}; it must be a name, a function, or {joints + 1} probabilities: of action 0 in the "
        "first round and after each joint action"
    )


def named(name: str, game: Game, seat: int) -> np.ndarray:
    """Return a strategy by its name, (5,).

    Raises:
        ValueError: as `strategy`.
    """
    if name not in OPPONENTS:
        raise ValueError(unknown("opponent", name, OPPONENTS))
    if game.n_actions != (2, 2):
        raise ValueError(
            f"{name} plays games of two players with two actions; this one has {game.n_actions}: give odds"
        )
    if name in FIXED:
        return np.array(FIXED[name], np.float64)
    R, S, T, P = payoffs(name, game, seat)
    return generous_tit_for_tat(R, T, S, P) if name == "generous_tit_for_tat" else extortion(R, T, S, P)


def payoffs(name: str, game: Game, seat: int) -> np.ndarray:
    """Return what the player of a seat gets after each joint action, its own first: R, S, T, P.

    Raises:
        ValueError: the game has several states, and these payoffs differ.
    """
    if game.n_states > 1:
        raise ValueError(f"{name} is computed from the payoffs of one state; this game has {game.n_states}: give odds")
    table = game.rewards[seat, 0, ..., 0]
    return (table if seat == 0 else table.T).reshape(-1)


def generous_tit_for_tat(R: float, T: float, S: float, P: float) -> np.ndarray:
    """Return tit for tat that forgives as often as it can without inviting defection (1 in 3 for 3, 5, 0, 1).

    Raises:
        ValueError: the payoffs are no prisoner's dilemma.
    """
    refuse_others("generous_tit_for_tat", R, T, S, P)
    g = min(1 - (T - R) / (R - S), (R - P) / (T - P))
    if g < 0:
        raise ValueError(f"generous_tit_for_tat cannot forgive where 2 R < T + S; the payoffs are R={R}, T={T}, S={S}")
    return np.array([1, 1, g, 1, g])


def extortion(R: float, T: float, S: float, P: float, chi: float = 3.0) -> np.ndarray:
    """Return the strategy that gets chi times as much above P as whoever plays against it, in the long run.

    Equation 12 of the source, with half of the largest possible phi: 11/13, 1/2, 7/26, 0 for 3, 5, 0, 1.

    Raises:
        ValueError: the payoffs are no prisoner's dilemma.
    """
    refuse_others("extortion", R, T, S, P)
    phi = (P - S) / ((P - S) + chi * (T - P)) / 2
    return np.array(
        [
            1,
            1 - phi * (chi - 1) * (R - P) / (P - S),
            1 - phi * (1 + chi * (T - P) / (P - S)),
            phi * (chi + (T - P) / (P - S)),
            0,
        ]
    )


def refuse_others(name: str, R: float, T: float, S: float, P: float) -> None:
    """Refuse payoffs for which a strategy is not defined.

    Raises:
        ValueError: they are no prisoner's dilemma.
    """
    if not T > R > P > S:
        raise ValueError(
            f"{name} needs T > R > P > S, a prisoner's dilemma; the payoffs are R={R}, T={T}, S={S}, P={P}"
        )
