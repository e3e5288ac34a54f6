import sys
from types import SimpleNamespace

import numpy as np
import pytest
from gymnasium.error import DependencyNotInstalled

from popenvs.engine.references import beside_references
from popenvs.engine.single import LaneEnv
from popenvs.harlow import Harlow, HarlowEnv
from popenvs.play import PAUSE, POLLS, Session, main
from registration.environments import ENVIRONMENTS

pygame = pytest.importorskip("pygame")
KEYS = {
    "left": pygame.K_LEFT,
    "right": pygame.K_RIGHT,
    "up": pygame.K_UP,
    "space": pygame.K_SPACE,
    "esc": pygame.K_ESCAPE,
}


@pytest.fixture
def person(monkeypatch):
    """Put somebody before a screen that does not exist.

    `does` is what they do after each frame: press a key (its name), let go of it ("-" and its name), "close" the
    window, "interrupt", or None; when nothing is left they close the window. The rest is what happened.
    """
    somebody = SimpleNamespace(does=[], frames=[], actions=[], rewards=[], rates=set(), waits=[])
    step = LaneEnv.step

    def flip():
        somebody.title = pygame.display.get_caption()[0]
        somebody.frames.append(pygame.surfarray.array3d(pygame.display.get_surface()))
        act = somebody.does.pop(0) if somebody.does else "close"
        if act == "interrupt":
            raise KeyboardInterrupt
        if act == "close":
            pygame.event.post(pygame.event.Event(pygame.QUIT))
        elif act is not None:
            kind = pygame.KEYUP if act.startswith("-") else pygame.KEYDOWN
            pygame.event.post(pygame.event.Event(kind, key=KEYS[act.removeprefix("-")]))

    def recorded_step(env, action):
        result = step(env, action)
        somebody.actions.append(action)
        somebody.rewards.append(result[1])
        return result

    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr(pygame.display, "flip", flip)
    monkeypatch.setattr(pygame.time, "Clock", lambda: SimpleNamespace(tick=somebody.rates.add))
    monkeypatch.setattr(pygame.time, "wait", somebody.waits.append)
    monkeypatch.setattr(LaneEnv, "step", recorded_step)
    yield somebody
    pygame.quit()


def presses(*keys):
    """Press keys slowly enough for each to be seen, and let go of none."""
    return [act for key in keys for act in (key, None, None)]


# ---------------------------------------------------------------- Harlow's experiment waits for the player


def test_a_session_of_harlow_takes_one_step_a_press_and_prints_the_score_by_trial(person, capsys):
    keys = ["left", "right", "right", "left", "left", "right"] * 2
    person.does = [None, None, *presses(*keys), *[None] * 5]
    main(["PopHarlow-v0", "--episodes", "2"])
    assert person.actions == [0, 1, 1, 0, 0, 1] * 2
    right = (np.reshape(person.rewards, (2, 6)) > 0).mean(0)
    assert capsys.readouterr().out.splitlines() == [
        "PopHarlow-v0: 2 of 2 episodes were played to their end",
        "trial     you  random  one-shot",
        *(f"{t:>5}  {you:>6.0%}     50%  {'    100%' if t > 1 else '     50%'}" for t, you in enumerate(right, 1)),
    ]
    assert person.rates == {POLLS}
    assert person.waits == [PAUSE] * 2


def test_a_key_that_stays_pressed_is_one_choice(person):
    person.does = ["right", *[None] * 20]
    main(["PopHarlow-v0"])
    assert person.actions == [1]


def test_other_keys_choose_nothing(person):
    person.does = presses("up", "space")
    main(["PopHarlow-v0"])
    assert person.actions == []


def test_the_window_shows_the_last_problem_until_it_closes(person):
    person.does = [*presses(*["left"] * 6), *[None] * 5]
    main(["PopHarlowOneHot-v0", "--episodes", "1"])
    assert len(person.actions) == 6
    assert person.does != []  # it closed by itself
    assert person.title == "PopHarlowOneHot-v0: arrow keys play, Esc ends"
    end, begin = person.frames[-1], person.frames[0]
    assert (person.frames[-2] == end).all()
    assert (begin != end).any()


