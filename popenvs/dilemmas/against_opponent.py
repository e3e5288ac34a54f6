"""Play a dilemma, round after round, against one opponent.

Both players act at once. In each round

1. the player cooperates or defects (in general: takes one of its actions), and so does the opponent;
2. each action is replaced, with probability `noise`, by another one;
3. the player gets what the game's payoffs say;
4. the episode terminates with probability 1 - `continuation`, and is cut off after `max_steps` rounds.

===========  ==========================================================================================================
Observation  Box float32, (5,): one-hot of what happened in the last round: nothing yet, both cooperated, the player did
             and the opponent did not, the other way round, neither did. In general: a place for every observation of
             the state times every history of the last `memory` joint actions.
Action       Discrete(2): 0 cooperates, 1 defects (the game's own actions, in general).
Reward       float: the game's payoff.
End          truncation after `max_steps` rounds (100); termination by chance if `continuation` is below 1.
===========  ==========================================================================================================

Source: R. Axelrod, W. Hamilton (1981), "The evolution of cooperation", Science 211; games, as tensors, after pyCRLD,
"Collective Reinforcement Learning Dynamics in Python" (W. Barfuss and contributors).
"""

from collections.abc import Callable
from functools import lru_cache, partial
from itertools import product
from typing import Any, ClassVar

import numpy as np

from popenvs.dilemmas.dilemma import ROUNDS, Dilemma, game_of
from popenvs.dilemmas.game import Game
from popenvs.dilemmas.opponents import strategy
from popenvs.dilemmas.tournament import expected_payoffs
from popenvs.engine.references import Reference, beside_references
from popenvs.engine.single import LaneEnv
from popenvs.engine.vector import LaneVectorEnv

PLAYER, OPPONENT = range(2)  # seats
Odds = tuple[float, ...]  # of cooperating, (5,)


