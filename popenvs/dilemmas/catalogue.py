"""Named games. Action 0 cooperates and action 1 defects, where a game has such actions.

=========================  ====================================================================================
`matrix_game`              two players, two actions, payoffs R(eward), T(emptation), S(ucker), P(unishment)
`prisoners_dilemma`        T > R > P > S: defection pays whatever the other does
`stag_hunt`                R > T >= P > S: cooperation pays if the other cooperates
`chicken`                  T > R > S > P: defection pays if the other cooperates
`public_goods`             what n players put in is multiplied and shared by all
`ecological_public_good`   the same, with a commons that defection can ruin
`uncertain_dilemma`        one of two matrix games in each round, seen through noise
`matching_pennies`         zero-sum, two actions
`rock_paper_scissors`      zero-sum, three actions
=========================  ====================================================================================
"""

from typing import Any

import numpy as np

from popenvs.dilemmas.game import Game
from popenvs.engine.settings import whole_number

COOPERATE, DEFECT = range(2)
MOVES = ("cooperate", "defect")


def matrix_game(R: float, T: float, S: float, P: float) -> Game:
    """Make a symmetric game of two players from four payoffs.

    Args:
        R: of one who cooperates with a cooperator (reward).
        T: of one who defects on a cooperator (temptation).
        S: of one who cooperates with a defector (sucker's payoff).
        P: of one who defects on a defector (punishment).
    """
    return Game.from_payoffs([[R, S], [T, P]], actions=(MOVES, MOVES))


def prisoners_dilemma(R: float = 3.0, T: float = 5.0, S: float = 0.0, P: float = 1.0) -> Game:
    """Make a prisoner's dilemma; the payoffs are those of R. Axelrod (1984), "The Evolution of Cooperation".

    Raises:
        ValueError: not T > R > P > S.
    """
    ordered("prisoner's dilemma", T > R > P > S, "T > R > P > S", R, T, S, P)
    return matrix_game(R, T, S, P)


def stag_hunt(R: float = 1.0, T: float = 0.8, S: float = -0.5, P: float = 0.0) -> Game:
    """Make a stag hunt: cooperating is best, but only together.

    Raises:
        ValueError: not R > T >= P > S.
    """
    ordered("stag hunt", R > T >= P > S, "R > T >= P > S", R, T, S, P)
    return matrix_game(R, T, S, P)


def chicken(R: float = 3.0, T: float = 5.0, S: float = 1.0, P: float = 0.0) -> Game:
    """Make a game of chicken (hawk and dove, snowdrift): two defectors fare worst.

    Raises:
        ValueError: not T > R > S > P.
    """
    ordered("game of chicken", T > R > S > P, "T > R > S > P", R, T, S, P)
    return matrix_game(R, T, S, P)


def public_goods(n: int = 3, f: Any = 1.5, c: Any = 1.0) -> Game:
    """Make a public goods game: a cooperator pays c, which is multiplied by f and shared equally by all n.

    Args:
        n: players, 2 to 8.
        f: factor, one number or one a player.
        c: cost, one number or one a player.
    """
    return Game.from_payoffs(shares(n, f, c), actions=(MOVES,) * n)


def matching_pennies() -> Game:
    """Make matching pennies: player 0 wins 1 from player 1 if both show the same side."""
    wins = np.array([[1.0, -1.0], [-1.0, 1.0]])
    return Game.from_payoffs([wins, -wins], actions=(("heads", "tails"),) * 2)


def rock_paper_scissors() -> Game:
    """Make rock, paper, scissors: the winner gets 1, the loser -1, equals 0."""
    return Game.from_payoffs([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], actions=(("rock", "paper", "scissors"),) * 2)


def ecological_public_good(
    n: int = 2,
    f: Any = 1.2,
    c: Any = 5.0,
    m: Any = -4.0,
    qc: Any = 0.2,
    qr: Any = 0.1,
    *,
    degraded_choice: bool = False,
) -> Game:
    """Make a public goods game whose commons is prosperous (state 1, where play begins) or degraded (state 0).

    A prosperous commons collapses with probability (sum over defectors of qc_i) / n, a degraded one recovers with the
    mean of qr_i. A round that begins or ends degraded pays player i m_i; any other pays as `public_goods` does.

    Args:
        n: players, 2 to 8.
        f: factor, one number or one a player, as are all that follow.
        c: cost.
        m: payoff of a round with a degraded commons.
        qc: leverage of collapse, 0 to 1.
        qr: leverage of recovery, 0 to 1.
        degraded_choice: recover with probability (sum over cooperators of qr_i) / n instead.

    Source: W. Barfuss, J. Donges, V. Vasconcelos, J. Kurths, S. Levin (2020), "Caring for the future can turn tragedy
    into comedy for long-term collective action under risk of collapse", PNAS 117.

    Raises:
        ValueError: a leverage is no probability, or there is not one value a player.
    """
    share = shares(n, f, c)  # (n, A, ..., A)
    qc, qr = probabilities("qc", qc, n), probabilities("qr", qr, n)
    defects = np.indices((2,) * n)  # (n, A, ..., A): 1 where the player defects
    collapse = np.tensordot(qc, defects, 1) / n
    recovery = np.tensordot(qr, 1 - defects, 1) / n if degraded_choice else np.full(defects.shape[1:], qr.mean())
    transitions = np.stack([np.stack([1 - recovery, recovery], -1), np.stack([collapse, 1 - collapse], -1)])
    rewards = np.empty((n, *transitions.shape))
    rewards[...] = per_player("m", m, n).reshape(n, *[1] * (n + 2))
    rewards[:, 1, ..., 1] = share
    return Game(transitions, rewards, start=[0, 1], states=("degraded", "prosperous"), actions=(MOVES,) * n)


