"""Games as tensors: the checks, the catalogue, memory; against stored tensors of pyCRLD and against enumeration."""

import copy
import json
import pickle
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from popenvs.dilemmas.catalogue import (
    chicken,
    ecological_public_good,
    matching_pennies,
    matrix_game,
    prisoners_dilemma,
    public_goods,
    rock_paper_scissors,
    stag_hunt,
    uncertain_dilemma,
)
from popenvs.dilemmas.game import Game
from popenvs.dilemmas.memory import with_memory
from registration.games import GAMES, load_game

GOLDEN = Path(__file__).parents[1] / "golden" / "crld"
EXACT = {"rtol": 0, "atol": 1e-12}


def stored():
    """Yield (case, which game of which class with which settings and memory, T, R, O) of every stored file."""
    for path in sorted(GOLDEN.glob("*.json")):
        case = json.loads(path.read_text())
        for number, item in enumerate(case.get("items", [case])):
            if "T" not in item or "R" not in item:
                continue
            made = item.get("env") or {"cls": item["base"], "params": item["params"], "h": item["h"]}
            tensors = [np.array(item[name]) for name in "TRO" if name in item]
            yield pytest.param(made, tensors, id=f"{path.stem}/{number}")


def game_like(made):
    """Make the game that a stored one describes."""
    params = made["params"]
    memory = made.get("h") or params.get("h")
    game = base_game(made["cls"].removeprefix("HistoryEmbedded(").rstrip(")"), params.get("base", params))
    return with_memory(game, memory[0], memory[1:]) if memory else game


def base_game(kind, params):
    params = {name: value for name, value in params.items() if name != "h"}
    if kind == "SocialDilemma":
        return matrix_game(**params)
    if kind == "EcologicalPublicGood":
        return ecological_public_good(n=params.pop("N"), **params)
    noise, coin = params.pop("obsnoise"), params.pop("pC")
    if noise <= 0.5:
        return uncertain_dilemma(**params, p_contract=coin, noise=noise)
    game = uncertain_dilemma(**params, p_contract=coin)  # above 1/2 stands for players who see nothing
    return Game(game.transitions, game.rewards, np.ones((2, 2, 1)), start=game.start)


@pytest.mark.parametrize(("made", "tensors"), list(stored()))
def test_transitions_rewards_and_observations_equal_the_stored_ones(made, tensors):
    game = game_like(made)
    for ours, theirs in zip((game.transitions, game.rewards, game.observations), tensors, strict=False):
        np.testing.assert_allclose(ours, theirs, **EXACT)


def test_tensors_are_stored_for_every_kind_of_game():
    ids = [case.id for case in stored()]
    assert len(ids) >= 29
    assert sum(case.startswith("30_history_embedding_tensors") for case in ids) == 8
    assert sum("usd" in case for case in ids) == 5


# ---------------------------------------------------------------- the catalogue, by its words


@pytest.mark.parametrize(
    ("game", "table"),
    [
        (matrix_game(1, 2, 3, 4), [[1, 3], [2, 4]]),
        (prisoners_dilemma(), [[3, 0], [5, 1]]),
        (stag_hunt(), [[1.0, -0.5], [0.8, 0.0]]),
        (chicken(), [[3, 1], [5, 0]]),
        (rock_paper_scissors(), [[0, -1, 1], [1, 0, -1], [-1, 1, 0]]),
    ],
    ids=["matrix_game", "prisoners_dilemma", "stag_hunt", "chicken", "rock_paper_scissors"],
)
def test_a_symmetric_game_pays_the_row_player_its_table_and_the_column_player_the_transpose(game, table):
    n = len(table)
    assert game.rewards[0, 0, :, :, 0].tolist() == table
    assert game.rewards[1, 0, :, :, 0].tolist() == np.transpose(table).tolist()
    assert game.transitions.tolist() == np.ones((1, n, n, 1)).tolist()
    assert game.observations.tolist() == [[[1.0]], [[1.0]]]


def test_matching_pennies_pays_player_0_for_equal_sides():
    assert matching_pennies().rewards[:, 0, :, :, 0].tolist() == [[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]]


