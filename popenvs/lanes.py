"""Two Gymnasium shells around any game's rules: one lane (`LaneEnv`) or many in lockstep (`LaneVectorEnv`).

A game keeps everything it remembers (settings, state, steps, score, random stream) in one record of a NumPy structured
dtype; an array of records is a vector environment and row i is lane i. Both shells run the same compiled loops, so lane
i of a vector environment seeded s is, bit for bit, the single environment seeded s + i.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numba import njit

from popenvs import drawing
from popenvs.lane_game import LaneGame, lane_seed, one_of, whole_number
from popenvs.stream import seeded


class LaneState(NamedTuple):
    """A copy of all that changes in a shell: records (with their streams), which lanes are over, whether seeded."""

    games: np.ndarray
    over: np.ndarray
    seeded: bool


class LaneEnv(gym.Env[np.ndarray, Any]):
    """One lane of a game as a Gymnasium environment.

    Subclasses name their game; every keyword but `render_mode` is a setting of it.
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
        self._games = self.game.blank.copy()
        self._seeded = False
        self._over = np.ones(1, bool)  # no episode is running
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
        self.game.configure(self._games, ALWAYS, options)
        if stream is not None:
            self._games["rng"] = stream
            super().reset(seed=int(seed))  # type: ignore[arg-type]
        elif not self._seeded:
            self._games["rng"] = self.np_random.integers(2**64, size=1, dtype=np.uint64)
        self._seeded = True
        observation = self._blank_observation()
        self.game.reset_lanes(self._games, ALWAYS, observation.reshape(1, -1))
        self._over[0] = False
        if self.render_mode == "human":
            self.render()
        return observation, {key: rows[0] for key, rows in self.game.info(self._games).items()}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Play one step.

        Raises:
            ResetNeeded: no episode is running.
            ValueError: the action is not in the action space; the game is unchanged.
        """
        if self._over[0]:
            raise ResetNeeded("step() was called while no episode is running; call reset() first")
        self._action[0] = self._checked(action)
        observation = self._blank_observation()
        self.game.step_lanes(
            self._games,
            self._action,
            NEVER,
            observation.reshape(1, -1),
            self._reward,
            self._terminated,
            self._truncated,
        )
        terminated, truncated = self._terminated.item(), self._truncated.item()
        self._over[0] = terminated or truncated
        if self.render_mode == "human":
            self.render()
        return observation, self._reward.item(), terminated, truncated, {}

    def render(self) -> Any:
        """Return the picture as text (`ansi`) or as (height, width, 3) uint8 (`rgb_array`), or show it (`human`)."""
        if self.render_mode is None:
            gym.logger.warn(
                "render() was called on an environment made without a render_mode; for example "
                'gym.make(id, render_mode="rgb_array") draws'
            )
            return None
        picture = self.game.picture(self._games[0])
        if self.render_mode == "ansi":
            return drawing.text(picture)
        if self.render_mode == "rgb_array":
            return drawing.image(picture)
        if self._shown == self._games.tobytes():
            return None  # a second call, as RL Zoo makes it, must not wait for a second frame
        self._shown = self._games.tobytes()
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
        return LaneState(self._games.copy(), self._over.copy(), self._seeded)

    def restore_state(self, state: LaneState) -> None:
        """Go back to a state that `clone_state` copied; it may be restored any number of times."""
        self._games = state.games.copy()
        self._over = state.over.copy()
        self._seeded = state.seeded

    def get_keys_to_action(self) -> dict[tuple[int, ...], int]:
        """Map pygame keys to actions, for `gymnasium.utils.play`."""
        return {(drawing.key_code(key),): action for key, action in self.game.keys.items()}

    def __getstate__(self) -> dict[str, Any]:
        """Leave the window behind: a copy opens its own."""
        return {**self.__dict__, "_window": None, "_shown": None}

    def _blank_observation(self) -> np.ndarray:
        space = self.game.observation_space
        return np.empty(space.shape, space.dtype)

    def _checked(self, action: Any) -> int:
        try:
            number = action.__index__()  # ints, NumPy integers and 0-d integer arrays have one; floats do not
        except (AttributeError, TypeError):
            number = -1
        if 0 <= number < self._n_actions:
            return number
        raise ValueError(f"action is {action!r}; it must be a whole number from 0 to {self._n_actions - 1}")


class LaneVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """Many lanes of a game in lockstep, stepped by one compiled loop.

    Args:
        num_envs: how many lanes.
        render_mode: as in the single environment, `human` excepted; `render` returns one picture a lane.
        max_episode_steps: shortens the game's own `max_steps` (Gymnasium's `make_vec` hands it on).
        autoreset_mode: Gymnasium's three modes, as a member of `AutoresetMode` or its value.
        copy: False returns the same arrays at every step, overwritten by the next.
        settings: the game's own.
    """

    game_class: ClassVar[type[LaneGame]]
    metadata: dict[str, Any] = {  # noqa: RUF012
        "render_modes": ["ansi", "rgb_array"],
        "render_fps": 8,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        copy: bool = True,
        **settings: Any,
    ) -> None:
        if render_mode is not None:
            one_of("render_mode", render_mode, self.metadata["render_modes"])
        self.num_envs = whole_number("num_envs", num_envs, 1, 2**31 - 1)
        self.render_mode = render_mode
        mode = getattr(autoreset_mode, "value", autoreset_mode)
        self.autoreset_mode = AutoresetMode(one_of("autoreset_mode", mode, MODES))
        self.copy = copy
        self.game = self.game_class(**settings)
        self.metadata = {
            **self.metadata,
            "autoreset_mode": self.autoreset_mode,
            "reference_scores": self.game.reference_scores,
        }
        self.single_observation_space = self.game.observation_space
        self.single_action_space = self.game.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._n_actions = int(self.single_action_space.n)
        self._games = np.repeat(self.game.blank, num_envs)
        if max_episode_steps is not None:
            limit = whole_number("max_episode_steps", max_episode_steps, 1, 2**31 - 1)
            self._games["max_steps"] = np.minimum(self._games["max_steps"], limit)
        self._never = np.zeros(num_envs, bool)
        self._over = np.ones(num_envs, bool)  # lanes in which no episode is running
        self._seeded = False
        self._buffers = self._allocate()

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode in every lane, or in those of `options["reset_mask"]` (bool, (lanes,)).

        Args:
            seed: an int s gives lane i the seed s + i; a sequence gives each lane its own; None keeps its stream.
            options: `reset_mask`, masked-out lanes staying as they are, and those of the game.

        Raises:
            TypeError, ValueError: the mask or the seeds have the wrong shape, type or range.
        """
        which = self._which(options)
        given, streams = self._streams(seed, which)  # bad seeds are refused before anything changes
        self.game.configure(self._games, which, options)
        if not self._seeded:
            self._games["rng"] = self.np_random.integers(2**64, size=self.num_envs, dtype=np.uint64)
            self._seeded = True
        if isinstance(seed, (int, np.integer)):
            super().reset(seed=int(seed))
        self._games["rng"][given] = streams
        observations = self._outputs()[0]
        self.game.reset_lanes(self._games, which, observations.reshape(self.num_envs, -1))
        self._over = self._over & ~which
        return observations, self._begun(which)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Play one step in every lane.

        Returns:
            observations (lanes, ...), rewards float64, terminated and truncated bool (lanes,), infos.

        Raises:
            ResetNeeded: before the first reset, or in DISABLED mode while a lane's episode is over.
            ValueError: an action is outside the action space; the games are unchanged.
        """
        if not self._seeded:
            raise ResetNeeded("step() was called before reset(); call reset() first")
        actions = self._checked(actions)
        waiting = self._never
        if np.count_nonzero(self._over):  # a tenth of any()'s time
            waiting = self._waiting()
        outputs = observations, rewards, terminated, truncated = self._outputs()
        self.game.step_lanes(self._games, actions, waiting, observations.reshape(self.num_envs, -1), *outputs[1:])
        self._over = either(terminated, truncated)
        infos = {} if waiting is self._never else self._begun(waiting)
        if np.count_nonzero(self._over):
            infos = self._ended(observations, infos)
        return observations, rewards, terminated, truncated, infos

    def render(self) -> tuple[Any, ...] | None:
        """Return one picture a lane: text (`ansi`) or (height, width, 3) uint8 (`rgb_array`)."""
        if self.render_mode is None:
            gym.logger.warn("render() was called on a vector environment made without a render_mode")
            return None
        draw = drawing.text if self.render_mode == "ansi" else drawing.image
        return tuple(draw(self.game.picture(game)) for game in self._games)

    def clone_state(self) -> LaneState:
        """Copy every lane's state, step count and random stream."""
        return LaneState(self._games.copy(), self._over.copy(), self._seeded)

    def restore_state(self, state: LaneState) -> None:
        """Go back to a state that `clone_state` copied; it may be restored any number of times."""
        self._games = state.games.copy()
        self._over = state.over.copy()
        self._seeded = state.seeded

    def _allocate(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        n, space = self.num_envs, self.game.observation_space
        observations = np.empty((n, *space.shape), space.dtype)
        return observations, np.empty(n), np.empty(n, bool), np.empty(n, bool)

    def _outputs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        return self._allocate() if self.copy else self._buffers

    def _which(self, options: dict[str, Any] | None) -> np.ndarray:
        if not options or "reset_mask" not in options:
            return np.ones(self.num_envs, bool)
        mask = options["reset_mask"]
        if isinstance(mask, np.ndarray) and mask.dtype == bool and mask.shape == (self.num_envs,) and mask.any():
            return np.ascontiguousarray(mask)
        raise ValueError(
            f"options['reset_mask'] is {mask!r}; it must be a bool array of shape ({self.num_envs},) with a True in it"
        )

    def _streams(self, seed: int | Sequence[int | None] | None, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return in which lanes a new random stream begins, bool, and the states in which these begin, uint64."""
        if seed is None:
            return self._never, seeded([])
        if isinstance(seed, (int, np.integer)):
            first, _ = lane_seed(seed), lane_seed(seed + self.num_envs - 1)
            seed = range(first, first + self.num_envs)
        seeds = list(seed)
        if len(seeds) != self.num_envs:
            raise ValueError(f"seed holds {len(seeds)} seeds; {self.num_envs} lanes need one each")
        numbers = np.array(seeds)
        if numbers.dtype.kind in "iu" and (numbers >= 0).all():  # a tenth of the time of one by one
            return which, seeded(numbers[which])
        given = np.array([s is not None for s in seeds]) & which
        return given, seeded([lane_seed(s) for s, use in zip(seeds, given, strict=True) if use])

    def _checked(self, actions: Any) -> np.ndarray:
        given = np.asarray(actions)
        if given.shape == (self.num_envs,) and given.dtype.kind in "iu":
            whole = np.ascontiguousarray(given, np.int64)  # strided arrays would be compiled for anew
            if all_below(whole, self._n_actions):
                return whole
        raise ValueError(
            f"actions are {actions!r}; they must be {self.num_envs} whole numbers from 0 to {self._n_actions - 1}"
        )

    def _waiting(self) -> np.ndarray:
        if self.autoreset_mode is AutoresetMode.NEXT_STEP:
            return self._over
        raise ResetNeeded(
            f"no episode is running in lanes {np.flatnonzero(self._over).tolist()}, and autoreset_mode "
            f"{self.autoreset_mode.value!r} begins none in a step; call reset(options={{'reset_mask': those}}) first"
        )

    def _ended(self, observations: np.ndarray, infos: dict[str, Any]) -> dict[str, Any]:
        """Return the infos of a step with which episodes have ended; in SAME_STEP mode the next ones begin."""
        return self._begin_again(observations) if self.autoreset_mode is AutoresetMode.SAME_STEP else infos

    def _begin_again(self, observations: np.ndarray) -> dict[str, Any]:
        """Begin the next episode of every lane that is over; what it ended with goes into the infos."""
        which, self._over = self._over, np.zeros(self.num_envs, bool)
        last = np.full(self.num_envs, None, dtype=object)
        for lane in np.flatnonzero(which):
            last[lane] = observations[lane].copy()
        self.game.reset_lanes(self._games, which, observations.reshape(self.num_envs, -1))
        ended = {"final_obs": last, "_final_obs": which, "final_info": {}, "_final_info": which.copy()}
        return ended | self._begun(which)

    def _begun(self, which: np.ndarray) -> dict[str, Any]:
        """Return the infos of the lanes in which an episode has begun, as `SyncVectorEnv` batches them."""
        infos: dict[str, Any] = {}
        for key, rows in self.game.info(self._games).items():
            rows[~which] = 0
            infos |= {key: rows, f"_{key}": which.copy()}
        return infos


# NumPy's own loops take 5 us longer where they alternate with compiled code: together a quarter of a game's step.


@njit(cache=True)
def all_below(numbers: np.ndarray, n: int) -> bool:
    """Tell whether all numbers, int64, lie from 0 to n - 1."""
    outside = 0
    for number in numbers:
        outside += int(number < 0) + int(number >= n)
    return outside == 0


@njit(cache=True)
def either(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a or b, bool, element by element."""
    out = np.empty(len(a), np.bool_)
    for i in range(len(a)):
        out[i] = a[i] | b[i]
    return out


MODES = [mode.value for mode in AutoresetMode]
ALWAYS = np.ones(1, bool)
NEVER = np.zeros(1, bool)
