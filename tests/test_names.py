"""One sentence for every unknown name, whichever table it is missing from."""

import pytest

from popenvs.dilemmas import prisoners_dilemma, strategy
from registration.games import GAMES, load_game
from registration.learners import LEARNERS, load_learner
from registration.names import load, nearest, unknown


def test_an_unknown_name_comes_with_the_nearest_and_all_there_are():
    assert unknown("game", "chikken", ["chicken", "stag_hunt"]) == (
        "there is no game 'chikken'; did you mean 'chicken'? There are: chicken, stag_hunt"
    )
    assert unknown("game", 3, ["chicken"]) == "there is no game 3; There are: chicken"


def test_small_letters_and_capitals_count_as_the_same():
    assert nearest("harlow", ["PopHarlow-v0", "PopPacman-v0"]) == "; did you mean 'PopHarlow-v0'?"
    assert nearest("CULTUR", ["culture"]) == "; did you mean 'culture'?"


@pytest.mark.parametrize(
    ("use", "says"),
    [
        (lambda: load_game("stag_hunnt"), "there is no game 'stag_hunnt'; did you mean 'stag_hunt'? There are: "),
        (lambda: load_learner("cultur"), "there is no learner 'cultur'; did you mean 'culture'? There are: "),
        (
            lambda: strategy("tit_for_tatt", prisoners_dilemma()),
            "there is no opponent 'tit_for_tatt'; did you mean 'tit_for_tat'? There are: ",
        ),
    ],
    ids=["game", "learner", "opponent"],
)
def test_every_table_says_so(use, says):
    with pytest.raises(ValueError, match="there is no") as error:
        use()
    assert str(error.value).startswith(says)


def test_a_name_of_a_table_is_imported():
    assert load("game", "chicken", GAMES) is load_game("chicken")
    assert all(isinstance(load_learner(name), type) for name in LEARNERS)
