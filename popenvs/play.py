"""`python -m popenvs.play PopHarlow-v0 [--episodes 10]`: play with the arrow keys, in a window that names them.

A game that knows an idle action runs by itself once a first key was pressed; another waits for every key, and one press
is one step. After the last episode, or when the window is closed (or Esc pressed), the game reports how well it was
played.
"""

import argparse
import contextlib
from dataclasses import replace
from typing import Any

import gymnasium as gym
from gymnasium.error import DependencyNotInstalled

import popenvs  # noqa: F401  (fills the registry)
from popenvs.drawing import Keyboard, Picture, Window, has_display, import_pygame
from registration.environments import ENVIRONMENTS
from registration.names import unknown

PAUSE = 800  # in which the end of an episode can be seen (milliseconds)
POLLS = 30  # looks at the keyboard while a game waits (per second)


class Session:
    """Lets a person play, and keeps every reward.

    Args:
        env: one of this package's.
        episodes: how many are to be played.

    Attributes:
        rewards: one list an episode that has begun.
        returns: one sum an episode that is over.
        begun: whether a key was pressed.

    Raises:
        DependencyNotInstalled: pygame is missing.
    """

    def __init__(self, env: Any, episodes: int) -> None:
        self.env = env.unwrapped
        self.game = self.env.game
        self.episodes = episodes
        self.rewards: list[list[float]] = []
        self.returns: list[float] = []
        self.begun = False
        self._actions = {code: action for (code,), action in self.env.get_keys_to_action().items()}
        self._keyboard = Keyboard(self._actions)
        self._window = Window(env.spec.id if env.spec else type(self.game).__name__)

    def play(self) -> None:
        """Play until the last episode is over, the window closed or Esc pressed."""
        with contextlib.suppress(KeyboardInterrupt):
            while len(self.returns) < self.episodes and not self.left():
                self.episode()
        self._window.close()

    def episode(self) -> None:
        """Play an episode and leave time to see how it ended; presses in that time are for nothing."""
        self.env.reset()
        self.rewards.append([])
        over = False
        while not over:
            self.frame()
            if self.left():
                return
            over = self.step(self.action())
        self.returns.append(sum(self.rewards[-1]))
        self.frame()
        import_pygame().time.wait(PAUSE)
        self.frame()
        self._keyboard.forget()

    def frame(self) -> None:
        """Show the game as it stands, then look at the keyboard."""
        runs = self.begun and self.game.idle is not None
        self._window.show(self.picture(), self.env.metadata["render_fps"] if runs else POLLS)
        if not self._window.dismissed:
            self._keyboard.look()

    def picture(self) -> Picture:
        """Return the game's picture with the keys below it."""
        picture = self.game.picture(self.env.games[0])
        told = picture.caption if self.begun or self.game.idle is None else "begin with one of these keys"
        return replace(picture, caption=f"{told}\n{self.game.key_help()}   Esc: end")

    def left(self) -> bool:
        """Tell whether the player has closed the window or pressed Esc."""
        return self._window.dismissed or self._keyboard.escaped

    def action(self) -> int | None:
        """Return what the player does now, None while the game waits for a key."""
        key = self._keyboard.take()
        if key is None and self.game.idle is not None:
            key = self._keyboard.held()
        if key is None:
            return self.game.idle if self.begun else None
        self.begun = True
        return self._actions[key]

    def step(self, action: int | None) -> bool:
        """Play a step, none where the action is None; tell whether the episode is over."""
        if action is None:
            return False
        _, reward, terminated, truncated, _ = self.env.step(action)
        self.rewards[-1].append(float(reward))
        return bool(terminated or truncated)

    def report(self) -> str:
        """Write how much was played, and how well."""
        told = f"{len(self.returns)} of {self.episodes} episodes were played to their end"
        for rewards in filter(None, self.rewards[len(self.returns) :]):
            told += f"; one was left at step {len(rewards)} with a score of {sum(rewards):g}"
        return f"{told}\n{self.game.report(self.returns, self.rewards)}"


def known_id(name: str) -> str:
    """Return an id of the table, without the name of the package.

    Raises:
        ArgumentTypeError: there is no such environment.
    """
    env_id = name.removeprefix("popenvs:")
    if env_id in ENVIRONMENTS:
        return env_id
    raise argparse.ArgumentTypeError(unknown("environment", env_id, ENVIRONMENTS))


def check_screen(parser: argparse.ArgumentParser) -> None:
    """End the program, with one line, where pygame or a display is missing."""
    try:
        if has_display():
            return
    except DependencyNotInstalled as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    parser.exit(
        1, f"{parser.prog}: there is no display to open a window on; play where there is one (`ssh -X` lends yours)\n"
    )


def main(arguments: list[str] | None = None) -> None:
    """Play one environment and print the score; without an id, list them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("id", nargs="?", type=known_id, help="what to play; without it, all ids are listed")
    parser.add_argument("--episodes", type=int, help="how many (default: the game's own number)")
    chosen = parser.parse_args(arguments)
    if chosen.id is None:
        print("python -m popenvs.play ID, where ID is one of:", *ENVIRONMENTS, sep="\n  ")
        return
    if chosen.episodes is not None and chosen.episodes < 1:
        parser.error(f"--episodes is {chosen.episodes}; it must be 1 or more")
    check_screen(parser)
    env = gym.make(chosen.id)
    session = Session(env, chosen.episodes or env.unwrapped.game.played_episodes)  # type: ignore[attr-defined]
    session.play()
    print(f"{chosen.id}: {session.report()}")


if __name__ == "__main__":
    main()
