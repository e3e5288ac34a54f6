"""How a dilemma is shown: as text, what everybody did; as an image, what the last round could have paid."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from popenvs.dilemmas.game import Game
from popenvs.dilemmas.loop import SHOWN
from popenvs.dilemmas.tables import START
from popenvs.drawing import Picture, Tile
from popenvs.drawing.shapes import plain

TABLE, HEAD, CELL, PLAYED = (24, 28, 46), (24, 28, 46), (48, 58, 92), (240, 196, 84)  # colours


def picture(game: Game, slots: np.ndarray) -> Picture:
    """Show one lane.

    Args:
        game: what is played.
        slots: the lane's records.

    Returns:
        The table of payoffs in the state of the last round, its cell lit up; as text, one line a player. The caption
        tells the round, the returns so far of the slots' players, and how often each player took its first action in
        the (at most 50) last rounds.
    """
    lane = slots[0]
    past = history(game, lane)
    last = None if lane.joint == START else np.unravel_index(lane.joint - 1, game.n_actions)
    state = lane.state if last is None else lane.played
    rows = by_two(game, state, last) if game.n_players == 2 else by_player(game, state, last)
    tiles = [Tile("table", " ", TABLE, plain)]
    shape = len(rows), len(rows[0])
    board = np.zeros(shape, np.min_scalar_type(shape[0] * shape[1]))
    for place in np.ndindex(board.shape):
        words, colour = rows[place[0]][place[1]]
        if words:
            board[place] = len(tiles)
            tiles.append(Tile(words, " ", colour, plain, words))
    return Picture(board, tuple(tiles), caption(game, slots, past), lines(game, past))


def history(game: Game, lane: Any) -> np.ndarray:
    """Return who did what in the last rounds, the oldest first: int, (players, rounds)."""
    rounds = np.arange(max(0, lane.steps - SHOWN), lane.steps) % SHOWN
    return np.array(np.unravel_index(lane.rounds[rounds].astype(np.int64), game.n_actions))


def letters(names: Sequence[str]) -> list[str]:
    """Return one letter for each action: capital initials, or numbers where these do not differ."""
    initials = [name[:1].upper() for name in names]
    return initials if len(set(initials)) == len(names) else [str(i) for i in range(len(names))]


def lines(game: Game, past: np.ndarray) -> tuple[str, ...]:
    """Write each player's actions as a row of letters."""
    return tuple(
        f"player_{player} " + "".join(letters(game.actions[player])[action] for action in row)
        for player, row in enumerate(past)
    )


def caption(game: Game, slots: np.ndarray, past: np.ndarray) -> str:
    """Write where the episode stands."""
    told = [f"round {slots[0].steps}"]
    if game.n_states > 1:
        told.append(game.states[slots[0].state])
    told.append("score " + " : ".join(f"{slot.score:g}" for slot in slots))
    if past.shape[1]:
        shares = " : ".join(f"{100 * (row == 0).mean():.0f}" for row in past)
        told.append(f"{game.actions[0][0]} {shares} %")
    return "   ".join(told)


def by_two(game: Game, state: int, last: Any) -> list[list[tuple[str, tuple[int, int, int]]]]:
    """Lay out the table of two players: rows and columns are their actions, cells what both get."""
    rows = [[("rows: player 0\ncolumns: player 1", HEAD), *((name, HEAD) for name in game.actions[1])]]
    for a, name in enumerate(game.actions[0]):
        cells = [
            (f"{pay(game, 0, state, (a, b)):g}\n{pay(game, 1, state, (a, b)):g}", b) for b in range(game.n_actions[1])
        ]
        rows.append([(name, HEAD), *((words, PLAYED if last == (a, b) else CELL) for words, b in cells)])
    return rows


def by_player(game: Game, state: int, last: Any) -> list[list[tuple[str, tuple[int, int, int]]]]:
    """Lay out one row a player: what each action pays, or would have paid, while the others do what they did."""
    widest = max(game.actions, key=len)
    rows = [[("", HEAD), *((name, HEAD) for name in widest)]]
    for player, names in enumerate(game.actions):
        row = [(f"player {player}", HEAD)]
        for action in range(len(widest)):
            if last is None or action >= len(names):
                row.append(("", CELL))
                continue
            joint = (*last[:player], action, *last[player + 1 :])
            row.append((f"{pay(game, player, state, joint):g}", PLAYED if action == last[player] else CELL))
        rows.append(row)
    return rows


def pay(game: Game, player: int, state: int, joint: Any) -> float:
    """Return what a joint action pays a player, on average over the states to which it may lead."""
    return float(game.transitions[state, *joint] @ game.rewards[player, state, *joint])
