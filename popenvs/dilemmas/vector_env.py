"""Lanes of a dilemma in which every seat is played from outside, as one Gymnasium vector environment.

A game of N players on L lanes has L * N slots: slot l * N + p is seat p of lane l. So a learner that knows nothing of
games plays all seats with one policy (SB3's PPO), and a population puts its members on them. The players of a lane
begin and end their episodes together.
"""

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from popenvs import drawing
from popenvs.dilemmas.dilemma import ROUNDS, Dilemma
from popenvs.dilemmas.game import Game
from popenvs.engine.vector import LaneVectorEnv


class Everybody(Dilemma):
    """A dilemma in which every seat is played from outside; the settings are those of `Dilemma`.

    Raises:
        ValueError: as in `Dilemma`, or the players have different numbers of actions.
    """

    def __init__(
        self,
        *,
        game: str | Game = "prisoners_dilemma",
        memory: int = 1,
        max_steps: int = ROUNDS,
        continuation: float = 1.0,
        noise: float = 0.0,
    ) -> None:
        super().__init__(game=game, memory=memory, max_steps=max_steps, continuation=continuation, noise=noise)
        if len(set(self.rules.n_actions)) > 1:
            raise ValueError(
                f"the players have {self.rules.n_actions} actions; slots need equally many. Such a game is played in "
                "social_dilemma_v0.parallel_env, where each player has an action space of its own, against a function "
                "(PopPrisonersDilemma-v0 with game= and opponent=), or solved by popagents.dynamics"
            )
        self.cooperative = all(names[0] == "cooperate" for names in self.rules.actions)

    def configure(self, games: np.ndarray, which: np.ndarray, options: dict[str, Any] | None) -> None:
        """Refuse to begin in a part of a lane.

        Raises:
            ValueError: the `reset_mask` holds some slots of a lane and others not.
        """
        lanes = which.reshape(-1, self.slots)
        if (lanes != lanes[:, :1]).any():
            raise ValueError(
                f"options['reset_mask'] is {which!r}; the {self.slots} slots of a lane begin together: it must hold "
                "all of them or none"
            )

    def outcome(self, games: np.ndarray) -> dict[str, np.ndarray]:
        """Return how often each player has cooperated in its episode, float64, one entry a slot."""
        if not self.cooperative:
            return {}
        rounds = np.repeat(games["steps"][:: self.slots], self.slots)
        return {"cooperation": games["firsts"] / np.maximum(rounds, 1)}


class SocialDilemmaVectorEnv(LaneVectorEnv):
    """A dilemma among outside players as a Gymnasium vector environment.

    Args:
        num_envs: how many slots, a multiple of the game's players.
        render_mode, max_episode_steps, autoreset_mode, copy: as in `LaneVectorEnv`.
        settings: those of `Dilemma`.

    The int seed s gives lane l the seed s + l * N; in a sequence of seeds (one a slot) each lane's first one counts. A
    `reset_mask` holds whole lanes. Where the first action means to cooperate, the infos of an episode's last step tell
    each player's `cooperation`, from 0 to 1.

    Attributes:
        seats: how many slots, one after the other, play with each other.

    Raises:
        ValueError: a setting is out of range.
    """

    game_class = Everybody
    game: Everybody
    seats: int

    def __init__(
        self,
        num_envs: int = 2,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        copy: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__(num_envs, render_mode, max_episode_steps, autoreset_mode, copy, **settings)
        self.seats = self.game.slots
        if num_envs % self.seats:
            raise ValueError(f"num_envs is {num_envs}; a game of {self.seats} players needs a multiple of {self.seats}")

    def render(self) -> tuple[Any, ...] | None:
        """Return one picture a slot, that of its lane: text (`ansi`) or (height, width, 3) uint8 (`rgb_array`)."""
        if self.render_mode is None:
            return super().render()
        draw = drawing.text if self.render_mode == "ansi" else drawing.image
        lanes = self.games.reshape(-1, self.seats)
        return tuple(picture for lane in lanes for picture in [draw(self.game.picture_of_lane(lane))] * self.seats)
