"""Learn which of two objects pays: Harlow's learning-set experiment.

An episode begins with a problem: two different objects, drawn uniformly (from the pairs of the `split`), of which the
first is rewarded in every trial and the other punished. They are shown side by side, in an order drawn by a coin. Then,
in each of `n_trials` trials,

1. the player takes the left or the right object and gets `reward` for the rewarded one, `punishment` for the other;
2. after the last trial the episode terminates; otherwise the pair is shown again, in an order drawn anew.

With `balanced_sides` each side is rewarded equally often in an episode (an odd trial falls to either by a coin).

Infos hold `info["problem"]`, int64 (2,): (rewarded, punished), in the vector environment at resets only. A reset with
`options={"problem": p, "n_trials": 20}` plays problem p again, here for 20 trials; either may stand alone, and p may be
any pair, whatever the split. In the vector environment each is one row for all lanes that are reset or one row a lane,
and a lane keeps them through its autoresets until it is reset without them.

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

from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from popenvs.drawing import Picture
from popenvs.drawing.numbered import pair_picture
from popenvs.engine.compiling import njit
from popenvs.engine.game import LaneGame, Rows
from popenvs.engine.random_stream import below
from popenvs.engine.references import Reference, by_trial
from popenvs.engine.settings import NO_LIMIT, flag, number, one_of, whole_number
from popenvs.engine.single import LaneEnv
from popenvs.engine.vector import LaneVectorEnv
from popenvs.harlow_problems import choose, draw_problem, split_number
from popenvs.players.learning_set import learners

LEFT, RIGHT = range(2)  # sides, and actions
NOTHING = -1  # the last action before the first trial is over
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
        out[0], out[1] = left, right
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
        reward, punishment: for taking the rewarded object and for taking the other; the first is the larger.
        balanced_sides: whether each side is rewarded equally often.
        split: "all" pairs; "test", a fixed fifth (rounded down); or "train", the rest; every object occurs in each.

    Raises:
        ValueError: a setting is out of range, or there are too few objects for a split.
    """

    reset_lanes = staticmethod(reset_lanes)
    step_lanes = staticmethod(step_lanes)
    settings = ("max_steps", "n_objects", "reward", "punishment", "balanced", "split", "mode")
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
        self.blank["reward"], self.blank["punishment"] = number("reward", reward), number("punishment", punishment)
        if reward <= punishment:
            raise ValueError(f"reward is {reward} and punishment {punishment}; the reward must be the larger")
        self.blank["balanced"] = flag("balanced_sides", balanced_sides)
        self.blank["split"] = split_number(split, n_objects)
        objects = [(0, 1)] * (2 * n_objects) if observation == "onehot" else [(0, n_objects - 1)] * 2
        last_trial = [] if observation == "digits" else [(min(punishment, 0), max(reward, 0)), (0, 1), (0, 1)]
        low, high = np.array(objects + last_trial, np.float32).T
        self.observation_space = spaces.Box(low, high, dtype=np.float32)
        self.action_space = spaces.Discrete(2)
        sides, pair = (LEFT, RIGHT), (0, n_objects - 1)
        self.bounds = {"n_trials": (1, NO_LIMIT), "problem": pair, "good_side": sides, "last_action": (NOTHING, RIGHT)}
        coin = (reward + punishment) / 2
        blind, sure = n_trials * coin, coin + (n_trials - 1) * reward
        scores = {"random": blind, "win-stay by hand": blind, "one-shot": sure}
        self.reference_scores = {} if balanced_sides or observation == "digits" else scores

    def configure(self, games: np.ndarray, which: np.ndarray, options: dict[str, Any] | None) -> None:
        """Pin or free the problems of the lanes that begin, and set how many trials they play."""
        choose(games, which, options or {}, self.blank)

    def info(self, games: np.ndarray) -> dict[str, np.ndarray]:
        """Return the problem of each game, int64, (games, 2)."""
        return {"problem": games["problem"].copy()}

    def report(self, returns: list[float], rewards: list[list[float]]) -> str:
        """Write how often a person was rewarded in each trial, unfinished problems included, beside two references."""
        references = {"random": [0.5] * self.n_trials, "one-shot": [0.5] + [1.0] * (self.n_trials - 1)}
        return by_trial(rewards, self.blank["reward"][0], references)

    def picture(self, game: Any) -> Picture:
        """Show the two objects and, below and between them, whether the last choice was rewarded."""
        left, right = game.problem[game.good_side], game.problem[1 - game.good_side]
        caption = "over" if game.steps >= game.n_trials else f"trial {game.steps + 1} of {game.n_trials}"
        if game.last_action == NOTHING:
            return pair_picture(left, right, None, caption)
        side = ("left", "right")[game.last_action]
        caption += f"   last: {side}-hand object, {game.last_reward:+g}   score {game.score:+g}"
        return pair_picture(left, right, game.last_reward == game.reward, caption)

    def references(self) -> dict[str, Reference]:
        """Return named policies; call this once for each lane, because the one-shot learner remembers."""
        policies: dict[str, Reference] = {"random": lambda observation, rng: int(rng.integers(2))}
        if self.blank["mode"][0] != DIGITS:
            policies |= learners(middle=float(self.blank["reward"][0] + self.blank["punishment"][0]) / 2)
        return policies


class HarlowEnv(LaneEnv):
    """Harlow's experiment as a Gymnasium environment; the settings are those of `Harlow`."""

    game_class = Harlow


class HarlowVectorEnv(LaneVectorEnv):
    """Harlow's experiment as a Gymnasium vector environment; the settings are those of `Harlow`."""

    game_class = Harlow
