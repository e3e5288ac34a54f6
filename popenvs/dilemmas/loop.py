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

from typing import Any

import numpy as np

from popenvs.dilemmas.tables import START, Tables
from popenvs.engine.compiling import njit
from popenvs.engine.game import Rows
from popenvs.engine.random_stream import below, next_bits

SHOWN = 50  # rounds that a record keeps for the picture: memory is what many lanes wait for
FIELDS = [
    ("rng", "u8"),  # the lane's random stream
    ("steps", "i4"),  # rounds played in this episode
    ("max_steps", "i4"),  # rounds after which it is cut off (a setting)
    ("continuation", "f8"),  # probability of another round (a setting)
    ("noise", "f8"),  # probability of a slip of the hand (a setting)
    ("rules", "u4"),  # checksum of the tables: the game, the memory, the strategies of other seats (a setting)
    ("state", "i4"),  # of the game
    ("played", "i4"),  # the state in which the last round was played
    ("joint", "i4"),  # code of the last joint action
    ("history", "i4"),  # code of the joint actions that are remembered, a number to the base of joint actions + 1
    ("seen", "i4"),  # what this slot's player sees of the state
    ("other", "i4"),  # what an opponent who is asked sees of it (see `popenvs.dilemmas.against_opponent`)
    ("firsts", "i4"),  # how often it took action 0 in this episode
    ("score", "f8"),  # its return so far in this episode
    ("rounds", "i4", (SHOWN,)),  # joint actions, round t at place t % SHOWN
]
RECORD = np.dtype((np.record, np.dtype(FIELDS, align=True)))


@njit(inline="always")
def uniform(game: Any) -> float:
    """Draw a number from 0 up to, but not including, 1."""
    return np.float64(next_bits(game) >> np.uint64(11)) * 2.0**-53


@njit(inline="always")
def draw(game: Any, sums: np.ndarray, row: int) -> int:
    """Draw a column by a row of cumulative probabilities."""
    last = sums.shape[1] - 1
    if last == 0:
        return 0
    u, column = uniform(game), 0
    while column < last and u >= sums[row, column]:
        column += 1
    return column


@njit(inline="always")
def another(game: Any, action: int, n: int) -> Any:
    """Draw one of the other n - 1 actions."""
    other = action + 1 + below(game, n - 1)
    return other - n * int(other >= n)


@njit(inline="always")
def appended(history: int, joint: int, codes: int, histories: int) -> Any:
    """Return the code of a history after one more joint action."""
    if histories <= codes:  # at most one is remembered
        return (joint + 1) * int(histories > 1)
    return np.int64(np.uint32(history * codes + joint + 1) % np.uint32(histories))


# Tables are taken apart outside the loops over lanes, because handing them to a function costs 100 ns a call; what runs
# in every round is inlined, because each array that a function is handed costs some ns, too (two players: a third).


@njit(inline="always")
def reset(games: Any, first: int, players: Any, start: np.ndarray, looks: np.ndarray) -> None:
    """Begin an episode in the lane whose slots begin at `first`."""
    game = games[first]
    game.steps, game.joint, game.history = 0, START, START
    game.state = draw(game, start, 0)
    for k in range(len(players)):
        slot = games[first + k]
        slot.score, slot.firsts = 0, 0
        slot.seen = draw(game, looks, players[k] * start.shape[1] + game.state)


@njit(inline="always")
def act(games: Any, first: int, actions: np.ndarray, n_actions: Any, strategies: np.ndarray) -> Any:
    """Let every seat of a lane act, and hands slip; return the joint action."""
    game, slot, joint = games[first], first, 0
    last, noise = game.joint, game.noise
    for seat in range(len(n_actions)):
        odds = strategies[seat, last]
        action = actions[slot] if odds < 0 else int(uniform(game) >= odds)
        if noise > 0 and uniform(game) < noise:
            action = another(game, action, n_actions[seat])
        joint = joint * n_actions[seat] + action
        if odds < 0:
            games[slot].firsts += int(action == 0)
            slot += 1
    return joint


@njit(inline="always")
def move(game: Any, joint: int, codes: int, histories: int, transitions: np.ndarray) -> Any:
    """Draw the next state after a joint action; return the code of both states and the joint action in between."""
    before, row = game.state, game.state * (codes - 1) + joint
    after, history = draw(game, transitions, row), appended(game.history, joint, codes, histories)
    game.played, game.state, game.joint, game.history = before, after, joint + 1, history
    game.rounds[np.uint32(game.steps - 1) % np.uint32(SHOWN)] = joint
    return row * transitions.shape[1] + after


@njit(inline="always")
def observe(games: Any, first: int, players: Any, own: np.ndarray, observations: np.ndarray) -> None:
    """Mark what every slot of a lane sees, in rows of zeros."""
    history, histories = games[first].history, own.shape[1]
    for k in range(len(players)):
        observations[first + k, games[first + k].seen * histories + own[players[k], history]] = 1


@njit(cache=True)
def reset_lanes(games: Rows, tables: Tables, which: Rows, observations: Rows) -> None:
    """Begin an episode in the lanes where `which`; write every slot's observation."""
    start, looks, own, players = tables.start, tables.observations, tables.own, tables.players
    observations[:] = 0
    for first in range(0, len(games), len(players)):
        if which[first]:
            reset(games, first, players, start, looks)
        observe(games, first, players, own, observations)


@njit(cache=True)
def step_lanes(
    games: Rows,
    tables: Tables,
    actions: Rows,
    waiting: Rows,
    observations: Rows,
    rewards: Rows,
    terminated: Rows,
    truncated: Rows,
) -> None:
    """Play a round in every lane, or begin an episode in it where `waiting`; every array has one row a slot."""
    n_actions, players, start, transitions = tables.n_actions, tables.players, tables.start, tables.transitions
    looks, own, pays, strategies = tables.observations, tables.own, tables.rewards, tables.strategies
    observations[:] = 0
    for first in range(0, len(games), len(players)):
        game = games[first]
        if waiting[first]:
            reset(games, first, players, start, looks)
            for slot in range(first, first + len(players)):
                rewards[slot], terminated[slot], truncated[slot] = 0.0, False, False
        else:
            game.steps += 1
            joint = act(games, first, actions, n_actions, strategies)
            round_ = move(game, joint, strategies.shape[1], own.shape[1], transitions)
            ended = game.continuation < 1 and uniform(game) >= game.continuation
            cut = game.steps >= game.max_steps
            for k in range(len(players)):
                slot = first + k
                reward, seen = pays[round_, players[k]], draw(game, looks, players[k] * start.shape[1] + game.state)
                rewards[slot], terminated[slot], truncated[slot] = reward, ended, cut
                games[slot].score += reward
                games[slot].seen = seen
        observe(games, first, players, own, observations)
