import re

import numpy as np
import pytest

from popagents.plots import cooperation_curves, tournament_table
from popagents.plots.style import DPI, WIDTH
from tests.plots.pictures import pixels


def test_cooperation_curves_have_a_panel_a_game_and_a_line_a_run(tmp_path):
    games = {"the dilemma": [[0.5, 0.1, 0.0], [0.4, 0.2, 0.1]], "the hunt": np.ones((1, 3))}
    text = cooperation_curves(games, tmp_path / "curves.svg", "A title").read_text()
    assert all(name in text for name in ("the dilemma", "the hunt", "A title", "cooperation (%)"))
    lines = re.findall(r"stroke: #0072b2", text)
    assert len(lines) == 3


def test_cooperation_curves_are_a_picture_of_a_pages_width(tmp_path):
    image = pixels(cooperation_curves({"one": [[0.0, 1.0]]}, tmp_path / "curves.png"))
    assert image.shape[1] == WIDTH * DPI


@pytest.mark.parametrize("rates", [[], [0.5, 0.5], [[]], [[1.5]], [[np.nan]], [[0.5], [0.5, 0.5]]])
def test_rates_that_are_no_table_of_shares_are_refused(tmp_path, rates):
    with pytest.raises(
        ValueError, match=r"the rates of 'x' are .*; they must be \(runs, generations\), each from 0 to 1"
    ):
        cooperation_curves({"x": rates}, tmp_path / "curves.png")
    with pytest.raises(ValueError, match="games is empty"):
        cooperation_curves({}, tmp_path / "curves.png")


def test_a_tournament_table_ranks_by_mean_and_writes_every_score(tmp_path):
    text = tournament_table(["al_pha", "beta"], [[1.25, 0.5], [5, 3.75]], tmp_path / "table.svg", "A title").read_text()
    written = re.findall(r"<!-- (.*?) -->", text)
    labels = [word for word in written if word in ("al pha", "beta")]
    assert labels == ["beta", "al pha"] * 2  # columns, then rows
    assert [word for word in written if re.fullmatch(r"\d\.\d\d", word)] == [
        "3.75",
        "0.50",
        "5.00",
        "1.25",
        "4.38",
        "0.88",
    ]
    assert "A title" in written


@pytest.mark.parametrize("scores", [[[1.0]], [[1, 2], [3, np.inf]], [1, 2]])
def test_scores_that_are_not_one_number_a_pair_are_refused(tmp_path, scores):
    with pytest.raises(ValueError, match=r"and must have \(2, 2\), all finite"):
        tournament_table(["a", "b"], scores, tmp_path / "table.png")
