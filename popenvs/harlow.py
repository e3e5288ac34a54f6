"""Learn which of two objects pays: Harlow's learning-set experiment.

An episode begins with a problem: two different objects, drawn uniformly (from the pairs of the `split`), of which the
first is rewarded in every trial and the other punished. They are shown side by side, in an order drawn by a coin. Then,
in each of `n_trials` trials,

1. the player takes the left or the right object and gets `reward` for the rewarded one, `punishment` for the other;
2. after the last trial the episode terminates; otherwise the pair is shown again, in an order drawn anew.

With `balanced_sides` each side is rewarded equally often in an episode (an odd trial falls to either by a coin).

`reset` returns `info["problem"]`, int64 (2,): (rewarded, punished). `reset(options={"problem": p, "n_trials": 20})`
plays problem p again, here for 20 trials; either may stand alone, and p may be any pair, whatever the split. In the
vector environment each is one row for all lanes that are reset or one row a lane, and a lane keeps them through its
autoresets until it is reset without them.

=============  ========================================================================================================
Observation    float32. `full` (default): (5,): left object, right object (numbers from 0), previous reward, previous
               action one-hot (zeros before the first trial is over). `digits`: (2,): left object, right object.
               `onehot`: (2 * n_objects + 3,): left object and right object one-hot, then as `full`.
Action         Discrete(2): 0 takes the left object, 1 the right.
Reward         float: `reward` (+1) or `punishment` (-1).
End            termination after `n_trials` trials (6).
=============  ========================================================================================================

Source: H. Harlow (1949), "The formation of learning sets", Psychological Review 56, as Neuromatch Academy's tutorial
W2D4-4, "Biological meta reinforcement learning" (H. Solodzhuk, X. Mao, G. Lindsay), plays it; `balanced_sides` is from
PsychLab (J. Leibo et al., 2018, https://arxiv.org/abs/1801.08116).
"""

from functools import partial
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numba import njit

from popenvs.drawing import Picture, Tile
from popenvs.drawing.numbered import numbered_tile
from popenvs.drawing.shapes import cross, plain, tick
from popenvs.engine.game import LaneGame, Rows
from popenvs.engine.random_stream import below
from popenvs.engine.references import Reference
from popenvs.engine.settings import NO_LIMIT, flag, number, one_of, whole_number, whole_numbers
from popenvs.engine.single import LaneEnv
from popenvs.engine.vector import LaneVectorEnv
from popenvs.players.learning_set import OneShot, win_stay_lose_shift

LEFT, RIGHT = range(2)  # sides, and actions
REWARDED, PUNISHED = range(2)  # places in a problem
NOTHING = -1  # the last action before the first trial is over
ALL, TRAIN, TEST = range(3)
SPLITS = ("all", "train", "test")
FULL, DIGITS, ONEHOT = range(3)
MODES = ("full", "digits", "onehot")

FIELDS = [
    ("rng", "u8"),  # the lane's random stream
    ("steps", "i4"),  # trials played in this episode
    ("max_steps", "i4"),  # steps after which an episode is cut off (a setting of the shells)
    ("n_objects", "i4"),  # (a setting)
    ("n_trials", "i4"),  # trials in this episode (a setting, until a reset asks for another number)
    ("reward", "f8"),  # for the rewarded object (a setting)
    ("punishment", "f8"),  # for the other (a setting)
    ("balanced", "i4"),  # 1 if each side is rewarded equally often (a setting)
    ("split", "i4"),  # ALL, TRAIN or TEST (a setting)
    ("mode", "i4"),  # FULL, DIGITS or ONEHOT (a setting)
    ("pinned", "i4"),  # 1 if the problem stays when the next episode begins
    ("problem", "i8", (2,)),  # the rewarded object and the punished one
    ("good_side", "i4"),  # where the rewarded object lies, LEFT or RIGHT
    ("lefts", "i4"),  # trials to come that reward the left, if balanced
    ("last_action", "i4"),  # LEFT, RIGHT or NOTHING
    ("last_reward", "f8"),
    ("score", "f8"),  # return so far in this episode
]
RECORD = np.dtype((np.record, np.dtype(FIELDS, align=True)))


@njit
def held_out(a: int, b: int) -> bool:
    """Tell whether a pair belongs to "test": a fifth of all pairs, in which every object occurs."""
    return (a + b) % 5 == 0


@njit
def draw_problem(game: Any) -> None:
    """Draw two objects of the split."""
    while True:
        game.problem[REWARDED] = below(game, game.n_objects)
        game.problem[PUNISHED] = below(game, game.n_objects - 1)
        game.problem[PUNISHED] += int(game.problem[PUNISHED] >= game.problem[REWARDED])
        if game.split == ALL or (game.split == TEST) == held_out(game.problem[REWARDED], game.problem[PUNISHED]):
            return


@njit
def show(game: Any) -> None:
    """Lay the pair out for the next trial."""
    if game.balanced:
        game.good_side = RIGHT - int(below(game, game.n_trials - game.steps) < game.lefts)
        game.lefts -= int(game.good_side == LEFT)
    else:
        game.good_side = below(game, 2)