@pytest.mark.parametrize("way", ["close", "esc", "interrupt"])
def test_who_stops_early_sees_what_was_played(person, capsys, way):
    person.does = [*presses("left", "right", "left"), way, None]
    main(["popenvs:PopHarlow-v0"])
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "PopHarlow-v0: 0 of 10 episodes were played to their end"
    you = [line.split()[1] for line in lines[1:]]
    assert you == [f"{reward > 0:.0%}" for reward in person.rewards] + ["-"] * 3
    assert len(person.rewards) == 3


def test_the_accuracy_by_trial_counts_the_problems_that_came_so_far():
    lines = Harlow(n_trials=4).report([], [[1, -1, 1], [-1, 1, 1], [1, 1], [1]]).splitlines()
    assert [line.split() for line in lines] == [
        ["trial", "you", "random", "one-shot"],
        ["1", "75%", "50%", "50%"],
        ["2", "67%", "50%", "100%"],
        ["3", "100%", "50%", "100%"],
        ["4", "-", "50%", "100%"],
    ]
    cents = Harlow(n_trials=2, reward=0.25, punishment=0.1)
    assert cents.report([], [[0.25, 0.1]]).split()[-7:-2] == [*("100%", "50%", "50%", "2", "0%")]


# ---------------------------------------------------------------- the other games run by themselves


def test_pacman_walks_while_a_key_is_pressed_and_stays_otherwise(person, capsys):
    person.does = [None, "right", *[None] * 4, "-right", "up", None, "-up", *[None] * 200]
    main(["PopPacman-v0", "--episodes", "1"])
    assert len(person.actions) == 100
    assert "".join(map(str, person.actions)).strip("0") == "22222033"
    assert person.rates == {8}
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "PopPacman-v0: 1 of 1 episodes were played to their end"
    assert f"{'you':<16} {sum(person.rewards):8.2f}" in lines
    assert {line[:16].strip() for line in lines[1:]} == {"you", "random", "nearest token", "shortest route"}


def test_three_fruits_fall_unless_another_number_was_asked_for(person, capsys):
    person.does = [None] * 100
    main(["PopFruitCatch-v0"])
    assert person.actions == [1] * 3 * 13
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "PopFruitCatch-v0: 3 of 3 episodes were played to their end"
    assert f"{'you':<16} {sum(person.rewards) / 3:8.2f}" in lines
    assert len(person.waits) == 3


def test_who_plays_nothing_to_its_end_sees_the_references(person, capsys):
    main(["PopFruitCatch-v0"])
    assert capsys.readouterr().out.splitlines() == [
        "PopFruitCatch-v0: 0 of 3 episodes were played to their end",
        "random              -0.60",
        "follow the fruit     1.00",
    ]


def test_the_player_stands_among_the_references_in_order():
    assert beside_references([1.0, 2.0], {"random": 0.0, "best": 3.0}).split() == [
        *("random", "0.00", "you", "1.50", "best", "3.00")
    ]


def test_every_reset_but_the_second_begins_a_new_list(person):
    pygame.display.init()
    session = Session(HarlowEnv(n_trials=1), 3)
    for _ in range(2):  # gymnasium's `play` resets twice before the first step
        session.reset()
    session.step(0)
    session.reset()
    assert [len(rewards) for rewards in session.rewards] == [1, 0]


# ---------------------------------------------------------------- the command line


def test_without_an_id_all_are_listed(capsys):
    main([])
    assert capsys.readouterr().out.split()[-len(ENVIRONMENTS) :] == list(ENVIRONMENTS)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["PopHarlw-v0"],
            "there is no environment 'PopHarlw-v0'; did you mean 'PopHarlow-v0'? There are: PopPacman-v0, ",
        ),
        (["Tetris"], "there is no environment 'Tetris'; There are: PopPacman-v0, "),
        (["PopHarlow-v0", "--episodes", "0"], "--episodes is 0; it must be 1 or more"),
        (["PopHarlow-v0", "--episodes", "few"], "--episodes: invalid int value: 'few'"),
    ],
)
def test_a_bad_command_is_refused_with_a_hint(capsys, arguments, says):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert says in capsys.readouterr().err


def test_without_pygame_the_error_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(DependencyNotInstalled, match=r'run `pip install "\.\[render\]"` in '):
        main(["PopHarlow-v0"])
