"""A dilemma as a PettingZoo environment in which all players act at once.

=============  ========================================================================================================
Agents         player_0 to player_{N-1}.
Observation    Box float32, one-hot: a place for every observation of the game's state times every history of the last
               `memory` joint actions, as the player sees them (its own action first; nothing before the first round).
Action         Discrete: the game's; 0 cooperates, 1 defects.
Reward         float: the game's payoff.
State          Box float32, one-hot: a place for every state of the game times every history, as player_0 sees that.
Info           `joint_action`, what everybody did (after slips of the hand): int64, (N,).
End            truncation of all after `max_cycles` rounds (100); termination of all with probability 1 -
               `continuation` after each round.
=============  ========================================================================================================
"""

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from pettingzoo import ParallelEnv

from popenvs import drawing
from popenvs.dilemmas.dilemma import ROUNDS, Dilemma
from popenvs.dilemmas.game import Game
from popenvs.engine.actions import whole_action
from popenvs.engine.random_stream import seeded
from popenvs.engine.settings import NO_LIMIT, lane_seed, one_of, whole_number

Infos = dict[str, dict[str, Any]]


class SocialDilemmaParallelEnv(ParallelEnv[str, np.ndarray, int]):
    """A dilemma among agents.

    Args:
        game: a name of `registration.games.GAMES`, or a `Game`.
        max_cycles: rounds of an episode.
        memory, continuation, noise: as in `popenvs.dilemmas.dilemma.Dilemma`.
        render_mode: "ansi" returns everybody's history as letters, "rgb_array" draws the payoffs and the cell just
            played, "human" shows that in a window.

    Raises:
        ValueError: a setting is out of range, or there is no such game.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "social_dilemma_v0",
        "render_modes": ["ansi", "rgb_array", "human"],
        "render_fps": 4,
        "is_parallelizable": True,
    }

    def __init__(
        self,
        game: str | Game = "prisoners_dilemma",
        max_cycles: int = ROUNDS,
        memory: int = 1,
        continuation: float = 1.0,
        noise: float = 0.0,
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None:
            one_of("render_mode", render_mode, self.metadata["render_modes"])
        self.render_mode = render_mode
        self.max_cycles = whole_number("max_cycles", max_cycles, 1, NO_LIMIT)
        self.game = Dilemma(game=game, memory=memory, max_steps=max_cycles, continuation=continuation, noise=noise)
        players = self.game.slots
        self.possible_agents = [f"player_{player}" for player in range(players)]
        self.agents: list[str] = []
        box = self.game.observation_space
        self.observation_spaces = {name: spaces.Box(0, 1, box.shape, np.float32) for name in self.possible_agents}
        self.action_spaces = dict(zip(self.possible_agents, self.game.action_spaces, strict=True))
        self.state_space = spaces.Box(0, 1, (self.game.rules.n_states * self.game.tables.own.shape[1],), np.float32)
        self.np_random = np.random.default_rng()
        self._games = np.repeat(self.game.blank, players)
        self._seeded = False
        self._actions = np.zeros(players, np.int64)
        self._rewards = np.zeros(players)
        self._over = np.zeros((2, players), bool)  # terminated, truncated
        self._always, self._never = np.ones(players, bool), np.zeros(players, bool)
        self._window: drawing.Window | None = None

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Return what an agent may see; always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Return what an agent may do; always the same object."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], Infos]:
        """Begin an episode; without a seed the random stream goes on from where it is.

        Raises:
            ValueError: the seed is not a whole number from 0 to 2**64 - 1.
        """
        if seed is not None:
            stream = seeded(lane_seed(seed))
            self.np_random = np.random.default_rng(seed)
            self._games["rng"] = stream
        elif not self._seeded:
            self._games["rng"] = self.np_random.integers(2**64, dtype=np.uint64)
        self._seeded = True
        observations = self._blank_observations()
        self.game.reset_lanes(self._games, self._always, observations)
        self.agents = list(self.possible_agents)
        self._show()
        return dict(zip(self.agents, observations, strict=True)), {agent: {} for agent in self.agents}

    def step(
        self, actions: dict[str, int]
    ) -> tuple[dict[str, np.ndarray], dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Play one round; after the last one nobody is left, and `{}` returns five empty dicts.

        Raises:
            ResetNeeded: no episode is running, and there are actions, or there has been no reset.
            ValueError: an agent is missing or unknown, or its action is not in its space; the game is unchanged.
        """
        if not self.agents and self._seeded and actions == {}:
            return {}, {}, {}, {}, {}
        if not self.agents:
            raise ResetNeeded("step() was called while no episode is running; call reset() first")
        self._actions[:] = self._checked(actions)
        observations = self._blank_observations()
        self.game.step_lanes(self._games, self._actions, self._never, observations, self._rewards, *self._over)
        agents, joint = self.agents, self.game.last_joint_action(self._games[0])
        terminated, truncated = self._over[:, 0].tolist()
        if terminated or truncated:
            self.agents = []
        self._show()
        return (
            dict(zip(agents, observations, strict=True)),
            dict(zip(agents, self._rewards.tolist(), strict=True)),
            dict.fromkeys(agents, terminated),
            dict.fromkeys(agents, truncated),
            {agent: {"joint_action": joint.copy()} for agent in agents},
        )

    def state(self) -> np.ndarray:
        """Return the game's true state and what has happened, as one-hot float32."""
        state, history = int(self._games["state"][0]), int(self._games["history"][0])
        place: np.ndarray = np.zeros(self.state_space.shape, np.float32)
        place[state * self.game.tables.own.shape[1] + history] = 1
        return place

    def render(self) -> Any:
        """Return text (`ansi`) or (height, width, 3) uint8 (`rgb_array`), or show that in a window (`human`)."""
        if self.render_mode is None:
            gym.logger.warn("render() was called on an environment made without a render_mode")
            return None
        picture = self.game.picture_of_lane(self._games)
        if self.render_mode != "human":
            return drawing.text(picture) if self.render_mode == "ansi" else drawing.image(picture)
        if self._window is None:
            self._window = drawing.Window(self.metadata["name"])
        self._window.show(picture, self.metadata["render_fps"])
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the window behind: a copy opens its own."""
        return {**self.__dict__, "_window": None}

    def _show(self) -> None:
        if self.render_mode == "human":
            self.render()

    def _blank_observations(self) -> np.ndarray:
        return np.empty((self.game.slots, *self.game.observation_space.shape), np.float32)

    def _checked(self, actions: dict[str, Any]) -> list[int]:
        """Return everybody's action, in the order of the agents."""
        if actions.keys() != self.action_spaces.keys():
            missing = [agent for agent in self.possible_agents if agent not in actions]
            unknown = [agent for agent in actions if agent not in self.action_spaces]
            raise ValueError(
                f"actions miss {missing} and name {unknown}, who do not play; they must be a dict with an action for "
                f"each of {', '.join(self.possible_agents)}"
            )
        return [
            whole_action(f"the action of {agent}", actions[agent], n)
            for agent, n in zip(self.possible_agents, self.game.rules.n_actions, strict=True)
        ]
