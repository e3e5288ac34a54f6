import subprocess
import sys

import numpy as np
import pytest

from popagents.common.lineage import ROW
from popagents.plots import canvas, catch_map, evaluation_curves, learning_curve, learning_set_curve, lineage_graph
from popagents.plots.animations import film_strip, save_gif
from popagents.plots.evaluations import mean_and_error
from popagents.plots.style import DPI, WIDTH, apart, draw_references
from tests.plots.pictures import BLUE, ORANGE, has, pixels

ALONE = np.zeros(1, ROW)  # the lineage of one member in one generation


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


def test_heights_move_apart_as_little_as_it_takes():
    assert apart(np.array([1.0, 5.0]), 2).tolist() == [1, 5]
    assert np.allclose(apart(np.array([3.0, 3.0]), 2), [2, 4])


def test_tests_have_a_mean_and_a_standard_error():
    mean, error = mean_and_error("a run", [10, 20], [[1.0, 2.0, 6.0], [4.0, 4.0, 4.0]])
    assert mean.tolist() == [3, 4]
    assert error == pytest.approx([np.std([1, 2, 6], ddof=1) / 3**0.5, 0])
    assert mean_and_error("one game", [5], [[7.0]])[1].tolist() == [0]


def test_evaluation_curves_name_every_run_and_reference(tmp_path):
    runs = {"seed 0": ([0, 1000], [[1, 2], [3, 5]]), "seed 1": (np.array([500]), np.array([[4.0]]))}
    path = evaluation_curves(runs, tmp_path / "tests.svg", {"random": 1.5}, "A title")
    assert all(text in path.read_text() for text in ("seed 0", "seed 1", "random 1.5", "A title"))
    shown = pixels(evaluation_curves(runs, tmp_path / "tests.png"))
    assert has(shown, BLUE)
    assert has(shown, ORANGE)


@pytest.mark.parametrize("results", [[], [[]], [[1.0, 2.0]], [1.0, 2.0]])
def test_tests_that_do_not_fit_their_steps_are_refused(results, tmp_path):
    with pytest.raises(ValueError, match=r"run 'mine' was tested at steps of shape \(2,\) with returns of shape"):
        evaluation_curves({"mine": ([1, 2], results)}, tmp_path / "tests.png")


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


@pytest.mark.parametrize(
    ("module", "name", "draw"),
    [
        ("matplotlib.figure", "matplotlib", lambda path: learning_curve(ALONE, path)),
        ("matplotlib.figure", "matplotlib", lambda path: lineage_graph(ALONE, path)),
        ("matplotlib.figure", "matplotlib", lambda path: learning_set_curve({"one": [0.5]}, path)),
        ("matplotlib.figure", "matplotlib", lambda path: catch_map(np.ones((2, 2), bool), path)),
        ("PIL.Image", "Pillow", lambda path: film_strip([[np.zeros((4, 4, 3), np.uint8)]], path)),
        ("PIL.Image", "Pillow", lambda path: save_gif([np.zeros((4, 4, 3), np.uint8)], path)),
    ],
)
def test_what_is_missing_is_named_with_its_remedy(tmp_path, monkeypatch, module, name, draw):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf'{name} is not installed; run `pip install "\.\[zoo\]"` in '):
        draw(tmp_path / "figure")


def test_importing_plots_imports_no_drawing_library():
    code = "import sys, popagents.plots; assert not {'matplotlib', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pyplot_is_never_imported():
    code = (
        "import sys, tempfile, numpy as np; from popagents import plots; from popagents.common import lineage;"
        "folder = tempfile.mkdtemp(); rows = np.zeros(2, lineage.ROW); rows['parent'] = rows['second_parent'] = -1;"
        "plots.learning_curve(rows, folder + '/a.png'); plots.lineage_graph(rows, folder + '/b.png');"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