def uncertain_dilemma(
    R1: float = 5.0,
    T1: float = 6.0,
    S1: float = -1.0,
    P1: float = 0.0,
    R2: float = 5.0,
    T2: float = 2.0,
    S2: float = -1.0,
    P2: float = 0.0,
    *,
    p_contract: float = 0.5,
    noise: Any = 0.0,
) -> Game:
    """Make a game whose payoffs are drawn each round: those of state 1 with probability `p_contract`, else of state 0.

    Args:
        R1: payoff in state 0, as of `matrix_game`, and so are the three that follow.
        T1: see `matrix_game`.
        S1: see `matrix_game`.
        P1: see `matrix_game`.
        R2: payoff in state 1, and so are the three that follow.
        T2: see `matrix_game`.
        S2: see `matrix_game`.
        P2: see `matrix_game`.
        p_contract: 0 to 1.
        noise: probability of taking one state for the other, 0 to 0.5; one number or one a player.

    Source: W. Barfuss, R. Mann (2022), "Modeling the effects of environmental and perceptual uncertainty using
    deterministic reinforcement learning dynamics with partial observability", Physical Review E 105.

    Raises:
        ValueError: `p_contract` is no probability, or a noise lies outside 0 to 0.5.
    """
    coin = probabilities("p_contract", p_contract, 1)[0]
    wrong = probabilities("noise", noise, 2, 0.5)
    tables = [matrix_game(R1, T1, S1, P1).rewards, matrix_game(R2, T2, S2, P2).rewards]  # each (2, 1, 2, 2, 1)
    rewards = np.broadcast_to(np.concatenate(tables, axis=1), (2, 2, 2, 2, 2))
    first = [1 - coin, coin]
    observations = np.stack([[[1 - p, p], [p, 1 - p]] for p in wrong])
    names = ("no contract", "contract")
    return Game(np.full((2, 2, 2, 2), first), rewards, observations, start=first, states=names, actions=(MOVES,) * 2)


def shares(n: int, f: Any, c: Any) -> np.ndarray:
    """Return what each joint action of a public goods game pays: (n, 2, ..., 2)."""
    whole_number("n", n, 2, 8)
    f, c = per_player("f", f, n), per_player("c", c, n)
    gives = 1 - np.indices((2,) * n)  # (n, A, ..., A): 1 where the player cooperates
    pool = np.tensordot(f * c, gives, 1) / n
    return pool - gives * c.reshape(n, *[1] * n)


def per_player(name: str, value: Any, n: int) -> np.ndarray:
    """Return a setting as one number a player, float64, (n,).

    Raises:
        ValueError: it is neither one number nor n of them, or one is not finite.
    """
    array = np.asarray(value, np.float64)
    if array.shape in ((), (n,)) and np.isfinite(array).all():
        return np.broadcast_to(array, n)
    raise ValueError(f"{name} is {value!r}; it must be one finite number, or {n}: one for each player")


def probabilities(name: str, value: Any, n: int, high: float = 1.0) -> np.ndarray:
    """Return a setting as one probability a player, float64, (n,).

    Raises:
        ValueError: one is below 0 or above `high`.
    """
    array = per_player(name, value, n)
    if ((array < 0) | (array > high)).any():
        raise ValueError(f"{name} is {value!r}; it must lie between 0 and {high:g}")
    return array


def ordered(game: str, holds: bool, order: str, R: float, T: float, S: float, P: float) -> None:
    """Refuse payoffs that make another game than the name says.

    Raises:
        ValueError: they do.
    """
    if not holds:
        given = f"R={R}, T={T}, S={S}, P={P}"
        raise ValueError(f"the payoffs are {given}; a {game} has {order}. matrix_game takes any payoffs")