class AgainstOpponent(Dilemma):
    """The settings of a dilemma against one opponent.

    Args:
        game: a name of `registration.games.GAMES`, or a `Game` of two players.
        opponent: a name of `popenvs.dilemmas.opponents.OPPONENTS`; five probabilities of cooperating, in the first
            round and after each joint action as the opponent sees it; or a function of (observation, random generator)
            that returns an action, called in every round.
        memory, max_steps, continuation, noise: as in `Dilemma`.

    Raises:
        ValueError: a setting is out of range, a name unknown, or the game is not for two.
    """

    keys: ClassVar[dict[str, int]] = {"up": 0, "down": 1, "c": 0, "d": 1}  # rows of the table, and initials

    def __init__(
        self,
        *,
        game: str | Game = "prisoners_dilemma",
        opponent: Any = "tit_for_tat",
        memory: int = 1,
        max_steps: int = ROUNDS,
        continuation: float = 1.0,
        noise: float = 0.0,
    ) -> None:
        rules = game_of(game)
        if rules.n_players != 2:
            raise ValueError(f"the game has {rules.n_players} players; against one opponent it must have 2")
        self._asked: Callable[..., Any] | None = opponent if callable(opponent) else None
        odds = None if callable(opponent) else strategy(opponent, rules, OPPONENT)
        super().__init__(
            game=rules,
            memory=memory,
            max_steps=max_steps,
            continuation=continuation,
            noise=noise,
            strategies={} if odds is None else {OPPONENT: odds},
        )
        self.slots = 1  # where a function is the opponent, the loop plays both seats, but the shells know one
        self._responses: dict[str, tuple[Odds, float]] = {}
        if odds is not None and rules.n_actions[PLAYER] == 2:
            self._responses = dict(responses(rules, tuple(odds), memory > 0, max_steps, noise, continuation))
        self.reference_scores = {name: score for name, (_, score) in self._responses.items()}

    def reset_lanes(self, games: np.ndarray, which: np.ndarray, observations: np.ndarray) -> None:
        """Begin an episode in the lanes where `which`."""
        if self._asked is None:
            return super().reset_lanes(games, which, observations)
        both, seen = with_opponents(games), doubled(observations)
        super().reset_lanes(both, doubled(which), seen)
        observations[:], games[:], games["other"] = seen[::2], both[::2], both["seen"][1::2]
        return None

    def step_lanes(self, games: np.ndarray, actions: np.ndarray, waiting: np.ndarray, *outputs: np.ndarray) -> None:
        """Play a round in every lane, or begin an episode in it where `waiting`."""
        if self._asked is None:
            return super().step_lanes(games, actions, waiting, *outputs)
        both, results = with_opponents(games), [doubled(output) for output in outputs]
        told = np.stack([actions, self._answers(both, waiting, results[0])], axis=1).reshape(-1)
        super().step_lanes(both, told, doubled(waiting), *results)
        for output, result in zip(outputs, results, strict=True):
            output[:] = result[::2]
        games[:], games["other"] = both[::2], both["seen"][1::2]
        return None

    def _answers(self, both: np.ndarray, waiting: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Ask the opponent of every lane for its action; its generator is a function of the lane's own stream."""
        super().reset_lanes(both, np.zeros(len(both), bool), seen)
        answers = np.zeros(len(waiting), np.int64)
        for lane in np.flatnonzero(~waiting):
            game = both[2 * lane]
            rng = np.random.default_rng([int(game.rng), int(game.steps)])
            answer = self._asked(seen[2 * lane + 1].copy(), rng)  # type: ignore[misc]
            if answer not in self.action_spaces[OPPONENT]:
                last = self.rules.n_actions[OPPONENT] - 1
                raise ValueError(f"the opponent's action is {answer!r}; it must be a whole number from 0 to {last}")
            answers[lane] = answer
        return answers

    def key_help(self) -> str:
        """Name the keys of each action; the player's actions are the rows of the picture."""
        keys = [[key for key, action in self.keys.items() if action == row] for row in range(2)]
        names = zip(keys, self.rules.actions[PLAYER], strict=False)
        return "your row:   " + "   ".join(f"{' or '.join(pressed)}: {name}" for pressed, name in names)

    def report(self, returns: list[float], rewards: list[list[float]]) -> str:
        """Write what a round paid on average, unfinished episodes included, among what it pays the references."""
        rounds = sum(float(self.blank["continuation"][0]) ** t for t in range(int(self.blank["max_steps"][0])))
        scores = {name: score / rounds for name, score in self.reference_scores.items()}
        return "a round paid, on average\n" + beside_references([pay for episode in rewards for pay in episode], scores)

    def references(self) -> dict[str, Reference]:
        """Return the policies behind `reference_scores`, each a function of (observation, random generator)."""
        codes = self.tables.strategies.shape[1]
        return {name: partial(follow, odds=odds, codes=codes) for name, (odds, _) in self._responses.items()}


@lru_cache(maxsize=64)
def responses(
    game: Game, opponent: Odds, remembers: bool, rounds: int, noise: float, continuation: float
) -> tuple[tuple[str, tuple[Odds, float]], ...]:
    """Return strategies against an opponent and their mean returns, the best last: (name, (probabilities, return)).

    The best of those that remember one round is found among the 32 that toss no coin.
    """

    def score(odds: Odds) -> float:
        return float(expected_payoffs(game, (odds, opponent), rounds, noise, continuation)[PLAYER])

    found: dict[str, Odds] = {"random": (0.5,) * 5, "always defect": (0.0,) * 5, "always cooperate": (1.0,) * 5}
    if remembers:
        found["best memory-one"] = max(product((1.0, 0.0), repeat=5), key=lambda odds: round(score(odds), 9))
    return tuple(sorted(((name, (odds, score(odds))) for name, odds in found.items()), key=lambda row: row[1][1]))


def follow(observation: np.ndarray, rng: np.random.Generator, odds: Any, codes: int) -> int:
    """Act by a strategy that remembers one round."""
    place = int(observation.argmax())
    return int(rng.random() >= odds[place % codes if len(observation) >= codes else 0])


def with_opponents(games: np.ndarray) -> np.ndarray:
    """Return the records of lanes of two slots, the second being the opponent's."""
    both = doubled(games)
    both["seen"][1::2] = games["other"]
    return both


def doubled(rows: np.ndarray) -> np.ndarray:
    """Return every row twice, one after the other."""
    return np.repeat(rows, 2, axis=0)


class DilemmaEnv(LaneEnv):
    """A dilemma against an opponent as a Gymnasium environment; the settings are those of `AgainstOpponent`."""

    game_class = AgainstOpponent


class DilemmaVectorEnv(LaneVectorEnv):
    """A dilemma against an opponent as a Gymnasium vector environment; the settings are those of `AgainstOpponent`."""

    game_class = AgainstOpponent
