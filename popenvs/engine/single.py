"""The Gymnasium shell around one lane of any game's rules.

It is an array of one record, stepped by the same compiled loops as the vector environment (`popenvs.engine.vector`).
"""

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded

from popenvs import drawing
from popenvs.engine.actions import whole_action
from popenvs.engine.game import LaneGame
from popenvs.engine.random_stream import seeded
from popenvs.engine.settings import lane_seed, one_of
from popenvs.engine.state import LaneState, fitting_state

ALWAYS, NEVER = np.ones(1, bool), np.zeros(1, bool)


class LaneEnv(gym.Env[np.ndarray, Any]):
    """One lane of a game as a Gymnasium environment.

    Subclasses name their game; every keyword but `render_mode` is a setting of it.

    Attributes:
        game: the game and its settings.
        games: (1,), the game's record.
        over: (1,) bool, whether no episode is running.
    """

    game_class: ClassVar[type[LaneGame]]
    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array", "human"], "render_fps": 8}  # noqa: RUF012

    def __init__(self, render_mode: str | None = None, **settings: Any) -> None:
        if render_mode is not None:
            one_of("render_mode", render_mode, self.metadata["render_modes"])
        self.render_mode = render_mode
        self.game = self.game_class(**settings)
        self.metadata = {**self.metadata, "reference_scores": self.game.reference_scores}
        self.observation_space = self.game.observation_space
        self.action_space = self.game.action_space
        self._n_actions = int(self.game.action_space.n)
        self._shape, self._dtype = self.game.observation_space.shape, self.game.observation_space.dtype
        self.games = self.game.blank.copy()
        self._seeded = False
        self.over = np.ones(1, bool)  # no episode is running
        self._action = np.zeros(1, np.int64)
        self._reward = np.zeros(1)
        self._terminated = np.zeros(1, bool)
        self._truncated = np.zeros(1, bool)
        self._window: drawing.Window | None = None
        self._shown: bytes | None = None  # the game that the window shows

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode; without a seed the lane's random stream goes on from where it is."""
        stream = None if seed is None else seeded(lane_seed(seed))  # a bad seed is refused before anything changes
        self.game.configure(self.games, ALWAYS, options)
        if stream is not None:
            self.games["rng"] = stream
            super().reset(seed=int(seed))  # type: ignore[arg-type]
        elif not self._seeded:
            self.games["rng"] = self.np_random.integers(2**64, size=1, dtype=np.uint64)
        self._seeded = True
        observation = self._blank_observation()
        self.game.reset_lanes(self.games, ALWAYS, observation.reshape(1, -1))
        self.over[0] = False
        if self.render_mode == "human":
            self.render()
        return observation, first_rows(self.game.info(self.games))

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Play one step.

        Raises:
            ResetNeeded: no episode is running.
            ValueError: the action is not in the action space; the game is unchanged.
        """
        if self.over[0]:
            raise ResetNeeded("step() was called while no episode is running; call reset() first")
        self._action[0] = whole_action("action", action, self._n_actions)
        observation = self._blank_observation()
        seen = observation.reshape(1, -1)
        self.game.step_lanes(self.games, self._action, NEVER, seen, self._reward, self._terminated, self._truncated)
        terminated, truncated = self._terminated.item(), self._truncated.item()
        self.over[0] = over = terminated or truncated
        if self.render_mode == "human":
            self.render()
        info = self.game.info(self.games)
        if over:
            info = info | self.game.outcome(self.games)
        return observation, self._reward.item(), terminated, truncated, first_rows(info) if info else {}

    def render(self) -> Any:
        """Return the picture as text (`ansi`) or as (height, width, 3) uint8 (`rgb_array`), or show it (`human`)."""
        if self.render_mode is None:
            gym.logger.warn(
                "render() was called on an environment made without a render_mode; for example "
                'gym.make(id, render_mode="rgb_array") draws'
            )
            return None
        picture = self.game.picture(self.games[0])
        if self.render_mode == "ansi":
            return drawing.text(picture)
        if self.render_mode == "rgb_array":
            return drawing.image(picture)
        if self._shown == self.games.tobytes():
            return None  # a second call, as RL Zoo makes it, must not wait for a second frame
        self._shown = self.games.tobytes()
        if self._window is None:
            self._window = drawing.Window(self.spec.id if self.spec else self.game_class.__name__)
        self._window.show(picture, self.metadata["render_fps"])
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()
            self._window = self._shown = None

    def clone_state(self) -> LaneState:
        """Copy the state, the step count and the random stream."""
        return LaneState(self.games, self.over, self._seeded).copy()

    def restore_state(self, state: LaneState) -> None:
        """Go back to a state that `clone_state` copied; it may be restored any number of times.

        Raises:
            ValueError: it is the state of another game, or of other settings.
        """
        self.games, self.over, self._seeded = fitting_state(state, self.game, self.games)

    def get_keys_to_action(self) -> dict[tuple[int, ...], int]:
        """Map pygame keys to actions, for `gymnasium.utils.play`."""
        return {(drawing.key_code(key),): action for key, action in self.game.keys.items()}

    def __getstate__(self) -> dict[str, Any]:
        """Leave the window behind: a copy opens its own."""
        return {**self.__dict__, "_window": None, "_shown": None}

    def _blank_observation(self) -> np.ndarray:
        return np.empty(self._shape, self._dtype)


def first_rows(table: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the only game's entries."""
    return {key: rows[0] for key, rows in table.items()}
