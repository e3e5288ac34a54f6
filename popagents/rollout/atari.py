"""Atari 2600 games as lanes: the games and pictures of ale-py, each lane begun by a seed of its own at no cost.

ale-py seeds a game by loading its ROM anew, which takes as long as 300 decisions. But the machine starts in the same
state whatever the seed, which serves the sticky actions alone. So a lane goes back to a stored start state and throws
the coins for its sticky actions itself: with `repeat_action_probability` an action is held for one more frame.

1. An episode begins. Pixels: fire is pressed where the game has that button, then nothing for up to 29 frames, as in
   ale-py's `AtariVectorEnv`. RAM: at once, as in `gym.make(id, obs_type="ram")`.
2. A step is one decision: an action for `frameskip` frames. Its reward is the change of the score, or its sign.
3. The last two frames of a step are merged (the larger value of each pixel) and scaled down.
4. The episode ends when the game is over, or with `episodic_life` when a life is lost, and is cut off after
   `max_num_frames_per_episode`.

Observation, uint8: `grayscale` (stack_num, size, size), oldest picture first; `rgb` (3 * stack_num, size, size), three
channels a picture; `ram` (128,). Action: Discrete, the game's own buttons.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from popagents.common.compiling import njit
from popagents.common.optional import missing_extra

OBSERVATIONS = ("grayscale", "rgb", "ram")
LONGEST_WAIT = 30  # a game of pixels begins after fewer frames than this
HEIGHT, WIDTH = 210, 160  # of the screen (pixels)

try:
    import ale_py
    from ale_py import roms
except ImportError as error:
    raise missing_extra(f"Atari games are not installed ({error})", "atari") from error


class Machine:
    """One emulator and the game that runs on it.

    Args:
        game: ale-py's name of it, in snake_case.
        full_action_space: all 18 buttons, also those that the game does not know.
        sticky: the chance that an action is held for one more frame.
        shown: whether a window shows the game.
    """

    def __init__(self, game: str, full_action_space: bool, sticky: float, shown: bool) -> None:
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
        self.ale = ale_py.ALEInterface()
        self.ale.setFloat("repeat_action_probability", 0.0)  # the coins are thrown here
        self.ale.setInt("random_seed", 0)
        self.ale.setBool("display_screen", shown)
        self.ale.loadROM(str(roms.get_rom_path(game)))
        self.ale.reset_game()
        self.buttons = self.ale.getLegalActionSet() if full_action_space else self.ale.getMinimalActionSet()
        self.sticky = sticky
        self._start = self.ale.cloneState()

    def begin(self, rng: np.random.Generator) -> None:
        """Begin a game; its coins are drawn from `rng`."""
        self.ale.restoreState(self._start)
        self.rng, self.frames, self._held = rng, 0, ale_py.Action.NOOP
        self.lives = self.ale.lives()

    def press(self, button: Any) -> int:
        """Play a frame and return the change of the score."""
        if self.rng.random() >= self.sticky:
            self._held = button
        self.frames += 1
        return self.ale.act(self._held)


class AtariLanes(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """Games of one Atari title side by side; only lanes whose game goes on cost time.

    An episode is a function of its seed and of the actions alone, whatever its lane, their number, and what was played
    before. It is not the episode that the same seed gives in ale-py, whose coins are others.

    Args:
        game: ale-py's name, for example "space_invaders".
        num_envs: how many lanes; each loads its ROM once, a seventh of a second.
        obs_type: "grayscale", "rgb" or "ram".
        size: of a picture, in pixels a side.
        stack_num: how many pictures are seen, one a step.
        repeat_action_probability: the chance that an action is held for one more frame.
        full_action_space: all 18 buttons rather than the game's own.
        reward_clipping: a reward is the sign of the change of the score. A rare prize then counts no more than others:
            in Space Invaders the mystery ship makes up more than half of the variance of a game's score.
        episodic_life: an episode ends with the first life, and the next begins a new game (in `AtariVectorEnv`, whose
            name for it this is, the game goes on). It says as much of a member in a third of the time.
        frameskip: frames per step.
        max_num_frames_per_episode: an episode is cut off after so many.
        render_mode: "rgb_array", or "human" for a window a lane.
        autoreset_mode: DISABLED; `reset` with a `reset_mask` begins episodes.

    Raises:
        ValueError: an argument is out of range, or there is no such game.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "render_modes": ["rgb_array", "human"],
        "render_fps": 15,
        "autoreset_mode": AutoresetMode.DISABLED,
    }
    lanes_may_wait = True  # a lane whose episode is over idles until it is reset

    def __init__(
        self,
        game: str,
        num_envs: int = 1,
        *,
        obs_type: str = "grayscale",
        size: int = 84,
        stack_num: int = 4,
        repeat_action_probability: float = 0.25,
        full_action_space: bool = False,
        reward_clipping: bool = False,
        episodic_life: bool = False,
        frameskip: int = 4,
        max_num_frames_per_episode: int = 108000,
        render_mode: str | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.DISABLED,
    ) -> None:
        if obs_type not in OBSERVATIONS:
            raise ValueError(f"obs_type is {obs_type!r}; choose one of {', '.join(OBSERVATIONS)}")
        if AutoresetMode(autoreset_mode) is not AutoresetMode.DISABLED:
            raise ValueError(
                f"autoreset_mode is {autoreset_mode}; Atari lanes know DISABLED only: reset ended lanes through "
                "options={'reset_mask': ...}, or use ale_py's AtariVectorEnv"
            )
        if not isinstance(frameskip, int) or frameskip < 1:
            raise ValueError(f"frameskip is {frameskip!r}; it must be a whole number of frames, 1 or more")
        if game not in roms.get_all_rom_ids():
            raise ValueError(f"game is {game!r}; ale_py.roms.get_all_rom_ids() lists the names")
        self.num_envs, self.render_mode = num_envs, render_mode
        self.obs_type, self.size, self.frameskip, self.reward_clipping = obs_type, size, frameskip, reward_clipping
        self.longest, self.episodic_life = max_num_frames_per_episode, episodic_life
        shown = render_mode == "human"
        self.machines = [Machine(game, full_action_space, repeat_action_probability, shown) for _ in range(num_envs)]
        self.buttons = self.machines[0].buttons
        self.channels = 3 if obs_type == "rgb" else 1
        shape = (128,) if obs_type == "ram" else (self.channels * stack_num, size, size)
        self.single_observation_space = spaces.Box(0, 255, shape, np.uint8)
        self.single_action_space = spaces.Discrete(len(self.buttons))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._screens = np.zeros((num_envs, 2, HEIGHT, WIDTH, *(3,) * (obs_type == "rgb")), np.uint8)
        self._cells = *cells(HEIGHT, size), *cells(WIDTH, size)
        self._seen = np.zeros((num_envs, *shape), np.uint8)
        self._going = np.zeros(num_envs, bool)
        self._streams: list[np.random.Generator] = []

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode in every lane, or in those of `options["reset_mask"]` (bool, (lanes,)).

        Args:
            seed: an int s gives lane i the seed s + i; a sequence gives each lane its own; None goes on with the lane's
                random numbers.
            options: `reset_mask`; lanes outside it stay as they are.

        Raises:
            ValueError: the mask or the seeds are not one a lane.
        """
        seeds = [seed + lane for lane in range(self.num_envs)] if isinstance(seed, (int, np.integer)) else seed
        mask = np.asarray((options or {}).get("reset_mask", np.ones(self.num_envs, bool)))
        if mask.shape != (self.num_envs,) or (seeds is not None and len(seeds) != self.num_envs):
            raise ValueError(f"seed is {seed!r} and reset_mask {mask!r}; {self.num_envs} lanes need one each")
        if not self._streams:
            self._streams = list(self.np_random.spawn(self.num_envs))
        for lane in np.flatnonzero(mask).tolist():
            if seeds is not None and seeds[lane] is not None:
                self._streams[lane] = np.random.Generator(np.random.PCG64(seeds[lane]))
            self._begin(lane)
        self._going |= mask
        return self._seen.copy(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Play one decision in every lane; where the game is over, nothing happens.

        Returns:
            observations (lanes, *shape), rewards float64, terminated and truncated bool (lanes,), no infos.

        Raises:
            IndexError: an action is not among the game's buttons.
        """
        rewards, terminated, truncated = np.zeros(self.num_envs), self._going & False, self._going & False
        for lane in np.flatnonzero(self._going).tolist():
            rewards[lane], terminated[lane], truncated[lane] = self._play(lane, actions[lane])
        self._going &= ~(terminated | truncated)
        if self.reward_clipping:
            rewards = np.sign(rewards)
        return self._seen.copy(), rewards, terminated, truncated, {}

    def render(self) -> tuple[np.ndarray, ...] | None:
        """Return the screen of each lane, (210, 160, 3) uint8; None where windows show them."""
        if self.render_mode != "rgb_array":
            return None
        return tuple(machine.ale.getScreenRGB() for machine in self.machines)

    def _begin(self, lane: int) -> None:
        machine = self.machines[lane]
        machine.begin(self._streams[lane])
        if self.obs_type != "ram":
            waiting = int(machine.rng.integers(LONGEST_WAIT))
            fires = ale_py.Action.FIRE in self.buttons
            for button in ([ale_py.Action.FIRE] if fires else []) + [ale_py.Action.NOOP] * (waiting - fires):
                machine.press(button)
            machine.frames = 0
            self._seen[lane] = 0
            self._grab(lane, 0)
            self._screens[lane, 1] = 0
        self._look(lane)

    def _play(self, lane: int, action: int) -> tuple[float, bool, bool]:
        """Play a decision; return its reward, and whether the game is over or cut off."""
        machine, button, reward = self.machines[lane], self.buttons[action], 0
        for left in range(self.frameskip - 1, -1, -1):
            reward += machine.press(button)
            if machine.ale.game_over() or (self.episodic_life and machine.ale.lives() < machine.lives):
                return reward, True, False
            if left < 2 and self.obs_type != "ram":
                self._grab(lane, left)
        self._look(lane)
        return reward, False, machine.frames >= self.longest

    def _grab(self, lane: int, frame: int) -> None:
        """Take a picture of the screen."""
        ale = self.machines[lane].ale
        (ale.getScreenRGB if self.obs_type == "rgb" else ale.getScreenGrayscale)(self._screens[lane, frame])

    def _look(self, lane: int) -> None:
        """Write what the lane's player sees."""
        seen = self._seen[lane]
        if self.obs_type == "ram":
            self.machines[lane].ale.getRAM(seen)
            return
        seen[: -self.channels] = seen[self.channels :]
        screens = self._screens[lane].reshape(2, HEIGHT, WIDTH, self.channels)
        for channel in range(self.channels):
            shrink(screens[..., channel], *self._cells, seen[channel - self.channels])


