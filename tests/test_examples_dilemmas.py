"""The examples of dilemmas, each on a budget of seconds."""

import re

import pytest

pytest.importorskip("matplotlib")

from examples import dilemma_culture, dilemma_tournament


def test_a_culture_in_four_dilemmas_leaves_its_rates_and_a_figure(tmp_path, capsys):
    dilemma_culture.main(["--generations", "1", "--runs", "1", "--folder", str(tmp_path)])
    output = capsys.readouterr().out
    ends = [int(rate) for rate in re.findall(r"last generations: (\d+) %$", output, re.MULTILINE)]
    assert len(ends) == len(dilemma_culture.GAMES) == 4
    assert all(30 < rate < 70 for rate in ends)  # of the first generation, whose strategies are random
    assert (tmp_path / "cooperation.png").stat().st_size
    assert output.rstrip().endswith(str(tmp_path / "cooperation.png"))


def test_the_tournament_ranks_grim_first_without_noise_and_not_with_it(tmp_path, capsys):
    winners = []
    for noise in ("0", "0.05"):
        dilemma_tournament.main(["--noise", noise, "--folder", str(tmp_path)])
        output = capsys.readouterr().out
        ranking = re.findall(r"^  \d\. (\w+) +\d\.\d{3}$", output, re.MULTILINE)
        assert len(ranking) == 8
        winners.append(ranking[0])
        assert (tmp_path / "tournament.png").stat().st_size
    assert winners[0] == "grim"
    assert winners[1] != "grim"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--game", "stag"], "there is no game 'stag'; did you mean 'stag_hunt'?"),
        (["--game", "stag_hunt"], "generous_tit_for_tat needs T > R > P > S"),
        (["--game", "matrix_game"], "missing 4 required positional arguments"),
        (["--rounds", "0"], "rounds is 0"),
        (["--noise", "2"], "noise is 2.0"),
    ],
)
def test_a_tournament_that_cannot_be_held_ends_in_one_line(arguments, says, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        dilemma_tournament.main([*arguments, "--folder", str(tmp_path)])
    assert says in capsys.readouterr().err
