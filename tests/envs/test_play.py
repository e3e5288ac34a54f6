import sys
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest

from popenvs.drawing.as_image import STRIP, strip_image
from popenvs.engine.references import beside_references
from popenvs.engine.single import LaneEnv
from popenvs.harlow import Harlow
from popenvs.play import PAUSE, POLLS, Session, main
from registration.environments import ENVIRONMENTS

pygame = pytest.importorskip("pygame")
KEYS = {
    "left": pygame.K_LEFT,
    "right": pygame.K_RIGHT,
    "up": pygame.K_UP,
    "down": pygame.K_DOWN,
    "c": pygame.K_c,
    "d": pygame.K_d,
    "space": pygame.K_SPACE,
    "esc": pygame.K_ESCAPE,
}


@pytest.fixture
def person(monkeypatch):
    """Put somebody before a screen that does not exist.

    `does` is what they do after each frame, words in a row: press a key (its name), let go of it ("-" and its name),
    "close" the window, "interrupt", or None; when nothing is left they close the window. The rest is what happened.
    """
    somebody = SimpleNamespace(does=[], frames=[], actions=[], rewards=[], rates=set(), waits=[])
    step = LaneEnv.step

    def flip():
        somebody.title = pygame.display.get_caption()[0]
        somebody.frames.append(pygame.surfarray.array3d(pygame.display.get_surface()))
        acts = somebody.does.pop(0) if somebody.does else "close"
        for act in (acts or "").split():
            if act == "interrupt":
                raise KeyboardInterrupt
            if act == "close":
                pygame.event.post(pygame.event.Event(pygame.QUIT))
            else:
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


def strips(frame):
    """Return the two lines below a board, (2, STRIP, width, 3)."""
    return frame.swapaxes(0, 1)[-2 * STRIP :].reshape(2, STRIP, -1, 3)


def caption(env_id, *actions):
    """Return what a window says after some actions, line by line."""
    session = Session(gym.make(env_id), 1)
    session.env.reset(seed=0)
    session.rewards.append([])
    session.begun = bool(actions)
    for action in actions:
        session.step(action)
    return session.picture().caption.split("\n")


# ---------------------------------------------------------------- what the window says


def test_the_window_names_every_key(env_id):
    keys, told = gym.make(env_id).unwrapped.game.keys, caption(env_id)[1]
    assert all(key in told for key in keys)
    assert told.endswith("   Esc: end")


def test_the_keys_of_a_dilemma_come_with_the_names_of_its_actions():
    assert caption("PopStagHunt-v0")[1] == "your row:   up or c: cooperate   down or d: defect   Esc: end"


def test_a_game_that_runs_by_itself_waits_for_the_first_key(person):
    person.does = [None] * 20
    main(["PopPacman-v0"])
    assert person.actions == []
    assert person.rates == {POLLS}
    assert len(person.frames) == 21
    for frame in person.frames:
        assert (strips(frame)[0] == strip_image("begin with one of these keys", 384)).all()
        assert (strips(frame)[1] == strip_image("keys: left, right, up, down   Esc: end", 384)).all()


def test_once_begun_the_window_tells_the_score_above_the_keys(person):
    assert caption("PopPacman-v0", 2)[0] == "score 0   step 1 of 100"
    assert caption("PopHarlow-v0")[0] == "trial 1 of 6"
    assert caption("PopPrisonersDilemma-v0", 0, 0, 1)[0] == "round 3   score 11   cooperate 67 : 100 %"


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


def test_a_press_while_the_end_of_an_episode_is_shown_chooses_nothing(person):
    person.does = [*presses(*["left"] * 5), "left", "right -right", *[None] * 5]
    main(["PopHarlow-v0"])
    assert person.actions == [0] * 6


def test_other_keys_choose_nothing(person):
    person.does = presses("up", "space")
    main(["PopHarlow-v0"])
    assert person.actions == []


def test_the_window_shows_the_last_problem_until_it_closes(person):
    person.does = [*presses(*["left"] * 6), *[None] * 5]
    main(["PopHarlowOneHot-v0", "--episodes", "1"])
    assert len(person.actions) == 6
    assert person.does != []  # it closed by itself
    assert person.title == "PopHarlowOneHot-v0"
    end, begin = person.frames[-1], person.frames[0]
    assert (person.frames[-2] == end).all()
    assert (begin != end).any()


@pytest.mark.parametrize("way", ["close", "esc", "interrupt"])
def test_who_stops_early_sees_what_was_played(person, capsys, way):
    person.does = [*presses("left", "right", "left"), way, None]
    main(["popenvs:PopHarlow-v0"])
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == (
        "PopHarlow-v0: 0 of 10 episodes were played to their end; "
        f"one was left at step 3 with a score of {sum(person.rewards):g}"
    )
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