FS, CS = (1.5, 2.0, 3.0), (1.0, 4.0, 0.5)


def test_public_goods_of_three_by_enumeration():
    game = public_goods(3, FS, CS)
    for joint in product((0, 1), repeat=3):
        for player in range(3):
            expected = 0.0
            for other in range(3):
                if joint[other] == 0:
                    expected += FS[other] * CS[other] / 3
            if joint[player] == 0:
                expected -= CS[player]
            assert game.rewards[player, 0, *joint, 0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("choice", [False, True])
def test_ecological_public_good_of_three_by_enumeration(choice):
    ms, qcs, qrs = (-1.0, -2.0, -3.0), (0.1, 0.5, 1.0), (0.2, 0.4, 0.9)
    game = ecological_public_good(3, FS, CS, ms, qcs, qrs, degraded_choice=choice)
    plain = public_goods(3, FS, CS)
    for joint in product((0, 1), repeat=3):
        collapse = sum(qcs[i] / 3 for i in range(3) if joint[i] == 1)
        recovery = sum(qrs[i] / 3 for i in range(3) if joint[i] == 0 or not choice)
        expected = np.array([[1 - recovery, recovery], [collapse, 1 - collapse]])
        np.testing.assert_allclose(game.transitions[:, *joint], expected, **EXACT)
        for player, before, after in product(range(3), (0, 1), (0, 1)):
            paid = plain.rewards[player, 0, *joint, 0] if before == after == 1 else ms[player]
            assert game.rewards[player, before, *joint, after] == pytest.approx(paid, abs=1e-12)
    assert game.start.tolist() == [0, 1]
    assert game.states == ("degraded", "prosperous")


def test_an_uncertain_dilemma_draws_its_table_anew_and_shows_it_through_each_players_own_noise():
    game = uncertain_dilemma(1, 2, 3, 4, 5, 6, 7, 8, p_contract=0.3, noise=(0.1, 0.4))
    assert game.transitions.reshape(-1, 2).tolist() == [[0.7, 0.3]] * 8
    assert game.start.tolist() == [0.7, 0.3]
    for state, (R, T, S, P) in enumerate([(1, 2, 3, 4), (5, 6, 7, 8)]):
        for after in range(2):
            assert game.rewards[0, state, :, :, after].tolist() == [[R, S], [T, P]]
            assert game.rewards[1, state, :, :, after].tolist() == [[R, T], [S, P]]
    assert game.observations.tolist() == [[[0.9, 0.1], [0.1, 0.9]], [[0.6, 0.4], [0.4, 0.6]]]


@pytest.mark.parametrize("name", GAMES)
def test_a_name_of_the_table_makes_a_game(name):
    settings = {"R": 3, "T": 5, "S": 0, "P": 1} if name == "matrix_game" else {}
    assert isinstance(load_game(name)(**settings), Game)


def test_an_unknown_game_suggests_the_nearest():
    with pytest.raises(ValueError, match="there is no game 'stag_hunts'; did you mean 'stag_hunt'"):
        load_game("stag_hunts")


@pytest.mark.parametrize(
    ("make", "settings", "says"),
    [
        (prisoners_dilemma, {"T": 2}, "R=3.0, T=2, S=0.0, P=1.0; a prisoner's dilemma has T > R > P > S"),
        (stag_hunt, {"T": 1.1}, "a stag hunt has R > T >= P > S"),
        (chicken, {"S": -1}, "a game of chicken has T > R > S > P"),
        (matrix_game, {"R": float("nan"), "T": 1, "S": 0, "P": 0}, "the reward of player 0 is nan in state '0', joint"),
        (ecological_public_good, {"qc": 1.1}, "qc is 1.1; it must lie between 0 and 1"),
        (ecological_public_good, {"qc": (0.5, -0.1)}, "qc is (0.5, -0.1); it must lie between 0 and 1"),
        (ecological_public_good, {"qr": 2}, "qr is 2; it must lie between 0 and 1"),
        (ecological_public_good, {"f": (1, 2, 3)}, "f is (1, 2, 3); it must be one finite number, or 2"),
        (ecological_public_good, {"m": float("inf")}, "m is inf; it must be one finite number"),
        (public_goods, {"n": 1}, "n is 1; it must be a whole number from 2 to 8"),
        (uncertain_dilemma, {"noise": 0.6}, "noise is 0.6; it must lie between 0 and 0.5"),
        (uncertain_dilemma, {"noise": (0.1, 0.51)}, "noise is (0.1, 0.51); it must lie between 0 and 0.5"),
        (uncertain_dilemma, {"p_contract": -0.1}, "p_contract is -0.1; it must lie between 0 and 1"),
    ],
)
def test_bad_settings_of_the_catalogue_are_refused_with_value_and_range(make, settings, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make(**settings)


# ---------------------------------------------------------------- Game


def asymmetric():
    """A game of 2 states and players with 2 and 3 actions."""
    rng = np.random.default_rng(0)
    transitions = rng.dirichlet((1, 1), size=(2, 2, 3))
    return transitions, rng.normal(size=(2, 2, 2, 3, 2))


def test_players_may_have_different_numbers_of_actions():
    game = Game(*asymmetric(), actions=[("left", "right"), "abc"])
    assert (game.n_players, game.n_states, game.n_actions, game.n_observations) == (2, 2, (2, 3), 2)
    assert game.actions == (("left", "right"), ("a", "b", "c"))
    assert game.states == ("0", "1")
    assert game.start.tolist() == [0.5, 0.5]
    three = Game.from_payoffs(np.arange(3 * 2 * 3 * 4).reshape(3, 2, 3, 4))
    assert three.n_actions == (2, 3, 4)
    assert three.rewards[2, 0, 1, 2, 3, 0] == 3 * 2 * 3 * 4 - 1


def broken(where, value, tensor):
    tensors = [*asymmetric(), np.broadcast_to(np.eye(2), (2, 2, 2)).copy(), np.array([0.5, 0.5])]
    tensors[tensor][where] = value
    return lambda: Game(*tensors[:3], start=tensors[3], states=("low", "high"), actions=("CD", "RPS"))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (broken((1, 0, 2, 0), 0.99, 0), "the transitions from state 'high', joint action (C, S): [0.99,"),
        (
            broken((0, 1, 0), [1.5, -0.5], 0),
            "the transitions from state 'low', joint action (D, R): [1.5, -0.5] sum to 1",
        ),
        (broken((1, 1, 1, 0), np.nan, 0), "the transitions from state 'high', joint action (D, P): [nan,"),
        (broken((1, 0, 1, 2, 1), np.nan, 1), "player 1 is nan in state 'low', joint action (D, S), next state 'high'"),
        (broken((0, 0, 0, 0, 0), -np.inf, 1), "player 0 is -inf in state 'low', joint action (C, R), next state 'low'"),
        (broken((1, 0), [0.5, 0.4], 2), "what player 1 sees of state 'low': [0.5, 0.4] sum to 0.9; they must be prob"),
        (broken(slice(None), [0.5, 0.6], 3), "start: [0.5, 0.6] sum to 1.1"),
        (
            lambda: Game(np.ones((2, 2)), np.ones(1)),
            "transitions have shape (2, 2); they must have (S, A_1, ..., A_N, S)",
        ),
        (lambda: Game(np.ones((2, 2, 3)), np.ones(1)), "transitions have shape (2, 2, 3)"),
        (
            lambda: Game(np.ones((1, 2, 1)), np.ones((1, 2, 1))),
            "rewards have shape (1, 2, 1); they must have (1, 1, 2, 1)",
        ),
        (
            lambda: Game(*asymmetric(), np.ones((2, 1, 1))),
            "observations have shape (2, 1, 1); they must have (N, S, O)",
        ),
        (lambda: Game(*asymmetric(), start=[1]), "start have shape (1,); they must have (2,)"),
        (lambda: Game(*asymmetric(), states=["one"]), "states are named ('one',); 2 names are needed"),
        (lambda: Game(*asymmetric(), actions=["ab"]), "actions name those of 1 players; the game has 2"),
        (lambda: Game([[1, 2], [3]], 0), "transitions must be an array of numbers, all rows of one length"),
        (lambda: Game.from_payoffs(np.ones((2, 3))), "payoffs have shape (2, 3); they must have (N, A_1, ..., A_N)"),
        (lambda: Game.from_payoffs([["a"]]), "payoffs must be an array of numbers"),
    ],
)
def test_what_is_no_game_is_refused_with_the_place_of_the_flaw(make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


def test_a_game_keeps_its_own_tensors_which_cannot_be_written():
    transitions, rewards = asymmetric()
    game = Game(transitions, rewards)
    rewards[:] = 0
    assert game.rewards.any()
    with pytest.raises(ValueError, match="read-only"):
        game.rewards[0] = 0
    for twin in (copy.deepcopy(game), pickle.loads(pickle.dumps(game))):
        assert np.array_equal(twin.transitions, game.transitions)
        assert twin.actions == game.actions


# ---------------------------------------------------------------- memory


def test_memory_of_one_round_by_hand():
    game = with_memory(prisoners_dilemma())
    assert game.states == tuple(f"{a},{b},0|" for a, b in product(("cooperate", "defect"), repeat=2))
    for now, joint in product(range(4), product((0, 1), repeat=2)):
        expected = np.zeros(4)
        expected[2 * joint[0] + joint[1]] = 1
        assert game.transitions[now, *joint].tolist() == expected.tolist()
    assert game.start.tolist() == [0.25] * 4


def test_impossible_histories_are_dropped_and_the_others_lead_to_each_other():
    game = with_memory(ecological_public_good(degraded_choice=True), states=2, actions=1)
    assert game.n_states == 14  # all 16, but for ruin though both cooperate, and recovery though both defect
    assert not {",,prosperous|cooperate,cooperate,degraded|", ",,degraded|defect,defect,prosperous|"} & set(game.states)
    np.testing.assert_allclose(game.transitions.sum(-1), 1, **EXACT)
    first = [game.start[i] for i, name in enumerate(game.states) if name.endswith("prosperous|")]
    assert sum(first) == pytest.approx(1)


def test_memory_for_three_players_of_whom_each_remembers_differently():
    game = with_memory(public_goods(3), states=1, actions=(0, 1, 2))
    assert game.n_states == 1 * 2 * 4
    assert game.states[1] == ",,cooperate,|,cooperate,defect,0|"
    np.testing.assert_allclose(game.transitions.sum(-1), 1, **EXACT)
    plain = public_goods(3)
    for joint in product((0, 1), repeat=3):
        after = game.transitions[0, *joint].argmax()
        assert game.rewards[:, 0, *joint, after].tolist() == plain.rewards[:, 0, *joint, 0].tolist()


def test_a_remembered_state_is_seen_through_the_players_own_noise():
    game = with_memory(uncertain_dilemma(noise=(0.0, 0.2)), states=1, actions=1)
    assert game.observations.shape == (2, 8, 8)
    assert np.array_equal(game.observations[0], np.eye(8))
    np.testing.assert_allclose(game.observations[1, 5, 4:6], [0.2, 0.8], **EXACT)  # defect, cooperate, contract
    assert game.observations[1, 5].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"states": 0}, "states is 0; it must be a whole number from 1 to 8"),
        ({"actions": -1}, "actions is -1; it must be a whole number from 0 to 8"),
        ({"actions": (1, 1, 1)}, "actions is (1, 1, 1); it must be one whole number, or one for each of 2 players"),
        ({"actions": 1.5}, "actions is 1.5; it must be a whole number from 0 to 8"),
    ],
)
def test_bad_memories_are_refused(settings, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        with_memory(prisoners_dilemma(), **settings)


def test_the_package_names_its_games_and_imports_nothing_compiled():
    from popenvs import dilemmas
    from popenvs.dilemmas import Game, stag_hunt, with_memory

    assert with_memory(stag_hunt()).n_states == 4
    assert isinstance(stag_hunt(), Game)
    assert {*GAMES, "Game", "with_memory"} <= set(dilemmas.__all__)
    assert all(getattr(dilemmas, name) is load_game(name) for name in GAMES)
    code = "import sys, popenvs.dilemmas; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
