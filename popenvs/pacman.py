"""Eat the tokens on a torus: grid pac-man.

An episode begins with the agent in the corner (0, 0) and `n_tokens` tokens on cells drawn uniformly *with replacement*:
a cell may hold two, which count two, and one may lie under the agent. Then, every step,

1. the agent moves one cell (or stays); both axes wrap around;
2. it eats every token on the cell where it now stands, and is rewarded one for each;
3. when no token is left, a new batch is dealt;
4. it sees the board. After `max_steps` steps the episode is truncated; it never terminates.

=============  =========================================================================================================
Observation    `flat` (default): (width * height,), float32 or uint8, 0 to n_tokens: how many tokens lie at offset
               (dx, dy) from the agent, at index dx * height + dy, dx = (x_token - x_agent) mod width, dy likewise.
               `grid`: the same numbers as (1, width, height).
Action         Discrete(5): 0 stay, 1 left (x - 1), 2 right (x + 1), 3 up (y - 1), 4 down (y + 1).
Reward         float: tokens eaten in this step.
End            truncation at `max_steps` (steps).
=============  =========================================================================================================

Source: the gist "Reinforcement learning through imitation of successful peers"; settings default to its own.
"""

from functools import partial
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from popenvs.drawing import Colour, Picture, Tile
from popenvs.drawing.shapes import GAPS, circle, disc, dot, mouth, plain
from popenvs.engine.board_space import board_space
from popenvs.engine.compiling import njit
from popenvs.engine.game import LaneGame, Rows
from popenvs.engine.random_stream import below
from popenvs.engine.references import Reference
from popenvs.engine.settings import NO_LIMIT, whole_number
from popenvs.engine.single import LaneEnv
from popenvs.engine.vector import LaneVectorEnv
from popenvs.players.token_routes import nearest_token, shortest_route

STAY, LEFT, RIGHT, UP, DOWN = range(5)
ACTIONS = {(0, 0): STAY, (-1, 0): LEFT, (1, 0): RIGHT, (0, -1): UP, (0, 1): DOWN}  # by where they lead
TRAIL = 8  # visited cells that the picture shows (steps)
REFERENCE_SCORES = {"random": 1.12, "nearest token": 21.81, "shortest route": 22.41}  # mean return of 20 000 episodes


def record(n_tokens: int) -> np.dtype:
    """Lay out the memory of one game that deals `n_tokens` tokens a batch."""
    fields = [
        ("rng", "u8"),  # the lane's random stream
        ("steps", "i4"),  # steps taken in this episode
        ("max_steps", "i4"),  # steps in an episode (a setting)
        ("width", "i4"),  # cells along x (a setting)
        ("height", "i4"),  # cells along y (a setting)
        ("x", "i4"),  # where the agent stands (cell)
        ("y", "i4"),
        ("facing", "i4"),  # the last action that moved, STAY before
        ("left", "i4"),  # tokens not yet eaten
        ("score", "i4"),  # tokens eaten in this episode
        ("token_x", "i4", (n_tokens,)),  # where the tokens of this batch lie or lay (cell)
        ("token_y", "i4", (n_tokens,)),
        ("there", "i4", (n_tokens,)),  # 1 until it is eaten, then 0
        ("trail", "i4", (TRAIL,)),  # the cell x * height + y that step t left, at t modulo TRAIL
    ]
    return np.dtype((np.record, np.dtype(fields, align=True)))


@njit
def deal(game: Any) -> None:
    """Lay out a new batch of tokens."""
    for i in range(len(game.token_x)):
        game.token_x[i] = below(game, game.width)
        game.token_y[i] = below(game, game.height)
        game.there[i] = 1
    game.left = len(game.token_x)


@njit
def reset(game: Any) -> None:
    """Begin an episode."""
    game.steps = 0
    game.x, game.y, game.facing, game.score = 0, 0, STAY, 0
    deal(game)


@njit
def step(game: Any, action: int) -> tuple[float, bool]:
    """Move, eat, deal; return the reward and whether the episode has terminated."""
    game.trail[game.steps % TRAIL] = game.x * game.height + game.y
    game.x = wrapped(game.x + int(action == RIGHT) - int(action == LEFT), game.width)
    game.y = wrapped(game.y + int(action == DOWN) - int(action == UP), game.height)
    game.facing = action if action != STAY else game.facing
    eaten = eat(game)
    game.left, game.score = game.left - eaten, game.score + eaten
    if game.left == 0:
        deal(game)
    return float(eaten), False


@njit
def wrapped(cell: int, size: int) -> int:
    """Bring a cell that is at most one step off the board back onto it."""
    return cell + size * (int(cell < 0) - int(cell >= size))


@njit
def eat(game: Any) -> int:
    """Take the tokens under the agent off the board; return how many."""
    eaten = 0
    for i in range(len(game.there)):
        here = game.there[i] * int(game.token_x[i] == game.x) * int(game.token_y[i] == game.y)
        game.there[i] -= here
        eaten += here
    return eaten


