import gymnasium as gym
import numpy as np
import pytest

from popagents.plots.animations import (
    LONGEST,
    STRIP_WIDTH,
    WIDEST,
    before_after_gif,
    episode_frames,
    film_strip,
    films_gif,
    mosaic,
    save_gif,
)
from tests.plots.pictures import ORANGE, Image, frames_in, pixels


class Walk(gym.Env):
    """A walk of `length` steps, as a bar that grows; the background shows the seed."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10, "reference_scores": {"random": 0.5, "best": 9.0}}  # noqa: RUF012
    observation_space = gym.spaces.Box(0, 1e3, (1,))
    action_space = gym.spaces.Discrete(2)

    def __init__(self, length=6, width=48, render_mode="rgb_array"):
        self.length, self.width, self.render_mode = length, width, render_mode

    def reset(self, *, seed=None, options=None):
        self.seed, self.x, self.steps = seed, 0, 0
        return self.observe(), {}

    def observe(self):
        return np.array([self.steps], np.float32)

    def step(self, action):
        self.x, self.steps = self.x + int(action), self.steps + 1
        return self.observe(), float(action), self.steps >= self.length, False, {}

    def render(self):
        frame = np.full((32, self.width, 3), 10 * self.seed, np.uint8)
        frame[8:24, : 4 * (self.x + 1)] = ORANGE
        return frame


class Walker:
    """Always steps `action`, and remembers how it was asked."""

    def __init__(self, action=1):
        self.action, self.calls = action, []

    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        self.calls.append((float(observation[0]), state, episode_start.tolist(), deterministic))
        return np.array(self.action), len(self.calls)


def test_an_episode_is_played_to_its_end_with_the_likeliest_actions():
    walker = Walker()
    frames = episode_frames(Walk(length=3), walker, seed=7)
    assert [int((frame == ORANGE).all(axis=-1)[8].sum()) for frame in frames] == [4, 8, 12, 16]
    assert frames[0][0, 0].tolist() == [70, 70, 70]
    assert walker.calls == [(0, None, [True], True), (1, 1, [False], True), (2, 2, [False], True)]


def test_a_long_episode_is_left():
    assert len(episode_frames(Walk(length=50), Walker(), max_frames=5)) == 5
    assert len(episode_frames(Walk(length=LONGEST + 9), Walker())) == LONGEST


def test_an_environment_that_draws_no_frames_is_refused():
    with pytest.raises(ValueError, match=r'render_mode is None; .* render_mode="rgb_array"'):
        episode_frames(Walk(render_mode=None), Walker())


def test_an_animation_keeps_frames_colours_and_time(tmp_path):
    frames = episode_frames(Walk(), Walker(), seed=3)
    path = save_gif(frames, tmp_path / "walk.gif", fps=20)
    assert frames_in(path) == len(frames)
    assert all((pixels(path, i) == frame).all() for i, frame in enumerate(frames))
    with Image.open(path) as picture:
        assert (picture.info["duration"], picture.info["loop"]) == (50, 0)


def test_wide_frames_are_scaled_down_by_a_whole_number(tmp_path):
    frames = episode_frames(Walk(width=2 * WIDEST), Walker())
    assert pixels(save_gif(frames, tmp_path / "wide.gif")).shape == (16, WIDEST, 3)


def test_an_animation_of_a_board_is_small(tmp_path):
    rng = np.random.default_rng(0)
    tiles = rng.integers(256, size=(4, 32, 32, 3), dtype=np.uint8)  # as coarse as no drawing is
    board = np.zeros((16, 12), int)
    frames = []
    for cell in range(100):
        board[cell // 12, cell % 12] = 1 + cell % 3
        frames.append(tiles[board].swapaxes(1, 2).reshape(512, 384, 3))
    assert save_gif(frames, tmp_path / "board.gif").stat().st_size < 400_000


def test_before_and_after_stand_side_by_side_in_the_same_episode_under_their_names(tmp_path):
    path = before_after_gif(Walk, Walker(0), Walker(1), tmp_path / "both.gif", seed=2)
    last = pixels(path, frames_in(path) - 1)
    assert last.shape == (32 + 4, 48 + 2 + 48, 3)
    assert (last[:4] > 250).all(axis=-1).any()
    assert (last[:4, :48] != last[:4, 50:]).any()
    assert (last[5, 0] == 20).all()
    assert (last[5, 50] == 20).all()
    bars = (last == ORANGE).all(axis=-1)[20]
    assert (bars[:48].sum(), bars[50:].sum()) == (4, 28)


def test_who_is_done_first_waits_for_the_other(tmp_path):
    worlds = [Walk(length=2), Walk(length=5)]
    path = before_after_gif(lambda: worlds.pop(0), Walker(), Walker(), tmp_path / "both.gif")
    bars = (pixels(path, frames_in(path) - 1) == ORANGE).all(axis=-1)[20]
    assert (frames_in(path), bars[:48].sum(), bars[50:].sum()) == (6, 12, 24)


def films(*lengths, width=48):
    return [episode_frames(Walk(length, width), Walker(), seed=seed) for seed, length in enumerate(lengths)]


def bars(row):
    """Return how long the orange bar is in each frame of a row of a mosaic."""
    return [int((row[12, x : x + 48] == ORANGE).all(axis=-1).sum()) for x in range(0, row.shape[1], 50)]


def test_a_mosaic_lays_frames_out_in_rows_with_white_gaps():
    a, b, c, d = (np.full((3, 48, 3), value, np.uint8) for value in range(4))
    laid = mosaic([[a, b], [c, d]])
    assert laid.shape == (3 + 2 + 3, 48 + 2 + 48, 3)
    assert laid[[0, 0, 7, 7], [0, 97, 0, 97], 0].tolist() == [0, 1, 2, 3]
    assert (laid[3:5] == 255).all()
    assert (laid[:, 48:50] == 255).all()


def test_a_film_strip_has_a_row_for_each_episode_from_its_first_frame_to_its_last(tmp_path):
    image = pixels(film_strip(films(6, 2), tmp_path / "strip.png", moments=4))
    assert bars(image[:32]) == [4, 12, 20, 28]
    assert bars(image[34:]) == [4, 12, 12, 12]
    assert (image[34, 0] == 10).all()  # the second seed


def test_a_wide_film_strip_is_scaled_down(tmp_path):
    image = pixels(film_strip(films(3, width=480), tmp_path / "strip.png", moments=8))
    assert STRIP_WIDTH <= image.shape[1] < 2 * STRIP_WIDTH


def test_films_run_beside_each_other_and_who_is_done_first_waits(tmp_path):
    path = films_gif(films(2, 5, 3), tmp_path / "films.gif", columns=2)
    assert frames_in(path) == 6
    last = pixels(path, 5)
    assert bars(last[:32]) == [12, 24]
    assert bars(last[34:]) == [16, 0]
    assert (last[34:, 50:] == 255).all()  # no fourth film
    assert pixels(films_gif(films(2, 5, 3), tmp_path / "films.gif", columns=9)).shape == (32, 3 * 50 - 2, 3)


def test_no_film_and_too_few_moments_or_columns_are_refused(tmp_path):
    for nothing in ([], [[]]):
        with pytest.raises(ValueError, match="as `episode_frames` returns them"):
            film_strip(nothing, tmp_path / "strip.png")
        with pytest.raises(ValueError, match="as `episode_frames` returns them"):
            films_gif(nothing, tmp_path / "films.gif")
    with pytest.raises(ValueError, match="moments is 1"):
        film_strip(films(2), tmp_path / "strip.png", moments=1)
    with pytest.raises(ValueError, match="columns is 0"):
        films_gif(films(2), tmp_path / "films.gif", columns=0)
