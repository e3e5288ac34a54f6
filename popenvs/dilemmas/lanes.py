"""The compiled loop that plays any Game: lanes of N seats, each taken by an outside player or by a memory-one strategy.

In each round of a lane,

1. every seat acts: an outside player as told, a strategy by a coin whose odds depend on the last joint action;
2. each action is replaced, with probability `noise`, by another one, drawn uniformly (a trembling hand);
3. the next state is drawn, and the joint action and the two states pay every seat;
4. the episode terminates with probability 1 - `continuation`, and is cut off after `max_steps` rounds;
5. every outside player sees its own view of the state (drawn, if that is noisy) and the last joint actions that it
   remembers, its own action first: one place of a one-hot row.

The outside players of a lane are its *slots*, one after the other: slot l * n + p is the p-th player of lane l. There
is one record a slot. What all players of a lane share (stream, state, history) stands in that of its first slot.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from popenvs.dilemmas.game import Game
from popenvs.stream import below, next_bits

OUTSIDE = -1.0  # in place of the odds of a strategy: this seat is played from outside
START = 0  # the code of the last joint action before there is one; joint action j has code j + 1
SHOWN = 100  # rounds that a record keeps for the picture
MOST_VIEWS = 4096  # of one player
FIELDS = [
    ("rng", "u8"),  # the lane's random stream
    ("steps", "i4"),  # rounds played in this episode
    ("max_steps", "i4"),  # rounds after which it is cut off (a setting)
    ("continuation", "f8"),  # probability of another round (a setting)
    ("noise", "f8"),  # probability of a slip of the hand (a setting)
    ("state", "i4"),  # of the game
    ("played", "i4"),  # the state in which the last round was played
    ("joint", "i4"),  # code of the last joint action
    ("history", "i4"),  # code of the joint actions that are remembered, a number to the base of joint actions + 1
    ("seen", "i4"),  # what this slot's player sees of the state
    ("other", "i4"),  # what an opponent who is asked sees of it (see `popenvs.dilemmas.single_env`)
    ("firsts", "i4"),  # how often it took action 0 in this episode
    ("score", "f8"),  # its return so far in this episode
    ("rounds", "i2", (SHOWN,)),  # joint actions, round t at place t % SHOWN
]
RECORD = np.dtype((np.record, np.dtype(FIELDS, align=True)))


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


@njit
def uniform(game: Any) -> float:
    """Draw a number from 0 up to, but not including, 1."""
    return np.float64(next_bits(game) >> np.uint64(11)) * 2.0**-53


@njit
def draw(game: Any, sums: np.ndarray, row: int) -> int:
    """Draw a column by a row of cumulative probabilities."""
    last = sums.shape[1] - 1
    if last == 0:
        return 0
    u, column = uniform(game), 0
    while column < last and u >= sums[row, column]:
        column += 1
    return column


@njit
def another(game: Any, action: int, n: int) -> Any:
    """Draw one of the other n - 1 actions."""
    other = action + 1 + below(game, n - 1)
    return other - n * int(other >= n)


@njit
def appended(history: int, joint: int, codes: int, histories: int) -> Any:
    """Return the code of a history after one more joint action."""
    if histories <= codes:  # at most one is remembered
        return (joint + 1) * int(histories > 1)
    return np.int64(np.uint32(history * codes + joint + 1) % np.uint32(histories))


# What follows takes tables apart outside its loop over lanes, because handing them to a function costs 100 ns a call,
# and copies a record's fields, because the compiler would load them again after every write.


@njit(cache=True)
def begin_lanes(games: np.ndarray, tables: Tables, which: np.ndarray, observations: np.ndarray) -> None:
    """Begin an episode in the lanes where `which` (slots,); write every slot's observation."""
    start, looks, own, players = tables.start, tables.observations, tables.own, tables.players
    histories, states = own.shape[1], start.shape[1]
    observations[:] = 0
    for first in range(0, len(games), len(players)):
        game = games[first]
        if which[first]:
            game.steps, game.joint, game.history = 0, START, START
            game.state = draw(game, start, 0)
            for k in range(len(players)):
                seat = games[first + k]
                seat.score, seat.firsts = 0, 0
                seat.seen = draw(game, looks, players[k] * states + game.state)
        for k in range(len(players)):
            observations[first + k, games[first + k].seen * histories + own[players[k], game.history]] = 1


@njit(cache=True)
def play_lanes(
    games: np.ndarray,
    tables: Tables,
    actions: np.ndarray,
    waiting: np.ndarray,
    observations: np.ndarray,
    rewards: np.ndarray,
    terminated: np.ndarray,
    truncated: np.ndarray,
) -> None:
    """Play a round in every lane that is not `waiting`; every array has one row a slot."""
    n_actions, strategies, transitions, players = (
        tables.n_actions,
        tables.strategies,
        tables.transitions,
        tables.players,
    )
    looks, own, pays = tables.observations, tables.own, tables.rewards
    codes, histories, states = strategies.shape[1], own.shape[1], transitions.shape[1]
    observations[:] = 0
    for first in range(0, len(games), len(players)):
        if waiting[first]:
            continue
        game, slot, joint = games[first], first, 0
        last, before, round_, noise = game.joint, game.state, game.steps, game.noise
        for seat in range(len(n_actions)):
            odds = strategies[seat, last]
            action = actions[slot] if odds < 0 else int(uniform(game) >= odds)
            if noise > 0 and uniform(game) < noise:
                action = another(game, action, n_actions[seat])
            joint = joint * n_actions[seat] + action
            if odds < 0:
                games[slot].firsts += int(action == 0)
                slot += 1
        row = before * (codes - 1) + joint
        after, history = draw(game, transitions, row), appended(game.history, joint, codes, histories)
        game.played, game.state, game.joint, game.history = before, after, joint + 1, history
        game.rounds[np.uint32(round_) % np.uint32(SHOWN)] = joint
        game.steps = round_ + 1
        ended = game.continuation < 1 and uniform(game) >= game.continuation
        cut = round_ + 1 >= game.max_steps
        for k in range(len(players)):
            slot, seat = first + k, players[k]
            reward, seen = pays[row * states + after, seat], draw(game, looks, seat * states + after)
            observations[slot, seen * histories + own[seat, history]] = 1
            rewards[slot], terminated[slot], truncated[slot] = reward, ended, cut
            games[slot].seen = seen
            games[slot].score += reward
