import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

from popagents import plots
from popagents.animations import (
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
from popagents.culture import Culture
from popagents.lineage import ROW, Transmission
from popagents.plots import (
    DPI,
    MOST,
    WIDTH,
    ancestry,
    apart,
    canvas,
    catch_map,
    draw_links,
    draw_references,
    fitness_curve,
    learning_curve,
    learning_set_curve,
    lineage_graph,
    rows,
    sources,
)

NONE, IMITATION, BIRTH = Transmission
BLUE, ORANGE = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)
Image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")


def lineage_of(fitness, parents=None, second_parents=None, how=IMITATION, steps=10):
    """Write a lineage down: one list of members a generation."""
    fitness = np.array(fitness, float)
    table = np.empty(fitness.shape, ROW)
    table["generation"], table["member"] = np.indices(fitness.shape)
    table["fitness"] = fitness
    table["parent"] = -1 if parents is None else parents
    table["second_parent"] = -1 if second_parents is None else second_parents
    table["transmission"] = np.where(table["parent"] >= 0, how, NONE)
    table["timesteps"] = steps * (1 + table["generation"])
    return table.ravel()


# Member 3 is the fittest at the end. It learned from 0 last, which had learned from 2 before; 1 taught nobody of these.
TAUGHT = lineage_of(
    [[3, 4, 5, 1], [4, 2, 3, 1], [6, 3, 2, 5], [5, 6, 3, 9]],
    [[2, 2, -1, 1], [-1, 0, 0, 2], [-1, 0, 3, 0], [3, 3, 3, -1]],
)
# The best of three is born of 0 and 2, which are born of 1 alone; nobody outlives a generation.
BORN = lineage_of(
    [[1, 2, 3], [2, 3, 4], [5, 1, 2]],
    [[1, 0, 1], [0, 1, 1], [0, 0, 0]],
    [[1, 2, -1], [2, 1, 1], [1, 1, 1]],
    BIRTH,
)


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


def pixels(path, frame=0):
    with Image.open(path) as picture:
        picture.seek(frame)
        return np.asarray(picture.convert("RGB"))


def frames_in(path):
    with Image.open(path) as picture:
        return picture.n_frames


def has(image, colour):
    return (image == colour).all(axis=-1).any()


# ---------------------------------------------------------------- numbers


def test_a_curve_holds_mean_extremes_and_tenths_of_every_generation():
    curve = fitness_curve(lineage_of([np.arange(11.0), [7.0] * 11]))
    assert curve.timesteps.tolist() == [10, 20]
    assert np.allclose(curve, [[10, 20], [5, 7], [0, 7], [1, 7], [9, 7], [10, 7]])


def test_members_without_fitness_do_not_count():
    curve = fitness_curve(lineage_of([[1, np.nan, 3]]))
    assert (curve.mean, curve.lowest, curve.best) == (2, 1, 3)


def test_a_window_averages_neighbours_and_fewer_at_the_ends():
    lineage = lineage_of([[0], [3], [6], [0]])
    assert np.allclose(fitness_curve(lineage, 3).mean, [1.5, 3, 3, 3])
    assert np.allclose(fitness_curve(lineage, 99).mean, fitness_curve(lineage, 4).mean)


def test_who_learns_stays_itself_and_who_is_born_does_not():
    taught, born = TAUGHT.reshape(4, 4), BORN.reshape(3, 3)
    assert sources(taught)[:, 0].tolist() == [[0, 1, 2, 3], [2, 2, -1, 1], [-1] * 4]
    assert sources(born)[:, 0].tolist() == [[-1] * 3, [1, 0, 1], [1, 2, -1]]


def test_the_ancestry_of_a_pupil_is_its_past_its_teachers_and_theirs():
    expected = [[1, 1, 1, 1], [1, 0, 1, 1], [1, 0, 0, 1], [0, 0, 0, 1]]
    assert ancestry(TAUGHT, 3).tolist() == np.ravel(expected).astype(bool).tolist()


def test_what_is_learned_after_the_last_generation_is_no_part_of_the_ancestry():
    assert ancestry(TAUGHT, 1).reshape(4, 4)[-1].tolist() == [False, True, False, False]


def test_the_ancestry_of_a_child_is_its_parents_and_theirs():
    assert ancestry(BORN, 0).reshape(3, 3).tolist() == [[False, True, False], [True, False, True], [True, False, False]]
    assert ancestry(BORN, 1).reshape(3, 3)[0].tolist() == [True, False, True]


def test_who_neither_learns_nor_is_born_has_only_its_own_past():
    assert ancestry(lineage_of([[1, 2], [2, 1], [0, 3]]), 1).tolist() == [False, True] * 3


