"""A game as the dynamics read it: joint actions are numbered, and all players' actions padded to the same number.

Read from any object with `transitions` (..., S, A_1, ..., A_N, S), `rewards` (..., N, S, A_1, ..., A_N, S) and
`observations` (N, S, O); all but the last may carry batch axes in front.
"""

from typing import Any

import numpy as np

CLOSE = 1e-6  # tolerance of sums of probabilities


class Tensors:
    """The arrays of a game, joint actions flattened to J = A_1 ... A_N.

    Attributes:
        transitions: (..., S, J, S).
        rewards: (..., N, S, J), averaged over the next state.
        observations: (N, S, O).
        actions: int64, (J, N): each player's action in a joint action.
        available: bool, (N, A): the actions that a player has, of A = max A_i.
        batch: the batch axes of transitions and rewards together.

    Raises:
        ValueError: shapes do not fit each other, a number is not finite, or a row of probabilities does not sum to one.
    """

    def __init__(self, game: Any) -> None:
        transitions, rewards, observations = (
            np.asarray(getattr(game, name), np.float64) for name in ("transitions", "rewards", "observations")
        )
        check_shapes(transitions, rewards, observations)
        check_numbers(transitions, rewards, observations)
        n, states = observations.shape[:2]
        counts = transitions.shape[-n - 1 : -1]
        self.n_players, self.n_states, self.n_observations = observations.shape
        self.actions = np.indices(counts).reshape(n, -1).T.copy()
        self.available = np.arange(max(counts)) < np.array(counts)[:, None]
        paid = np.einsum("...t,...t->...", np.expand_dims(transitions, -n - 3), rewards)
        self.transitions = transitions.reshape(*transitions.shape[: -n - 2], states, -1, states)
        self.rewards = paid.reshape(*paid.shape[: -n - 2], n, states, -1)
        self.observations = observations
        self.batch = self.rewards.shape[:-3]


def check_shapes(transitions: np.ndarray, rewards: np.ndarray, observations: np.ndarray) -> None:
    """Refuse arrays whose shapes are not a game's.

    Raises:
        ValueError: see `Tensors`.
    """
    if observations.ndim != 3 or 0 in observations.shape:
        raise ValueError(f"observations have shape {observations.shape}; they must have (N, S, O)")
    n, states, _ = observations.shape
    shape = transitions.shape[-n - 2 :]
    if len(shape) < n + 2 or not shape[0] == shape[-1] == states or 0 in shape:
        raise ValueError(
            f"transitions have shape {transitions.shape}; for the {n} players and {states} states of observations "
            f"they must have (..., {states}, {', '.join(f'A_{i + 1}' for i in range(n))}, {states})"
        )
    if rewards.shape[-n - 3 :] != (n, *shape):
        raise ValueError(
            f"rewards have shape {rewards.shape}; they must have (..., {', '.join(map(str, (n, *shape)))})"
        )


def check_numbers(transitions: np.ndarray, rewards: np.ndarray, observations: np.ndarray) -> None:
    """Refuse probabilities that are none, and rewards that are not finite.

    Raises:
        ValueError: see `Tensors`.
    """
    for name, table in (("transitions", transitions), ("observations", observations)):
        if not (abs(table.sum(-1) - 1) <= CLOSE).all() or not (table >= 0).all():
            raise ValueError(f"{name} hold a row that is no probability distribution; each must be >= 0 and sum to 1")
    if not np.isfinite(rewards).all():
        raise ValueError("rewards hold a number that is not finite; give every outcome a finite reward")