# ---------------------------------------------------------------- a dilemma waits, too


def test_who_leaves_a_dilemma_keeps_the_score_of_the_rounds_played(person, capsys):
    person.does = [*presses("up", "down", "c", "d", "up"), "esc"]
    main(["PopStagHunt-v0"])
    assert person.actions == [0, 1, 0, 1, 0]
    assert person.rewards == [1, pytest.approx(0.8), -0.5, pytest.approx(0.8), -0.5]  # against tit for tat
    assert capsys.readouterr().out.splitlines() == [
        "PopStagHunt-v0: 0 of 3 episodes were played to their end; one was left at step 5 with a score of 1.6",
        "a round paid, on average",
        "always defect        0.01",
        "you                  0.32",
        "random               0.33",
        "always cooperate     1.00",
        "best memory-one      1.00",
    ]


# ---------------------------------------------------------------- the other games run by themselves


def test_pacman_walks_while_a_key_is_pressed_and_stays_otherwise(person, capsys):
    person.does = [None, "right", *[None] * 4, "-right", "up", None, "-up", *[None] * 200]
    main(["PopPacman-v0", "--episodes", "1"])
    assert len(person.actions) == 100
    assert "".join(map(str, person.actions)).rstrip("0") == "22222033"
    assert person.rates == {POLLS, 8}
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "PopPacman-v0: 1 of 1 episodes were played to their end"
    assert f"{'you':<16} {sum(person.rewards):8.2f}" in lines
    assert {line[:16].strip() for line in lines[1:]} == {"you", "random", "nearest token", "shortest route"}


def test_a_tap_between_two_frames_is_a_step_and_several_are_as_many(person):
    person.does = ["right -right", None, "up -up left -left", None, None]
    main(["PopPacman-v0"])
    assert person.actions == [2, 0, 3, 1, 0]


def test_of_two_keys_held_the_later_counts_until_it_is_let_go(person):
    person.does = ["right", None, "up", None, "-up", None]
    main(["PopPacman-v0"])
    assert person.actions == [2, 2, 3, 3, 2, 2]


def test_who_leaves_pacman_keeps_the_score(person, capsys):
    person.does = ["right", None, "esc"]
    main(["PopPacman-v0"])
    assert person.actions == [2, 2]
    score = f"{sum(person.rewards):g}"
    assert f"to their end; one was left at step 2 with a score of {score}\n" in capsys.readouterr().out


def test_three_fruits_fall_unless_another_number_was_asked_for(person, capsys):
    person.does = ["left -left", *[None] * 100]
    main(["PopFruitCatch-v0"])
    assert person.actions == [0, *[1] * (3 * 13 - 1)]
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
        (["--env", "Pacman"], "there is no environment 'Pacman'; did you mean 'PopPacman-v0'? There are: "),
        (["stag_hunt"], "there is no environment 'stag_hunt'; did you mean 'PopStagHunt-v0'? There are: "),
        (["Tetris"], "there is no environment 'Tetris'; There are: PopPacman-v0, "),
        (["PopHarlow-v0", "--episodes", "0"], "--episodes is 0; it must be 1 or more"),
        (["PopHarlow-v0", "--episodes", "few"], "--episodes: invalid int value: 'few'"),
    ],
)
def test_a_bad_command_is_refused_with_a_hint(capsys, arguments, says):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert says in capsys.readouterr().err


def told_in_one_line(capsys):
    """Play, and return the only line of an exit with status 1."""
    with pytest.raises(SystemExit, match="1"):
        main(["PopHarlow-v0"])
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    return line


def test_without_pygame_one_line_names_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pygame", None)
    assert 'pygame is not installed; run `pip install ".[render]"` in ' in told_in_one_line(capsys)


def test_where_no_display_can_be_reached_one_line_says_so(monkeypatch, capsys):
    monkeypatch.setenv("SDL_VIDEODRIVER", "none such")
    assert "there is no display to open a window on" in told_in_one_line(capsys)


@pytest.mark.parametrize("driver", ["offscreen", "dummy"])
def test_where_sdl_would_draw_unseen_one_line_says_so(monkeypatch, capsys, driver):
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    monkeypatch.setattr(pygame.display, "init", lambda: None)
    monkeypatch.setattr(pygame.display, "get_driver", lambda: driver)
    assert "there is no display to open a window on" in told_in_one_line(capsys)