def test_a_lineage_whose_generations_differ_in_size_or_lack_is_refused():
    with pytest.raises(ValueError, match="lineage has 0 rows"):
        fitness_curve(np.empty(0, ROW))
    with pytest.raises(ValueError, match="15 rows in 4 generations"):
        ancestry(TAUGHT[:-1], 0)


# ---------------------------------------------------------------- the layout of a graph


def test_who_has_long_been_an_ancestor_keeps_a_row_on_top():
    table = TAUGHT.reshape(4, 4)
    row = rows(table, ancestry(TAUGHT, 3).reshape(4, 4), births=False)
    assert (row == [1, 3, 2, 0]).all()


def test_with_births_the_fittest_of_each_generation_is_on_top_and_the_unknown_at_the_bottom():
    table = BORN.reshape(3, 3).copy()
    table["fitness"][0, 2] = np.nan
    row = rows(table, np.zeros((3, 3), bool), births=True)
    assert row.tolist() == [[1, 0, 2], [2, 1, 0], [0, 2, 1]]


def test_reference_lines_stand_at_their_scores_and_their_names_apart():
    _, axes = canvas(4)
    axes.set_ylim(0, 10)
    draw_references(axes, {"good": 9.1, "random": 1.0, "best": 9.2})
    assert sorted(line.get_ydata()[0] for line in axes.lines) == [1.0, 9.1, 9.2]
    names = {text.get_text(): text.get_position()[1] for text in axes.texts}
    low, high = axes.get_ylim()
    assert names["random 1"] == 1
    assert names["good 9.1"] < 9.1 < 9.2 < names["best 9.2"]
    assert names["best 9.2"] - names["good 9.1"] >= 0.059 * (high - low)


def test_one_strong_line_leads_on_from_every_ancestor_and_faint_ones_show_the_rest():
    table, found = TAUGHT.reshape(4, 4), ancestry(TAUGHT, 3).reshape(4, 4)
    _, axes = canvas(4)
    draw_links(axes, table, found, rows(table, found, births=False))
    faint, pale, strong = (
        [tuple(line[[0, -1]].ravel()) for line in drawn.get_segments()] for drawn in axes.collections
    )
    into_the_champion = [(2, 0, 3, 0), (2, 1, 3, 0)]
    assert [line for line in strong if line[0] == 2] == into_the_champion
    assert [line[0] for line in strong].count(1) == 3
    assert [line[0] for line in strong].count(0) == 4
    assert pale == [(0, 2, 1, 1)]  # member 2 taught member 0, and lived on to teach again
    assert len(faint) + len(pale) + len(strong) == (sources(table)[:, :-1] >= 0).sum()


# ---------------------------------------------------------------- files


def test_a_learning_curve_is_a_picture_of_a_pages_width(tmp_path):
    path = learning_curve(TAUGHT, tmp_path / "curve.png", {"random": 1.0}, "A title")
    assert path == tmp_path / "curve.png"
    assert pixels(path).shape[1] == WIDTH * DPI
    assert has(pixels(path), ORANGE)


def test_a_long_run_is_smoothed_and_says_so(tmp_path):
    lineage = lineage_of(np.random.default_rng(0).random((500, 3)))
    assert "mean of 8 generations" in learning_curve(lineage, tmp_path / "curve.svg").read_text()


@pytest.mark.parametrize("lineage", [TAUGHT, BORN, lineage_of([[1, 2]]), lineage_of([[1, 2], [np.nan, 1]])])
def test_a_lineage_graph_shows_an_ancestry(tmp_path, lineage):
    image = pixels(lineage_graph(lineage, tmp_path / "graph.png"))
    assert image.shape[1] == WIDTH * DPI
    assert has(image, ORANGE)


