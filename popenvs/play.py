"""`python -m popenvs.play PopHarlow-v0 [--episodes 10]`: play with the arrow keys, in a window.

A game that knows an idle action runs by itself; another waits for a key, and one press is one step. After the last
episode, or when the window is closed (or Esc pressed), the game reports how well it was played.
"""

import argparse
import contextlib
import warnings
from typing import Any

import gymnasium as gym

import popenvs  # noqa: F401  (fills the registry)
from popenvs.drawing import import_pygame
from registration.environments import ENVIRONMENTS
from registration.names import unknown

PAUSE = 800  # in which the end of an episode can be seen (milliseconds)
POLLS = 30  # looks at the keyboard while a game waits (per second)


class Session(gym.Wrapper[Any, Any, Any, Any]):
    """Keeps every reward, shows how each episode ends, and closes the window after the last."""

    def __init__(self, env: gym.Env[Any, Any], episodes: int) -> None:
        super().__init__(env)
        self.game = env.unwrapped.game  # type: ignore[attr-defined]
        self.episodes = episodes
        self.rewards: list[list[float]] = []  # one list an episode that has begun
        self.returns: list[float] = []  # one sum an episode that is over
        self._last: tuple[Any, dict[str, Any]] = (None, {})

    def play(self) -> None:
        """Play until the last episode is over or the window is closed.

        Raises:
            DependencyNotInstalled: pygame is missing.
        """
        name = self.spec.id if self.spec else type(self.game).__name__
        import_pygame().display.set_caption(f"{name}: arrow keys play, Esc ends")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a missing matplotlib, for plots that are none of ours
            from gymnasium.utils.play import play
        waits, fps = self.game.idle is None, self.metadata["render_fps"]
        with contextlib.suppress(KeyboardInterrupt):
            play(self, fps=POLLS if waits else fps, noop=self.game.idle or 0, wait_on_player=waits)

    def reset(self, **keywords: Any) -> tuple[Any, dict[str, Any]]:
        """Begin the next episode; after the last one, close the window instead."""
        pygame = import_pygame()
        if self.returns:
            pygame.time.wait(PAUSE)
        if len(self.returns) == self.episodes:
            pygame.event.post(pygame.event.Event(pygame.QUIT))
            return self._last
        self.rewards = [*filter(None, self.rewards), []]  # `play` resets twice before the first step
        return super().reset(**keywords)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Play a step, and let go of the keys if the game waits for the next press."""
        observation, reward, terminated, truncated, info = super().step(action)
        self.rewards[-1].append(float(reward))
        if terminated or truncated:
            self.returns.append(sum(self.rewards[-1]))
            self._last = observation, info
        if self.game.idle is None:
            pygame = import_pygame()
            for (key,) in self.get_wrapper_attr("get_keys_to_action")():
                pygame.event.post(pygame.event.Event(pygame.KEYUP, key=key))
        return observation, reward, terminated, truncated, info


def known_id(name: str) -> str:
    """Return an id of the table, without the name of the package.

    Raises:
        ArgumentTypeError: there is no such environment.
    """
    env_id = name.removeprefix("popenvs:")
    if env_id in ENVIRONMENTS:
        return env_id
    raise argparse.ArgumentTypeError(unknown("environment", env_id, ENVIRONMENTS))


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
    env = gym.make(chosen.id, render_mode="rgb_array")
    game = env.unwrapped.game  # type: ignore[attr-defined]
    session = Session(env, chosen.episodes or game.played_episodes)
    session.play()
    print(f"{chosen.id}: {len(session.returns)} of {session.episodes} episodes were played to their end")
    print(game.report(session.returns, session.rewards))


if __name__ == "__main__":
    main()