@njit
def reset(game: Any) -> None:
    """Begin an episode."""
    game.steps = 0
    game.score = 0
    game.last_action = NOTHING
    game.last_reward = 0
    if not game.pinned:
        draw_problem(game)
    if game.balanced:
        game.lefts = (game.n_trials + below(game, 2)) // 2
    show(game)


@njit
def step(game: Any, action: int) -> tuple[float, bool]:
    """Take an object, show the pair again; return the reward and whether the episode has terminated."""
    game.last_action = action
    game.last_reward = game.reward if action == game.good_side else game.punishment
    game.score += game.last_reward
    ended = game.steps >= game.n_trials
    if not ended:
        show(game)
    return game.last_reward, ended


@njit
def observe(game: Any, out: np.ndarray) -> None:
    """Write the pair and, but for `digits`, what the last trial brought."""
    left = game.problem[game.good_side]  # the rewarded object if that is on the left, both being 0
    right = game.problem[1 - game.good_side]
    if game.mode == ONEHOT:
        for i in range(2 * game.n_objects):
            out[i] = 0
        out[left] = 1
        out[game.n_objects + right] = 1
    else:
        out[0] = left
        out[1] = right
    if game.mode != DIGITS:
        n = len(out)
        out[n - 3] = game.last_reward
        out[n - 2] = int(game.last_action == LEFT)
        out[n - 1] = int(game.last_action == RIGHT)


@njit(cache=True)
def reset_lanes(games: Rows, which: Rows, observations: Rows) -> None:
    """Begin an episode in the lanes where `which`; write every lane's observation."""
    for i in range(len(games)):
        if which[i]:
            reset(games[i])
        observe(games[i], observations[i])


@njit(cache=True)
def step_lanes(
    games: Rows, actions: Rows, waiting: Rows, observations: Rows, rewards: Rows, terminated: Rows, truncated: Rows
) -> None:
    """Step every lane, or begin an episode in it where `waiting`."""
    for i in range(len(games)):
        if waiting[i]:
            reset(games[i])
            rewards[i], terminated[i], truncated[i] = 0.0, False, False
        else:
            games[i].steps += 1
            rewards[i], terminated[i] = step(games[i], actions[i])
            truncated[i] = games[i].steps >= games[i].max_steps
        observe(games[i], observations[i])


class Harlow(LaneGame):
    """The settings, spaces, picture and references of Harlow's experiment.

    Args:
        n_objects: 2 to 45 (6 to 45 for a split).
        n_trials: trials in an episode.
        observation: "full", "digits" or "onehot".
        reward: for taking the rewarded object.
        punishment: for taking the other.
        balanced_sides: whether each side is rewarded equally often.
        split: "all" pairs; "test", a fixed fifth of them (rounded down) in which every object occurs; or "train", the
            rest, in which every object occurs, too.

    Raises:
        ValueError: a setting is out of range, or there are too few objects for a split.
    """

    reset_lanes = staticmethod(reset_lanes)
    step_lanes = staticmethod(step_lanes)
    keys: ClassVar[dict[str, int]] = {"left": LEFT, "right": RIGHT}
    played_episodes: ClassVar[int] = 10

    def __init__(
        self,
        *,
        n_objects: int = 10,
        n_trials: int = 6,
        observation: str = "full",
        reward: float = 1.0,
        punishment: float = -1.0,
        balanced_sides: bool = False,
        split: str = "all",
    ) -> None:
        self.blank = np.zeros(1, RECORD)
        self.blank["max_steps"] = NO_LIMIT
        self.blank["n_objects"] = whole_number("n_objects", n_objects, 2, 45)
        self.blank["n_trials"] = self.n_trials = whole_number("n_trials", n_trials, 1, NO_LIMIT)
        self.blank["mode"] = MODES.index(one_of("observation", observation, MODES))
        self.blank["reward"], self.blank["punishment"] = amounts(reward, punishment)
        self.blank["balanced"] = flag("balanced_sides", balanced_sides)
        self.blank["split"] = SPLITS.index(one_of("split", split, SPLITS))
        if split != "all" and n_objects < 6:
            raise ValueError(f"n_objects is {n_objects}; a split needs 6 or more, so that every object occurs in it")
        self.observation_space = observation_space(observation, n_objects, float(reward), float(punishment))
        self.action_space = spaces.Discrete(2)
        self.bounds = {name: (self.blank[name][0],) * 2 for name in ("n_objects", "mode")}
        self.bounds |= {"problem": (0, n_objects - 1), "good_side": (LEFT, RIGHT)}
        self.tiles = (*MARKS, *map(numbered_tile, range(n_objects)))
        coin = (reward + punishment) / 2
        scores = {"random": n_trials * coin, "win-stay by hand": n_trials * coin}
        scores["one-shot"] = coin + (n_trials - 1) * reward
        self.reference_scores = {} if balanced_sides or observation == "digits" else scores

    def configure(self, games: np.ndarray, which: np.ndarray, options: dict[str, Any] | None) -> None:
        """Pin or free the problems of the lanes that begin, and set how many trials they play.

        Raises:
            ValueError: a problem is not two different objects, or a number of trials is below 1.
        """
        options, lanes = options or {}, int(which.sum())
        trials = options.get("n_trials", self.n_trials)
        if not whole_numbers(trials, (lanes,), 1, NO_LIMIT):
            raise ValueError(
                f"options['n_trials'] is {trials!r}; it must be a whole number from 1 to {NO_LIMIT}, or one for each "
                f"lane that is reset (here {lanes})"
            )
        pinned = "problem" in options
        if pinned:
            games["problem"][which] = checked_problem(options["problem"], lanes, int(self.blank["n_objects"][0]))
        games["pinned"][which] = pinned
        games["n_trials"][which] = trials

    def info(self, games: np.ndarray) -> dict[str, np.ndarray]:
        """Return the problem of each game, int64, (games, 2)."""
        return {"problem": games["problem"].copy()}

    def report(self, returns: list[float], rewards: list[list[float]]) -> str:
        """Write how often a person was right in each trial."""
        return by_trial(rewards, self.n_trials, self.blank["reward"][0])

    def picture(self, game: Any) -> Picture:
        """Show the two objects and, below and between them, whether the last choice was right."""
        left, right = game.problem[game.good_side], game.problem[1 - game.good_side]
        board = np.zeros((2, 3), np.uint8)
        board[0, 0], board[0, 2] = len(MARKS) + left, len(MARKS) + right
        over = game.steps >= game.n_trials
        caption = "over" if over else f"trial {game.steps + 1} of {game.n_trials}"
        if game.last_action != NOTHING:
            board[1, 1] = RIGHT_MARK if game.last_reward == game.reward else WRONG_MARK
            side = ("left", "right")[game.last_action]
            caption += f"   last: {side}, {game.last_reward:+g}   score {game.score:+g}"
        return Picture(board, self.tiles, caption)

    def references(self) -> dict[str, Reference]:
        """Return the policies behind `reference_scores`, each a function of (observation, random generator).

        The one-shot learner remembers: call this once for each lane that it is to play.
        """
        policies: dict[str, Reference] = {"random": lambda observation, rng: int(rng.integers(2))}
        if self.blank["mode"][0] != DIGITS:
            middle = float(self.blank["reward"][0] + self.blank["punishment"][0]) / 2
            policies["win-stay by hand"] = partial(win_stay_lose_shift, middle=middle)
            policies["one-shot"] = OneShot(middle)
        return policies


