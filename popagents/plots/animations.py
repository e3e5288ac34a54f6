"""Episodes as animations and film strips: any environment that renders frames, any policy with SB3's `predict`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from popagents.common.optional import needed
from popagents.plots.style import INK
from popagents.rollout.make_env import single_env

LONGEST = 400  # frames of an episode
WIDEST = 800  # animation that is not scaled down (pixels)
STRIP_WIDTH = 1000  # a film strip is scaled down by whole numbers as long as it stays this wide (pixels)
COLOURS = 128  # of the palette that all frames of an animation share


def episode_frames(env: gym.Env, policy: Any, seed: int = 0, max_frames: int = LONGEST) -> list[np.ndarray]:
    """Play an episode with deterministic actions and return its rendered frames, (height, width, 3) uint8 each.

    Args:
        env: made with `render_mode="rgb_array"`.
        policy: anything with SB3's `predict`.
        seed: of the episode.
        max_frames: the episode is cut off after so many.

    Raises:
        ValueError: the environment draws no frames.
    """
    if env.render_mode != "rgb_array":
        raise ValueError(f'env.render_mode is {env.render_mode!r}; make the environment with render_mode="rgb_array"')
    observation, _ = env.reset(seed=seed)
    frames: list[Any] = [env.render()]
    state, over = None, False
    while not over and len(frames) < max_frames:
        first = np.array([len(frames) == 1])
        action, state = policy.predict(observation, state=state, episode_start=first, deterministic=True)
        observation, _, terminated, truncated, _ = env.step(action)
        frames.append(env.render())
        over = terminated or truncated
    return frames


def save_gif(frames: Sequence[np.ndarray], path: str | Path, fps: int = 10) -> Path:
    """Write a GIF that repeats, with a pause on its last frame; frames wider than 800 pixels are scaled down.

    Args:
        frames: (height, width, 3) uint8 each, all of one size.
        path: the file to write.
        fps: frames a second.
    """
    image = needed("PIL.Image")
    factor = -(-frames[0].shape[1] // WIDEST)
    small = [image.fromarray(frame).reduce(factor) for frame in frames]
    sample = np.concatenate([np.asarray(frame) for frame in small[:: 1 + len(small) // 12]])
    palette = image.fromarray(sample).quantize(COLOURS)
    first, *others = [frame.quantize(palette=palette, dither=image.Dither.NONE) for frame in small]
    durations = [1000 // fps] * len(others) + [1500]
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0)
    return Path(path)


def before_after_gif(
    env: str | Callable[[], gym.Env], before: Any, after: Any, path: str | Path, seed: int = 0, fps: int = 10
) -> Path:
    """Animate two policies side by side, each in the same episode; the shorter one shows its last frame to the end.

    Args:
        env: a Gymnasium id, or a function that makes an environment with `render_mode="rgb_array"`.
        before: anything with SB3's `predict`.
        after: likewise.
        path: the file to write.
        seed: of the episode.
        fps: frames a second.
    """
    films = []
    for name, policy in (("before", before), ("after", after)):
        world = single_env(env, render_mode="rgb_array") if isinstance(env, str) else env()
        frames = episode_frames(world, policy, seed)
        world.close()
        strip = label(name, frames[0].shape[1])
        films.append([np.concatenate([strip, frame]) for frame in frames])
    length = max(map(len, films))
    left, right = (film + film[-1:] * (length - len(film)) for film in films)
    gap = np.full((left[0].shape[0], left[0].shape[1] // 24, 3), 255, np.uint8)
    return save_gif([np.concatenate([a, gap, b], axis=1) for a, b in zip(left, right, strict=True)], path, fps)


def film_strip(films: Sequence[Sequence[np.ndarray]], path: str | Path, moments: int = 8) -> Path:
    """Write episodes as one picture: a row for each, from the first frame on the left to the last on the right.

    Args:
        films: an episode's frames each, (height, width, 3) uint8, all of one size.
        path: the file to write; its suffix says the format.
        moments: frames of each episode, evenly spaced in time; shorter episodes repeat their last frame.

    Raises:
        ValueError: there is no film, one is empty, or fewer than two moments are asked for.
    """
    if moments < 2:
        raise ValueError(f"moments is {moments}; a strip shows at least 2, the first frame and the last")
    check_films(films)
    latest = max(map(len, films)) - 1
    shown = [round(k * latest / (moments - 1)) for k in range(moments)]
    picture = mosaic([[film[min(frame, len(film) - 1)] for frame in shown] for film in films])
    factor = max(1, picture.shape[1] // STRIP_WIDTH)
    needed("PIL.Image").fromarray(picture).reduce(factor).save(path)
    return Path(path)


def films_gif(films: Sequence[Sequence[np.ndarray]], path: str | Path, columns: int = 5, fps: int = 6) -> Path:
    """Animate episodes beside each other; shorter ones show their last frame to the end.

    Args:
        films: an episode's frames each, (height, width, 3) uint8, all of one size.
        path: the file to write.
        columns: episodes in a row; white fills up the last.
        fps: frames a second.

    Raises:
        ValueError: there is no film, one is empty, or columns is below 1.
    """
    if columns < 1:
        raise ValueError(f"columns is {columns}; it must be 1 or more")
    check_films(films)
    blank = np.full_like(films[0][0], 255)
    frames = []
    for moment in range(max(map(len, films))):
        now = [film[min(moment, len(film) - 1)] for film in films]
        now += [blank] * (-len(now) % min(columns, len(now)))
        frames.append(mosaic([now[i : i + columns] for i in range(0, len(now), columns)]))
    return save_gif(frames, path, fps)


def check_films(films: Sequence[Sequence[np.ndarray]]) -> None:
    """Raise ValueError where there is no film, or one without frames."""
    if not films or not all(map(len, films)):
        raise ValueError(
            f"films holds {len(films)} episodes of {[len(film) for film in films]} frames; it must hold at least one, "
            "and each a frame or more, as `episode_frames` returns them"
        )


def mosaic(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Lay frames out in rows, all equally long, with white gaps of a twenty-fourth of their width between them."""
    width = rows[0][0].shape[1] // 24
    padded = [[np.pad(frame, ((0, width), (0, width), (0, 0)), constant_values=255) for frame in row] for row in rows]
    return np.concatenate([np.concatenate(row, axis=1) for row in padded])[: -width or None, : -width or None]


def label(text: str, width: int) -> np.ndarray:
    """Draw a word in the middle of a strip of a tenth of its width: (width // 10, width, 3) uint8."""
    strip = needed("PIL.Image").new("RGB", (width, width // 10), "white")
    font = needed("PIL.ImageFont").load_default(width // 14)
    needed("PIL.ImageDraw").Draw(strip).text((width // 2, width // 20), text, INK, font, anchor="mm")
    return np.asarray(strip)
