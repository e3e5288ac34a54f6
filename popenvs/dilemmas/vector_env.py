"""Lanes of a dilemma in which every seat is played from outside, as one Gymnasium vector environment.

A game of N players on L lanes has L * N slots: slot l * N + p is seat p of lane l. So a learner that knows nothing of
games plays all seats with one policy (SB3's PPO), and a population puts its members on them. The players of a lane
begin and end their episodes together.
"""

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from popenvs import drawing
from popenvs.dilemmas.game import Game
from popenvs.dilemmas.rules import ROUNDS, Dilemma
from popenvs.lanes import LaneVectorEnv


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
                f"the players have {self.rules.n_actions} actions; slots need equally many: use parallel_env, where "
                "each player has an action space of its own"
            )


class SocialDilemmaVectorEnv(LaneVectorEnv):
    """A dilemma among outside players as a Gymnasium vector environment.

    Args:
        num_envs: how many slots, a multiple of the game's players.
        render_mode, max_episode_steps, autoreset_mode, copy: as in `LaneVectorEnv`.
        settings: those of `Dilemma`.

    The int seed s gives lane l the seed s + l * N; in a sequence of seeds (one a slot) each lane's first one counts. A
    `reset_mask` holds whole lanes. `metadata["seats"]` tells how many slots play with each other. Where the first
    action means to cooperate, the infos of an episode's last step tell each player's `cooperation`, from 0 to 1.

    Raises:
        ValueError: a setting is out of range.
    """

    game_class = Everybody
    game: Everybody

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
        self.metadata = {**self.metadata, "seats": self.seats}
        self._cooperative = all(names[0] == "cooperate" for names in self.game.rules.actions)

    def render(self) -> tuple[Any, ...] | None:
        """Return one picture a slot, that of its lane: text (`ansi`) or (height, width, 3) uint8 (`rgb_array`)."""
        if self.render_mode is None:
            return super().render()
        draw = drawing.text if self.render_mode == "ansi" else drawing.image
        lanes = self._games.reshape(-1, self.seats)
        return tuple(picture for lane in lanes for picture in [draw(self.game.picture_of_lane(lane))] * self.seats)

    def _ended(self, observations: np.ndarray, infos: dict[str, Any]) -> dict[str, Any]:
        outcome = self._outcome() if self._cooperative else {}
        infos = super()._ended(observations, infos)
        return {**infos, "final_info": outcome} if "final_info" in infos else infos | outcome

    def _outcome(self) -> dict[str, Any]:
        """Return how often each player of a lane that is over has cooperated, as `SyncVectorEnv` batches infos."""
        rounds = np.repeat(self._games["steps"][:: self.seats], self.seats)
        rates = np.where(self._over, self._games["firsts"] / np.maximum(rounds, 1), 0.0)
        return {"cooperation": rates, "_cooperation": self._over.copy()}

    def _which(self, options: dict[str, Any] | None) -> np.ndarray:
        which = super()._which(options)
        lanes = which.reshape(-1, self.seats)
        if (lanes != lanes[:, :1]).any():
            raise ValueError(
                f"options['reset_mask'] is {which!r}; the {self.seats} slots of a lane begin together: it must hold "
                "all of them or none"
            )
        return which