def by_trial(rewards: list[list[float]], n_trials: int, reward: float) -> str:
    """Write how often a person was right in each trial, unfinished problems included, beside two references."""
    lines = ["trial     you  random  one-shot"]
    for trial in range(n_trials):
        right = [episode[trial] == reward for episode in rewards if trial < len(episode)]
        you = f"{np.mean(right):.0%}" if right else "-"
        lines.append(f"{trial + 1:>5}  {you:>6}  {0.5:>6.0%}  {1.0 if trial else 0.5:>8.0%}")
    return "\n".join(lines)


def amounts(reward: Any, punishment: Any) -> tuple[float, float]:
    """Return what the two objects bring.

    Raises:
        ValueError: one is no finite number, or the reward is not the larger.
    """
    both = number("reward", reward), number("punishment", punishment)
    if reward <= punishment:
        raise ValueError(f"reward is {reward} and punishment {punishment}; the reward must be the larger")
    return both


def observation_space(mode: str, n_objects: int, reward: float, punishment: float) -> spaces.Box:
    """Return the space in which one observation lies."""
    objects = [(0, 1)] * (2 * n_objects) if mode == "onehot" else [(0, n_objects - 1)] * 2
    last_trial = [] if mode == "digits" else [(min(punishment, 0), max(reward, 0)), (0, 1), (0, 1)]
    low, high = np.array(objects + last_trial, np.float32).T
    return spaces.Box(low, high, dtype=np.float32)


def checked_problem(problem: Any, lanes: int, n_objects: int) -> np.ndarray:
    """Return the problems of the lanes that begin, (2,) or (lanes, 2).

    Raises:
        ValueError: an object does not exist, a pair is one object twice, or the shape is another.
    """
    if whole_numbers(problem, (lanes, 2), 0, n_objects - 1):
        rows = np.asarray(problem)
        if (rows[..., REWARDED] != rows[..., PUNISHED]).all():
            return rows
    raise ValueError(
        f"options['problem'] is {problem!r}; it must be two different objects from 0 to {n_objects - 1}, (rewarded, "
        f"punished), or one such row for each lane that is reset (here {lanes})"
    )


MARKS = (
    Tile("table", ".", (24, 28, 46), plain),
    Tile("the last choice was right", "+", (96, 200, 120), tick),
    Tile("the last choice was wrong", "-", (226, 88, 80), cross),
)
RIGHT_MARK, WRONG_MARK = 1, 2


class HarlowEnv(LaneEnv):
    """Harlow's experiment as a Gymnasium environment; the settings are those of `Harlow`."""

    game_class = Harlow


class HarlowVectorEnv(LaneVectorEnv):
    """Harlow's experiment as a Gymnasium vector environment; the settings are those of `Harlow`."""

    game_class = Harlow
