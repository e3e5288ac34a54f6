"""A finite game of N players, held as tensors: one object to be played (by the shells) or solved (by the dynamics).

In each round the game is in a state s and every player i takes an action a_i at once. The next state s' is drawn from
`transitions[s, a_1, ..., a_N]`, and player i gets `rewards[i, s, a_1, ..., a_N, s']`. What player i sees of a state is
drawn from `observations[i, s]`.

Source: the tensors are those of pyCRLD, "Collective Reinforcement Learning Dynamics in Python", W. Barfuss and
contributors.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

CLOSE = 1e-9  # how far from 1 a sum of probabilities may lie


class Game:
    """A stochastic game.

    Args:
        transitions: (S, A_1, ..., A_N, S), probabilities of the next state.
        rewards: (N, S, A_1, ..., A_N, S), finite.
        observations: (N, S, O), probabilities of what a player sees of a state; None: every player sees the state.
        start: (S,), probabilities of the first state; None: all alike.
        states: a name for each state; None: its number.
        actions: a tuple of names for each player; None: their numbers.

    Attributes:
        transitions, rewards, observations, start: as given, float64, read-only.
        states, actions: the names.
        n_players, n_states, n_observations: N, S, O.
        n_actions: (A_1, ..., A_N).

    Raises:
        ValueError: shapes do not fit each other, probabilities are negative or do not sum to one, or a reward is not
            finite; the text says which.

    >>> game = Game.from_payoffs([[3, 0], [5, 1]])
    >>> game.n_players, game.n_states, game.n_actions
    (2, 1, (2, 2))
    """

    def __init__(
        self,
        transitions: Any,
        rewards: Any,
        observations: Any = None,
        *,
        start: Any = None,
        states: Sequence[str] | None = None,
        actions: Sequence[Sequence[str]] | None = None,
    ) -> None:
        self.transitions = numbers("transitions", transitions)
        shape = self.transitions.shape
        if len(shape) < 3 or shape[0] != shape[-1] or 0 in shape:
            raise ValueError(f"transitions have shape {shape}; they must have (S, A_1, ..., A_N, S), N of 1 or more")
        self.n_states, self.n_actions, self.n_players = shape[0], shape[1:-1], len(shape) - 2
        self.rewards = numbers("rewards", rewards, (self.n_players, *shape))
        if observations is None:
            observations = np.broadcast_to(np.eye(self.n_states), (self.n_players, self.n_states, self.n_states))
        self.observations = numbers("observations", observations)
        self.n_observations = self.observations.shape[-1] if self.observations.ndim == 3 else 1
        if self.observations.shape != (self.n_players, self.n_states, self.n_observations):
            expected = f"({self.n_players}, {self.n_states}, O)"
            raise ValueError(
                f"observations have shape {self.observations.shape}; they must have (N, S, O) = {expected}"
            )
        start = np.full(self.n_states, 1 / self.n_states) if start is None else start
        self.start = numbers("start", start, (self.n_states,))
        self.states = names("states", states, self.n_states)
        given = actions if actions is not None else [None] * self.n_players
        if len(given) != self.n_players:
            raise ValueError(f"actions name those of {len(given)} players; the game has {self.n_players}")
        self.actions = tuple(names("actions", a, n) for a, n in zip(given, self.n_actions, strict=True))
        self._check()

    @classmethod
    def from_payoffs(cls, payoffs: Any, actions: Sequence[Sequence[str]] | None = None) -> "Game":
        """Make a game of one state from what each joint action pays.

        Args:
            payoffs: (N, A_1, ..., A_N), or (A, A): what the row player of a symmetric game of two players gets.
            actions: a tuple of names for each player.

        Raises:
            ValueError: the payoffs have neither shape, or one is not finite.
        """
        table = numbers("payoffs", payoffs)
        if table.ndim == 2 and table.shape[0] == table.shape[1]:
            table = np.stack([table, table.T])
        if table.ndim < 2 or table.shape[0] != table.ndim - 1:
            raise ValueError(
                f"payoffs have shape {table.shape}; they must have (N, A_1, ..., A_N), or (A, A) if symmetric"
            )
        return cls(np.ones((1, *table.shape[1:], 1)), table[:, None, ..., None], actions=actions)

    def _check(self) -> None:
        """Refuse what is not a game.

        Raises:
            ValueError: see the class.
        """
        for place in np.argwhere(~np.isfinite(self.rewards))[:1]:
            where = f"{self._row(place[1:-1])}, next state {self.states[place[-1]]!r}"
            raise ValueError(
                f"the reward of player {place[0]} is {self.rewards[tuple(place)]} in {where}; give a number"
            )
        for place in improper(self.transitions):
            self._refuse(f"the transitions from {self._row(place)}", self.transitions[tuple(place)])
        for player, state in improper(self.observations):
            self._refuse(f"what player {player} sees of state {self.states[state]!r}", self.observations[player, state])
        for _ in improper(self.start):
            self._refuse("start", self.start)

    def _row(self, place: np.ndarray) -> str:
        joint = tuple(self.actions[player][action] for player, action in enumerate(place[1:]))
        return f"state {self.states[place[0]]!r}, joint action ({', '.join(joint)})"

    @staticmethod
    def _refuse(what: str, row: np.ndarray) -> None:
        raise ValueError(f"{what}: {row.tolist()} sum to {row.sum():g}; they must be probabilities that sum to 1")


def numbers(name: str, values: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return an array as a read-only copy, float64.

    Raises:
        ValueError: it holds something else than numbers, or has another shape.
    """
    try:
        array = np.array(values, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers, all rows of one length: {error}") from error
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name} have shape {array.shape}; they must have {shape}")
    array.setflags(write=False)
    return array


def improper(rows: np.ndarray) -> np.ndarray:
    """Return the place of the first row, along the last axis, that holds no probabilities: (0 or 1, ndim - 1)."""
    with np.errstate(invalid="ignore"):
        good = (rows >= 0).all(-1) & (np.abs(rows.sum(-1) - 1) <= CLOSE)
    return np.argwhere(~good)[:1]


def names(what: str, given: Sequence[str] | None, count: int) -> tuple[str, ...]:
    """Return names, by default numbers.

    Raises:
        ValueError: they are not as many as there are things to name.
    """
    if given is not None and len(given) != count:
        raise ValueError(f"{what} are named {tuple(given)}; {count} names are needed")
    return tuple(given) if given is not None else tuple(map(str, range(count)))