def cells(source: int, target: int) -> tuple[np.ndarray, np.ndarray]:
    """Share out `source` pixels among `target` larger ones, by the area that they have in common.

    Returns:
        The first pixel of each share, int64 (target,), and the weights of the pixels from there on, float32
        (target, k), which sum to 1.
    """
    scale = source / target
    edges = np.arange(target + 1) * scale
    reach = min(source, int(np.ceil(scale)) + 1)
    first = np.minimum(np.floor(edges[:-1] + 1e-6).astype(np.int64), source - reach)
    pixels = first[:, None] + np.arange(reach)
    common = np.minimum(pixels + 1, edges[1:, None]) - np.maximum(pixels, edges[:-1, None])
    return first, (np.clip(common, 0, 1) / scale).astype(np.float32)


@njit(cache=True)
def shrink(
    screens: np.ndarray,
    rows: np.ndarray,
    row_weights: np.ndarray,
    columns: np.ndarray,
    column_weights: np.ndarray,
    out: np.ndarray,
) -> None:
    """Merge two screens (2, height, width) by the larger value and average areas of them into `out` (size, size).

    Rows come first, as a processor adds up whole rows at once: twice as fast as OpenCV's INTER_AREA, and the same but
    for halves that are rounded the other way.
    """
    width, size = screens.shape[2], len(columns)
    line = np.empty(width, np.float32)
    for y in range(size):
        line[:] = 0
        for k in range(row_weights.shape[1]):
            row, weight = rows[y] + k, row_weights[y, k]
            for x in range(width):
                line[x] += weight * np.float32(max(screens[0, row, x], screens[1, row, x]))
        for x in range(size):
            total = np.float32(0)
            for k in range(column_weights.shape[1]):
                total += line[columns[x] + k] * column_weights[x, k]
            out[y, x] = np.uint8(np.rint(total))
