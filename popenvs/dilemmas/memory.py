"""Players who remember: the last states and joint actions of a game become the states of a larger one."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from popenvs.dilemmas.game import Game
from popenvs.engine.settings import whole_number

History = tuple[tuple[int | None, ...], ...]  # one entry a round, the newest last: an action for each player, the state


def with_memory(game: Game, states: int = 1, actions: int | Sequence[int] = 1) -> Game:
    """Make the game whose states are histories of another: what is remembered of its last rounds.

    Histories are in lexicographic order: the oldest round first, and in a round the players' actions before the state
    that they led to. Those that can never come about are left out. A player sees the remembered actions exactly, and
    each remembered state as in the game without memory (if that is noisy, drawn anew each time).

    Args:
        game: of any number of players and states.
        states: how many of the last states are remembered, the present one among them: 1 to 8.
        actions: how many of the last joint actions are remembered, or how many of each player's: 0 to 8.

    Returns:
        A game of the same players and actions. It begins in any history that ends in a first state of `game`.

    Raises:
        ValueError: `states` or `actions` is out of range, or `actions` is not one number a player.

    >>> from popenvs.dilemmas.catalogue import prisoners_dilemma
    >>> with_memory(prisoners_dilemma()).states[1]
    'cooperate,defect,0|'
    """
    spans = memories(game, states, actions)
    histories = possible(game, spans)
    shape = (len(histories), *game.n_actions, len(histories))
    transitions, rewards = np.zeros(shape), np.zeros((game.n_players, *shape))
    for (i, history), joint, (j, later) in product(
        enumerate(histories), np.ndindex(game.n_actions), enumerate(histories)
    ):
        before, after = history[-1][-1], later[-1][-1]
        lived = kept((*history, (*joint, after)), spans)
        if lived[-1] == later[-1]:  # a payoff depends on the newest round alone, as the source's tensors have it
            rewards[:, i, *joint, j] = game.rewards[:, before, *joint, after]
        if lived == later:
            transitions[i, *joint, j] = game.transitions[before, *joint, after]
    newest = [history[-1][-1] for history in histories]
    start = [game.start[state] / newest.count(state) for state in newest]
    labels = [label(game, history) for history in histories]
    return Game(transitions, rewards, seen(game, histories), start=start, states=labels, actions=game.actions)


def memories(game: Game, states: Any, actions: Any) -> tuple[int, ...]:
    """Return how many of each player's actions, and last of the states, are remembered."""
    each = (actions,) * game.n_players if np.ndim(actions) == 0 else tuple(actions)
    if len(each) != game.n_players:
        raise ValueError(
            f"actions is {actions!r}; it must be one whole number, or one for each of {game.n_players} players"
        )
    return (*(whole_number("actions", k, 0, 8) for k in each), whole_number("states", states, 1, 8))


def possible(game: Game, spans: tuple[int, ...]) -> list[History]:
    """Return every history that can come about from any state, in order."""
    histories: set[History] = {((None,) * game.n_players + (state,),) for state in range(game.n_states)}
    for _ in range(max(*spans[:-1], spans[-1] - 1)):
        histories = {
            (*history, (*joint, after))
            for history, joint in product(histories, np.ndindex(game.n_actions))
            for after in np.flatnonzero(game.transitions[history[-1][-1], *joint]).tolist()
        }
    return sorted({kept(history, spans) for history in histories})  # None stands in the same places of all


def kept(history: History, spans: tuple[int, ...]) -> History:
    """Cut off the rounds, and blank out what else is not remembered."""
    rounds = history[-max(spans) :]
    return tuple(
        tuple(x if len(rounds) - i <= span else None for x, span in zip(entry, spans, strict=True))
        for i, entry in enumerate(rounds)
    )


def seen(game: Game, histories: list[History]) -> np.ndarray:
    """Return what each player sees of each history: (N, histories, views), a view being a history of observations."""
    chances = [[views(game, player, history) for history in histories] for player in range(game.n_players)]
    columns = sorted({view for row in chances for cell in row for view in cell})
    return np.array([[[cell.get(view, 0.0) for view in columns] for cell in row] for row in chances])


def views(game: Game, player: int, history: History) -> dict[History, float]:
    """Return in which ways a player may see a history, and with what probabilities."""
    found: dict[History, float] = {(): 1.0}
    for entry in history:
        row = np.ones(1) if entry[-1] is None else game.observations[player, entry[-1]]
        looks = [(None if entry[-1] is None else o, row[o]) for o in np.flatnonzero(row).tolist()]
        found = {(*view, (*entry[:-1], o)): chance * p for view, chance in found.items() for o, p in looks}
    return found


def label(game: Game, history: History) -> str:
    """Write a history as its rounds, the oldest first, each as the players' actions and the state."""
    names = (*game.actions, game.states)
    return "".join(
        ",".join("" if x is None else labels[x] for x, labels in zip(entry, names, strict=True)) + "|"
        for entry in history
    )
