"""A Game laid out as the flat tables that the compiled loop reads, and the codes of joint actions and histories."""

from typing import NamedTuple
from zlib import crc32

import numpy as np

from popenvs.dilemmas.game import Game

OUTSIDE = -1.0  # in place of the odds of a strategy: this seat is played from outside
START = 0  # the code of the last joint action before there is one; joint action j has code j + 1
MOST_VIEWS = 4096  # of one player


class Tables(NamedTuple):
    """Holds what all lanes share; a joint action is one flat index, the last player's action running fastest.

    Attributes:
        n_actions: of each seat, a tuple: the loop over seats is compiled for their number, a quarter faster.
        start: (1, S), cumulative probabilities, as are the next two.
        transitions: (S * J, S).
        observations: (N * S, O).
        rewards: (S * J * S, N).
        own: int32, (N, H), how a player's own history reads where the shared one has a code.
        strategies: (N, J + 1), a strategy's probability of action 0 after each joint action; or OUTSIDE.
        players: the seats that are played from outside, a tuple.
    """

    n_actions: tuple[int, ...]
    start: np.ndarray
    transitions: np.ndarray
    observations: np.ndarray
    rewards: np.ndarray
    own: np.ndarray
    strategies: np.ndarray
    players: tuple[int, ...]


def tables_of(game: Game, memory: int, strategies: dict[int, np.ndarray]) -> Tables:
    """Lay a game out for the loop.

    Args:
        game: what is played.
        memory: how many joint actions the outside players remember.
        strategies: for the seats that are not played from outside, probabilities of action 0, (J + 1,): first, and
            after each joint action as that seat sees it.

    Raises:
        ValueError: the players would have more than 4096 views.
    """
    joints = int(np.prod(game.n_actions))
    histories = (joints + 1) ** memory
    if histories * game.n_observations > MOST_VIEWS:
        raise ValueError(
            f"memory is {memory}: a player of {joints} joint actions and {game.n_observations} observations would have "
            f"{histories * game.n_observations} views; at most {MOST_VIEWS} are possible: remember less"
        )
    codes = np.array([own_codes(game.n_actions, player) for player in range(game.n_players)])
    odds = np.full((game.n_players, joints + 1), OUTSIDE)
    for seat, strategy in strategies.items():
        odds[seat] = np.asarray(strategy)[codes[seat]]
    return Tables(
        game.n_actions,
        cumulative(game.start[None]),
        cumulative(game.transitions.reshape(-1, game.n_states)),
        cumulative(game.observations.reshape(-1, game.n_observations)),
        np.ascontiguousarray(game.rewards.reshape(game.n_players, -1).T),
        np.array([own_histories(row, memory) for row in codes], np.int32),
        odds,
        tuple(seat for seat in range(game.n_players) if seat not in strategies),
    )


def checksum(tables: Tables) -> int:
    """Return 32 bits that tell games, memories and strategies apart."""
    return crc32(b"".join(np.ascontiguousarray(table).tobytes() for table in tables))


def own_codes(n_actions: tuple[int, ...], player: int) -> np.ndarray:
    """Return the codes of (start and) all joint actions with this player's action first, int64, (J + 1,)."""
    order = [player, *(p for p in range(len(n_actions)) if p != player)]
    joint = np.indices(n_actions).reshape(len(n_actions), -1)
    return np.append(START, 1 + np.ravel_multi_index(joint[order], [n_actions[p] for p in order]))


def own_histories(codes: np.ndarray, memory: int) -> np.ndarray:
    """Return the same for all codes of `memory` joint actions, the newest as the last digit, int64, (H,)."""
    own = np.zeros(1, np.int64)
    for _ in range(memory):
        own = (own[:, None] * len(codes) + codes).reshape(-1)
    return own


def cumulative(rows: np.ndarray) -> np.ndarray:
    """Return cumulative probabilities along rows that reach exactly 1 with the last possible column."""
    sums, possible = np.cumsum(rows, axis=1), rows > 0
    still_possible: np.ndarray = np.cumsum(possible[:, ::-1], axis=1)[:, ::-1] - possible  # columns to the right
    sums[still_possible == 0] = 1
    return sums
