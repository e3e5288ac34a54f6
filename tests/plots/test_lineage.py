import numpy as np
import pytest

from popagents.common.lineage import ROW, Transmission
from popagents.learners.culture.culture import Culture
from popagents.plots import canvas, descent, learning_curve, lineage_graph
from popagents.plots.descent import MOST, ancestry, draw_links, rows, sources
from popagents.plots.fitness import fitness_curve
from popagents.plots.style import DPI, WIDTH
from tests.plots.pictures import ORANGE, has, pixels

NONE, IMITATION, BIRTH = Transmission


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


def test_a_learning_curve_shows_the_tests_of_the_policy_only_where_there_are_any(tmp_path):
    green = (0x00, 0x9E, 0x73)
    assert not has(pixels(learning_curve(TAUGHT, tmp_path / "without.png")), green)
    assert has(pixels(learning_curve(TAUGHT, tmp_path / "with.png", tests=([0, 20], [1.0, 2.0]))), green)


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
    monkeypatch.setattr(descent, "draw_links", lambda axes, table, found, row: seen.append((table, found)))
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
