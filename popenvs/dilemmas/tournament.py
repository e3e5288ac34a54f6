"""What strategies that remember one round score against each other: exact expectations, no sampling."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from popenvs.dilemmas.game import Game
from popenvs.dilemmas.opponents import strategy
from popenvs.dilemmas.tables import START, own_codes
from popenvs.engine.settings import NO_LIMIT, number, whole_number


def expected_payoffs(
    game: Game, odds: Sequence[Any], rounds: int, noise: float = 0.0, continuation: float = 1.0
) -> np.ndarray:
    """Return what each player gets in an episode, on average: float64, (N,).

    Args:
        game: each of its players has two actions.
        odds: each player's strategy, (J + 1,), as `popenvs.dilemmas.opponents` writes it, or its name.
        rounds: how many are played at most, 1 or more.
        noise: probability with which each action is replaced by the other, 0 to 0.5.
        continuation: probability of another round after each.

    Raises:
        ValueError: a number is out of its range, or a strategy is not (J + 1,) probabilities of a seat of two actions.
    """
    if len(odds) != game.n_players:
        raise ValueError(f"odds are {len(odds)} strategies; the game's {game.n_players} players need one each")
    odds = [strategy(vector, game, seat) for seat, vector in enumerate(odds)]
    whole_number("rounds", rounds, 1, NO_LIMIT)
    number("noise", noise, 0, 0.5)
    number("continuation", continuation, 0, 1)
    joints = int(np.prod(game.n_actions))
    actions = np.indices(game.n_actions).reshape(game.n_players, -1)
    chances = np.ones((joints + 1, joints))  # after the joint action of the row, of that of the column
    for player, vector in enumerate(odds):
        first = np.asarray(vector)[own_codes(game.n_actions, player)] * (1 - 2 * noise) + noise
        chances *= np.where(actions[player] == 0, first[:, None], 1 - first[:, None])
    shape = (game.n_states, joints, game.n_states)
    transitions = game.transitions.reshape(shape)
    pays = (game.rewards.reshape(-1, *shape) * transitions).sum(-1)  # (N, S, J)
    # Play stands in a state and after a joint action: (S, J + 1) places. No round leads back to the start.
    chain = np.zeros((game.n_states, joints + 1, game.n_states, joints + 1))
    chain[..., 1:] = np.einsum("cj,sjt->sctj", chances, transitions) * continuation
    places = game.n_states * (joints + 1)
    begun = np.zeros((game.n_states, joints + 1))
    begun[:, START] = game.start
    visits = begun.reshape(-1) @ power_sum(chain.reshape(places, places), rounds)
    return np.einsum("sc,cj,nsj->n", visits.reshape(game.n_states, -1), chances, pays)


def power_sum(matrix: np.ndarray, n: int) -> np.ndarray:
    """Return the sum of the powers of a square matrix from the 0th to the (n - 1)th, by doubling."""
    total, power = np.zeros_like(matrix), np.eye(len(matrix))  # of the first k powers, and the k-th, for a growing k
    for bit in f"{n:b}":
        total, power = total + power @ total, power @ power
        if bit == "1":
            total, power = total + power, power @ matrix
    return total


def tournament(game: Game, opponents: Sequence[Any], rounds: int = 200, noise: float = 0.0) -> np.ndarray:
    """Let everybody meet everybody, a copy of itself included.

    Args:
        game: of two players with two actions each.
        opponents: names of `popenvs.dilemmas.opponents.OPPONENTS`, or vectors.
        rounds: of each match.
        noise: probability of a slip, 0 to 0.5.

    Returns:
        float64, (opponents, opponents): what the one of the row gets, on average, in a match with that of the column.

    Raises:
        ValueError: an opponent is unknown or cannot play this game, or a number is out of its range.

    >>> from popenvs.dilemmas.catalogue import prisoners_dilemma
    >>> tournament(prisoners_dilemma(), ["always_defect", "tit_for_tat"], rounds=10).tolist()
    [[10.0, 14.0], [9.0, 30.0]]
    """
    return np.array(
        [[expected_payoffs(game, (row, column), rounds, noise)[0] for column in opponents] for row in opponents]
    )