def test_a_graph_shows_the_generations_and_the_champion_asked_for(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(plots, "draw_links", lambda axes, table, found, row: seen.append((table, found)))
    lineage_graph(TAUGHT, tmp_path / "graph.png", generations=(1, 2), champion=2)
    table, found = seen[0]
    assert table["generation"][:, 0].tolist() == [1, 2]
    assert found.tolist() == [[True, False, True, False], [False, False, True, False]]


def test_generations_that_were_not_lived_are_refused(tmp_path):
    with pytest.raises(ValueError, match="choose generations that were lived"):
        lineage_graph(TAUGHT, tmp_path / "graph.png", generations=(7, 9))


def test_a_large_population_is_drawn_in_part_and_says_so(tmp_path):
    rng = np.random.default_rng(0)
    lineage = lineage_of(rng.random((3, 100)), rng.integers(100, size=(3, 100)))
    assert f"members ({MOST} of 100)" in lineage_graph(lineage, tmp_path / "graph.svg").read_text()


def test_figures_are_drawn_from_what_a_learner_leaves_behind(tmp_path):
    model = Culture("LinearPolicy", "CartPole-v1", population_size=4, seed=0).learn(400)
    assert learning_curve(model.lineage, tmp_path / "curve.png").stat().st_size > 10_000
    assert lineage_graph(model.lineage, tmp_path / "graph.png").stat().st_size > 10_000


def test_heights_move_apart_as_little_as_it_takes():
    assert apart(np.array([1.0, 5.0]), 2).tolist() == [1, 5]
    assert np.allclose(apart(np.array([3.0, 3.0]), 2), [2, 4])


def test_a_learning_set_curve_names_every_curve_and_its_last_share(tmp_path):
    curves = {"training pairs": [0.5, 0.996], "held-out pairs": np.array([0.48, 0.97])}
    path = learning_set_curve(curves, tmp_path / "curve.svg", {"random": [0.5, 0.5]}, "A title")
    assert path == tmp_path / "curve.svg"
    text = path.read_text()
    assert all(name in text for name in ("training pairs 99.6", "held-out pairs 97", "random 50", "A title"))


def test_a_learning_set_curve_is_a_picture_of_a_pages_width(tmp_path):
    image = pixels(learning_set_curve({"one": [0, 1, 0.5], "other": [1, 1, 1]}, tmp_path / "curve.png"))
    assert image.shape[1] == WIDTH * DPI
    assert has(image, BLUE)
    assert has(image, ORANGE)


@pytest.mark.parametrize("curves", [{}, {"a": []}, {"a": [0.5], "b": [0.5, 1]}, {"a": [50, 98]}, {"a": [np.nan]}])
def test_curves_that_are_no_shares_of_the_same_trials_are_refused(tmp_path, curves):
    with pytest.raises(ValueError, match="all of one length, and each a share of right choices from 0 to 1"):
        learning_set_curve(curves, tmp_path / "curve.png")


def test_a_catch_map_shows_the_fruits_from_left_to_right_and_the_baskets_upwards(tmp_path):
    caught = np.ones((15, 13), bool)
    caught[:5, :4] = False
    image = pixels(catch_map(caught, tmp_path / "map.png"))[:, : 7 * DPI]  # without the legend
    missed, hit = (np.argwhere((image == colour).all(axis=-1)) for colour in (ORANGE, BLUE))
    assert missed[:, 0].min() > hit[:, 0].min()  # not on top,
    assert missed[:, 0].max() >= hit[:, 0].max()  # but at the bottom
    assert missed[:, 1].min() <= hit[:, 1].min()  # of the left,
    assert missed[:, 1].max() < hit[:, 1].max()  # and not of the right
    assert len(hit) / (len(hit) + len(missed)) == pytest.approx(175 / 195, abs=0.01)


def test_a_catch_map_says_how_many_are_caught_and_where_the_baskets_begin(tmp_path):
    text = catch_map(np.array([[True, False], [True, True]]), tmp_path / "map.svg", first_basket=7).read_text()
    assert all(words in text for words in ("3 of 4 starts are caught", "caught 3", "missed 1", "<!-- 8 -->"))


@pytest.mark.parametrize("caught", [np.ones(5, bool), np.ones((3, 3)), np.ones((0, 3), bool)])
def test_what_is_no_table_of_truths_is_no_catch_map(tmp_path, caught):
    with pytest.raises(ValueError, match=r"it must be bool, \(fruit columns, baskets\)"):
        catch_map(caught, tmp_path / "map.png")


# ---------------------------------------------------------------- animations


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


@pytest.mark.parametrize(
    ("module", "name", "draw"),
    [
        ("matplotlib.figure", "matplotlib", lambda path: learning_curve(TAUGHT, path)),
        ("matplotlib.figure", "matplotlib", lambda path: lineage_graph(TAUGHT, path)),
        ("matplotlib.figure", "matplotlib", lambda path: learning_set_curve({"one": [0.5]}, path)),
        ("matplotlib.figure", "matplotlib", lambda path: catch_map(np.ones((2, 2), bool), path)),
        ("PIL.Image", "Pillow", lambda path: film_strip([[np.zeros((4, 4, 3), np.uint8)]], path)),
        ("PIL.Image", "Pillow", lambda path: save_gif([np.zeros((4, 4, 3), np.uint8)], path)),
    ],
)
def test_what_is_missing_is_named_with_its_remedy(tmp_path, monkeypatch, module, name, draw):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf'{name} is not installed; run `pip install "popzoo\[zoo\]"`'):
        draw(tmp_path / "figure")


def test_importing_plots_imports_no_drawing_library():
    code = "import sys, popagents.plots; assert not {'matplotlib', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pyplot_is_never_imported():
    code = (
        "import sys, tempfile, numpy as np; from popagents import lineage, plots;"
        "folder = tempfile.mkdtemp(); rows = np.zeros(2, lineage.ROW); rows['parent'] = rows['second_parent'] = -1;"
        "plots.learning_curve(rows, folder + '/a.png'); plots.lineage_graph(rows, folder + '/b.png');"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
