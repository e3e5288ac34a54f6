"""Pictures of the dynamics: what they draw is what they return; the command for those who only want the picture."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from popagents import dynamics, plots
from popagents.plots import dynamics_command as command
from popagents.plots.strategy_space import label
from popagents.plots.style import INK
from popenvs.dilemmas import catalogue
from tests.dynamics.cases import CYCLE, random_game


def stag_hunt():
    return dynamics.ActorCritic(catalogue.stag_hunt(), 0.1, 0.9)


def test_the_arrows_of_a_flow_point_where_its_data_say():
    figure, (axes,) = plots.squares()
    data = plots.flow_plot(stag_hunt(), axes=axes, grid=5)
    [arrows] = axes.collections
    angles = np.arctan2(arrows.V, arrows.U).reshape(5, 5)
    np.testing.assert_allclose(angles, np.arctan2(data.dy, data.dx), atol=1e-9)
    lengths, pull = np.hypot(arrows.U, arrows.V), np.hypot(data.dx, data.dy).ravel()
    assert (np.argsort(lengths) == np.argsort(pull)).all()
    assert lengths.max() == pytest.approx(0.95 * (data.points[1] - data.points[0]))
    np.testing.assert_allclose(data.dx, dynamics.flow(stag_hunt(), grid=5).dx)
    figure.canvas.draw()


def test_trajectories_and_fixed_points_lie_over_the_flow():
    learner = stag_hunt()
    run = learner.trajectory([[[0.6, 0.4]], [[0.55, 0.45]]])
    figure, (axes,) = plots.squares()
    points = np.array([[[[0.0, 1]], [[0, 1]]], [[[5 / 7, 2 / 7]]] * 2])
    plots.flow_plot(learner, axes=axes, style="stream", trajectories=run, fixed_points=points)
    way, ring, dot, stable, saddle = axes.lines
    np.testing.assert_allclose(way.get_xydata(), run.strategies[:, :, 0, 0])
    assert ring.get_xydata().tolist() == [[0.6, 0.55]]
    np.testing.assert_allclose(dot.get_xydata(), run.strategies[-1:, :, 0, 0])
    assert (stable.get_markerfacecolor(), saddle.get_markerfacecolor()) == (INK, "white")
    figure.canvas.draw()


def test_a_time_course_draws_each_choice_to_the_end_of_each_way(tmp_path):
    learner = dynamics.ActorCritic(catalogue.ecological_public_good(), 0.1, 0.9)
    run = learner.trajectory(learner.random_strategies(2), 400, tolerance=1e-4)
    _, (axes,) = plots.squares()
    data = plots.trajectory_plot(learner, run, axes=axes)
    assert list(data) == [f"player {i}: cooperate, {state}" for i in range(2) for state in ("degraded", "prosperous")]
    assert data["player 1: cooperate, degraded"].shape == (run.n_steps.max() + 1, 2)
    np.testing.assert_allclose(data["player 1: cooperate, degraded"], run.strategies[:, :, 1, 0, 0])
    assert [len(line.get_xdata()) for line in axes.lines[:2]] == (run.n_steps + 1).tolist()
    plots.trajectory_plot(learner, run, [(0, 1, 1)], path=tmp_path / "time.png", title="Over time")
    assert (tmp_path / "time.png").stat().st_size > 1000


def test_values_are_drawn_over_time_too(tmp_path):
    learner = dynamics.ValueSarsa(catalogue.stag_hunt(), 0.1, 0.9)
    data = plots.trajectory_plot(learner, learner.trajectory(np.zeros((2, 1, 2))), path=tmp_path / "values.png")
    assert list(data) == ["player 0: cooperate", "player 1: cooperate"]


def test_a_basin_map_is_coloured_by_its_labels(tmp_path):
    _, (axes,) = plots.squares()
    data = plots.basin_plot(stag_hunt(), axes=axes, grid=11)
    [mesh] = axes.collections
    assert (mesh.get_array() == data.labels).all()
    assert set(np.unique(data.labels)) == {0, 1}
    plots.basin_plot(stag_hunt(), path=tmp_path / "basins.png", grid=5, max_steps=1)
    assert (tmp_path / "basins.png").stat().st_size > 1000


def test_a_simplex_shows_evolution_and_learning_alike(tmp_path):
    evolution = dynamics.replicator(catalogue.rock_paper_scissors(), single=True)
    path = evolution.trajectory([0.5, 0.3, 0.2], 20)
    points, pull = plots.simplex_plot(evolution, path, path=tmp_path / "evolution.png", grid=4)
    np.testing.assert_allclose(points.sum(-1), 1)
    assert (points > 0).all()
    np.testing.assert_allclose(pull, evolution.derivative(points))
    learner = dynamics.ActorCritic(CYCLE, 0.1, 0.0)
    _, errors = plots.simplex_plot(
        learner, learner.trajectory(learner.random_strategies(2), 5), path=tmp_path / "l.png", grid=4
    )
    np.testing.assert_allclose(errors[0], points[0] @ [[0, 1, -1], [-1, 0, 1], [1, -1, 0]], atol=1e-12)
    two = dynamics.replicator(catalogue.rock_paper_scissors())
    np.testing.assert_allclose(plots.simplex_plot(two, path=tmp_path / "two.png", grid=4)[1], pull)


def test_axes_and_lines_are_named_after_the_game():
    assert label(stag_hunt(), (1, 0, 1)) == "player 1: defect"
    partial = dynamics.PartiallyObservableActorCritic(catalogue.uncertain_dilemma(noise=0.1), 0.1, 0.9)
    assert label(partial, (0, 1, 0)) == "player 0: cooperate, after observation 1"
    nameless = dynamics.ActorCritic(random_game(0, (2, 3), 2), 0.1, 0.9)
    assert label(nameless, (0, 1, 0)) == "player 0: 0, state 1"


def test_a_picture_goes_to_axes_or_to_a_file(tmp_path):
    with pytest.raises(ValueError, match="give one of them"):
        plots.flow_plot(stag_hunt())
    with pytest.raises(ValueError, match="give one of them"):
        plots.flow_plot(stag_hunt(), axes=plots.squares()[1][0], path=tmp_path / "flow.png")
    with pytest.raises(ValueError, match="style is 'arrow'"):
        plots.flow_plot(stag_hunt(), path=tmp_path / "flow.png", style="arrow")
    with pytest.raises(ValueError, match=r"the players have \[2, 2\] actions; a simplex needs 3"):
        plots.simplex_plot(stag_hunt(), path=tmp_path / "flow.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("game", ["stag_hunt", "rock_paper_scissors", "public_goods", "uncertain_dilemma"])
def test_the_command_draws_a_named_game(game, tmp_path, capsys):
    path = tmp_path / "new" / "flow.png"
    command.main([game, "--out", str(path), "--learner", "sarsa", "--intensity", "5", "--starts", "2"])
    assert path.stat().st_size > 10_000
    assert capsys.readouterr().out.splitlines()[-1] == str(path)


def test_the_command_draws_four_payoffs(tmp_path, capsys):
    path = tmp_path / "flow.png"
    command.main(["matrix_game", "--payoffs", "3", "5", "0", "1", "--out", str(path)])
    assert path.stat().st_size > 10_000


def test_the_command_draws_the_state_in_which_play_begins(tmp_path, monkeypatch):
    drawn, flow_plot = [], plots.flow_plot

    def seen(learner, x, y, **settings):
        drawn.append(flow_plot(learner, x, y, **settings))
        assert (x, y) == ((0, 1, 0), (1, 1, 0))  # prosperous
        return drawn[-1]

    monkeypatch.setattr("popagents.plots.flow_plot", seen)
    command.main(["ecological_public_good", "--out", str(tmp_path / "flow.png"), "--starts", "1"])
    assert max(abs(drawn[0].dx).max(), abs(drawn[0].dy).max()) > 1e-3


def test_the_command_says_where_random_starts_end(tmp_path, capsys):
    command.main(["stag_hunt", "--out", str(tmp_path / "flow.png"), "--style", "stream"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("end at [[0.0], [0.0]] (probabilities of action 0)")
    assert lines[1].endswith("end at [[1.0], [1.0]] (probabilities of action 0)")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["stag_hunter"], "invalid choice"),
        (["matrix_game"], "matrix_game needs four payoffs, for example --payoffs 3 5 0 1"),
        (["matrix_game", "--payoffs", "3", "5"], "--payoffs: expected 4 arguments"),
        (["prisoners_dilemma", "--payoffs", "1", "2", "3", "4"], "T > R > P > S"),
        (["stag_hunt", "--discount", "1"], "discount is 1.0"),
    ],
)
def test_the_command_refuses_what_it_cannot_draw(arguments, text, capsys):
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert text in capsys.readouterr().err


def test_the_dynamics_load_neither_torch_nor_stable_baselines_nor_matplotlib():
    heavy = "{'torch', 'stable_baselines3', 'matplotlib', 'popenvs'}"
    code = f"import sys, popagents.dynamics, popagents.plots; print({heavy} & {{*sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