@njit
def observe(game: Any, out: np.ndarray) -> None:
    """Write how many tokens lie at each offset from the agent."""
    for cell in range(len(out)):
        out[cell] = 0
    for i in range(len(game.there)):
        dx = game.token_x[i] - game.x
        dy = game.token_y[i] - game.y
        dx += game.width * int(dx < 0)
        dy += game.height * int(dy < 0)
        out[dx * game.height + dy] += game.there[i]  # adding 0 is cheaper than asking whether it is still there


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


class Pacman(LaneGame):
    """The settings, spaces, picture and references of grid pac-man.

    Args:
        width, height: cells along x and along y, 2 to 1024.
        n_tokens: tokens in a batch, 1 to 255.
        max_steps: steps in an episode.
        observation, dtype: "flat" or "grid", of "float32" or "uint8".

    Raises:
        ValueError: a setting is out of range.
    """

    reset_lanes = staticmethod(reset_lanes)
    step_lanes = staticmethod(step_lanes)
    settings = ("width", "height", "max_steps")
    keys: ClassVar[dict[str, int]] = {"left": LEFT, "right": RIGHT, "up": UP, "down": DOWN}
    idle: ClassVar[int | None] = STAY

    def __init__(
        self,
        *,
        width: int = 12,
        height: int = 15,
        n_tokens: int = 5,
        max_steps: int = 100,
        observation: str = "flat",
        dtype: str = "float32",
    ) -> None:
        n_tokens = whole_number("n_tokens", n_tokens, 1, 255)
        width, height = whole_number("width", width, 2, 1024), whole_number("height", height, 2, 1024)
        self.blank = np.zeros(1, record(n_tokens))
        self.blank["width"], self.blank["height"] = width, height
        self.blank["max_steps"] = whole_number("max_steps", max_steps, 1, NO_LIMIT)
        self.observation_space = board_space(observation, dtype, n_tokens, width, height)
        self.action_space = spaces.Discrete(5)
        xs, ys, cells = (0, width - 1), (0, height - 1), (0, width * height - 1)
        self.bounds = {"x": xs, "token_x": xs, "y": ys, "token_y": ys, "there": (0, 1), "trail": cells}
        self.bounds["facing"] = (STAY, DOWN)
        self.reference_scores = REFERENCE_SCORES if (width, height, n_tokens, max_steps) == (12, 15, 5, 100) else {}

    def picture(self, game: Any) -> Picture:
        """Show the board, x to the right and y down, the agent's last steps fading behind it."""
        board = np.zeros((game.height, game.width), np.uint8)
        for age in range(min(TRAIL, game.steps), 0, -1):
            x, y = divmod(int(game.trail[(game.steps - age + 1) % TRAIL]), int(game.height))
            board[y, x] = TRAIL_NEW if age <= TRAIL // 2 else TRAIL_OLD
        for x, y, there in zip(game.token_x, game.token_y, game.there, strict=True):
            if there:
                board[y, x] = TWO_TOKENS if board[y, x] in (TOKEN, TWO_TOKENS) else TOKEN
        agent = AGENT_ON_TOKEN if board[game.y, game.x] in (TOKEN, TWO_TOKENS) else AGENT
        board[game.y, game.x] = agent + game.facing
        return Picture(board, TILES, f"score {game.score}   step {game.steps} of {game.max_steps}")

    def references(self) -> dict[str, Reference]:
        """Return the policies behind `reference_scores`, each a function of (observation, random generator)."""
        width, height = int(self.blank["width"][0]), int(self.blank["height"][0])
        return {
            "random": lambda seen, rng: int(rng.integers(5)),
            "nearest token": lambda seen, rng: ACTIONS[nearest_token(seen.ravel(), width, height)],
            "shortest route": lambda seen, rng: ACTIONS[shortest_route(seen.ravel(), width, height)],
        }


def two_discs(surface: Any, colour: Colour) -> None:
    """Draw a disc half behind another."""
    circle(surface, colour, 0.34, 0.36, 0.25)
    circle(surface, GAPS, 0.62, 0.62, 0.3)
    circle(surface, colour, 0.62, 0.62, 0.26)


FACES = [partial(mouth, angle=angle) for angle in (0, 180, 0, 90, 270)]  # by the action that led there
FLOOR, TRAIL_OLD, TRAIL_NEW, TOKEN, TWO_TOKENS, AGENT = range(6)
AGENT_ON_TOKEN = AGENT + len(FACES)
TILES = (
    Tile("floor", ".", (28, 32, 54), plain),
    Tile("older trail", ",", (86, 86, 104), dot),
    Tile("trail", ":", (162, 150, 84), dot),
    Tile("token", "o", (112, 200, 250), disc),
    Tile("two or more tokens", "8", (255, 142, 92), two_discs),
    *(Tile("agent", "C", (255, 222, 60), face) for face in FACES),
    *(Tile("agent on a token", "@", (160, 232, 150), face) for face in FACES),
)


class PacmanEnv(LaneEnv):
    """Grid pac-man as a Gymnasium environment; the settings are those of `Pacman`."""

    game_class = Pacman


class PacmanVectorEnv(LaneVectorEnv):
    """Grid pac-man as a Gymnasium vector environment; the settings are those of `Pacman`."""

    game_class = Pacman
