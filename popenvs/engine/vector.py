"""The Gymnasium vector shell around any game's rules: many lanes in lockstep.

A game keeps everything it remembers (settings, state, steps, score, random stream) in one record of a NumPy structured
dtype; an array of records is a vector environment and row i is lane i. Lane i of a vector environment seeded s is, bit
for bit, the single environment seeded s + i.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from popenvs import drawing
from popenvs.engine.actions import whole_actions
from popenvs.engine.game import LaneGame
from popenvs.engine.random_stream import seeded
from popenvs.engine.settings import lane_seed, one_of, whole_number
from popenvs.engine.state import LaneState, fitting_state

MODES = [mode.value for mode in AutoresetMode]


class LaneVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """Many lanes of a game in lockstep, stepped by one compiled loop.

    Args:
        num_envs: how many lanes.
        render_mode: as in the single environment, `human` excepted; `render` returns one picture a lane.
        max_episode_steps: shortens the game's own `max_steps` (Gymnasium's `make_vec` hands it on).
        autoreset_mode: Gymnasium's three modes, as a member of `AutoresetMode` or its value.
        copy: False returns the same arrays at every step, overwritten by the next.
        settings: the game's own.

    Attributes:
        game: the game and its settings.
        games: (lanes,), the records.
        over: (lanes,) bool, lanes in which no episode is running.
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
        self._shape = (num_envs, *self.game.observation_space.shape)
        self._dtype = self.game.observation_space.dtype
        self.games = np.repeat(self.game.blank, num_envs)
        if max_episode_steps is not None:
            limit = whole_number("max_episode_steps", max_episode_steps, 1, 2**31 - 1)
            self.games["max_steps"] = np.minimum(self.games["max_steps"], limit)
        self._never = np.zeros(num_envs, bool)
        self.over = np.ones(num_envs, bool)  # lanes in which no episode is running
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
        self.game.configure(self.games, which, options)
        if not self._seeded:
            self.games["rng"] = self.np_random.integers(2**64, size=self.num_envs, dtype=np.uint64)
            self._seeded = True
        if isinstance(seed, (int, np.integer)):
            super().reset(seed=int(seed))
        self.games["rng"][given] = streams
        observations = self._outputs()[0]
        self.game.reset_lanes(self.games, which, observations.reshape(self.num_envs, -1))
        self.over = self.over & ~which
        return observations, self._batched(self.game.info, which)

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
        actions = whole_actions(actions, self.num_envs, self._n_actions)
        waiting = self._never
        if np.count_nonzero(self.over):  # a tenth of any()'s time
            waiting = self._waiting()
        outputs = observations, rewards, terminated, truncated = self._outputs()
        self.game.step_lanes(self.games, actions, waiting, observations.reshape(self.num_envs, -1), *outputs[1:])
        self.over = terminated | truncated
        infos = {} if waiting is self._never else self._batched(self.game.info, waiting)
        if np.count_nonzero(self.over):
            infos = self._ended(observations, infos)
        return observations, rewards, terminated, truncated, infos

    def render(self) -> tuple[Any, ...] | None:
        """Return one picture a lane: text (`ansi`) or (height, width, 3) uint8 (`rgb_array`)."""
        if self.render_mode is None:
            gym.logger.warn("render() was called on a vector environment made without a render_mode")
            return None
        draw = drawing.text if self.render_mode == "ansi" else drawing.image
        return tuple(draw(self.game.picture(game)) for game in self.games)

    def clone_state(self) -> LaneState:
        """Copy every lane's state, step count and random stream."""
        return LaneState(self.games, self.over, self._seeded).copy()

    def restore_state(self, state: LaneState) -> None:
        """Go back to a state that `clone_state` copied; it may be restored any number of times.

        Raises:
            ValueError: it is the state of another number of lanes, of another game, or of other settings.
        """
        self.games, self.over, self._seeded = fitting_state(state, self.game, self.games)

    def _allocate(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        n = self.num_envs
        return np.empty(self._shape, self._dtype), np.empty(n), np.empty(n, bool), np.empty(n, bool)

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

    def _waiting(self) -> np.ndarray:
        if self.autoreset_mode is AutoresetMode.NEXT_STEP:
            return self.over
        raise ResetNeeded(
            f"no episode is running in lanes {np.flatnonzero(self.over).tolist()}, and autoreset_mode "
            f"{self.autoreset_mode.value!r} begins none in a step; call reset(options={{'reset_mask': those}}) first"
        )

    def _ended(self, observations: np.ndarray, infos: dict[str, Any]) -> dict[str, Any]:
        """Return the infos of a step with which episodes have ended; in SAME_STEP mode the next ones begin."""
        outcome = self._batched(self.game.outcome, self.over)
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            return self._begin_again(observations, outcome)
        return infos | outcome

    def _begin_again(self, observations: np.ndarray, outcome: dict[str, Any]) -> dict[str, Any]:
        """Begin the next episode of every lane that is over; what it ended with goes into the infos."""
        which, self.over = self.over, np.zeros(self.num_envs, bool)
        last = np.full(self.num_envs, None, dtype=object)
        for lane in np.flatnonzero(which):
            last[lane] = observations[lane].copy()
        self.game.reset_lanes(self.games, which, observations.reshape(self.num_envs, -1))
        ended = {"final_obs": last, "_final_obs": which, "final_info": outcome, "_final_info": which.copy()}
        return ended | self._batched(self.game.info, which)

    def _batched(self, tell: Callable[[np.ndarray], dict[str, np.ndarray]], which: np.ndarray) -> dict[str, Any]:
        """Return what the game tells of the lanes where `which`, as `SyncVectorEnv` batches infos."""
        infos: dict[str, Any] = {}
        for key, rows in tell(self.games).items():
            rows[~which] = 0
            infos |= {key: rows, f"_{key}": which.copy()}
        return infos
