"""The published package's numbers, reproduced: every case in tests/golden/crld (its README says how they were made)."""

import numpy as np
import pytest

from popagents import dynamics
from popagents.dynamics.averages import belief, state_averages
from popenvs.dilemmas import catalogue
from popenvs.dilemmas.memory import with_memory
from tests.dynamics.cases import FOLDER, game, learner, load

NUMBERS = sorted(path.name[:2] for path in FOLDER.glob("*.json"))
AGENTS = [number for number in NUMBERS if number < "29"]


def outputs(model, X):
    """Work out everything that a reference file holds, by its names there."""
    played = model.state_strategies(X)
    states = state_averages(model.tensors, played)
    own, occupation = model.averages(X), model.stationary(X)
    error = model.prediction_error(X)
    on_states = dynamics.ActorCritic(model.game, model.learning_rate, model.discount)
    on_states.scale = model.scale
    found = {
        "Tss": states.chain[0],
        "Tisas": states.transitions,
        "Ris": (played * states.rewards).sum(-1),
        "Risa": states.rewards,
        "Vis": on_states.values(played),
        "Qisa": on_states.action_values(played),
        "Ps": occupation,
        "Ri": model.mean_rewards(X),
        "RPE": error,
        "RPE_norm_over_actions": model.prediction_error(X, centered=True),
        "step_next": model.step(X),
        "reverse_step_next": model.update(X, -error),
        "Xisa_from_Q": played,
        "valNextQisa": next_values(own, model.values(X)),
        "valRisa": states.rewards,
        "NextVisa": next_values(own, model.values(X)),
        "NextQisa": next_values(own, (played * model.action_values(X)).sum(-1)) if X.shape == played.shape else None,
        "Xisa": played,
    }
    if isinstance(model, dynamics.PartiallyObservableActorCritic):
        see = model.tensors.observations
        found |= {
            "Bios_[i,o,s]": belief(see, occupation),
            "Tioo": own.chain,
            "Tioao": own.transitions,
            "Rioa": own.rewards,
            "Rio": (X * own.rewards).sum(-1),
            "Vio": model.values(X),
            "Qioa": model.action_values(X),
            "NextVioa": next_values(own, model.values(X)),
            "obsdist_Pio": occupation @ see,
            # the reference weighs by what is seen
            "Ri": ((occupation @ see) * (X * own.rewards).sum(-1)).sum(-1),
        }
    return found


def next_values(averages, values):
    return np.einsum("isat,it->isa", averages.transitions, values)


def test_every_case_file_is_read():
    expected = "01 03 04 05 06 08 09 11 13 14 15 16 17 19 20 21 22 24 26 27 29 30 31 32"
    assert " ".join(NUMBERS) == expected


@pytest.mark.parametrize("number", AGENTS)
def test_every_intermediate_result_is_that_of_the_reference(number):
    case = load(number)
    X = np.array(case.get("X0", case.get("Q0")))
    found = outputs(learner(case), X)
    for name, expected in case["outputs"].items():
        if name == "step_TDe":  # the error once more
            name = "RPE"
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("number", AGENTS)
def test_every_trajectory_is_that_of_the_reference(number):
    case = load(number)
    expected = case["trajectory"]
    X = case.get("X0", case.get("Q0"))
    run = learner(case).trajectory(X, expected["Tmax"], expected["tolerance"] / learner(case).learning_rate.max())
    assert (run.converged, run.diverged, run.n_steps) == (True, False, expected["n_points_stored"])
    np.testing.assert_allclose(run.strategies[:50], expected["first_50"][: run.n_steps], rtol=0, atol=1e-9)
    np.testing.assert_allclose(run.strategies[-2], expected["last_stored"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(run.final, expected["step_of_last_stored"], rtol=0, atol=1e-6)


def test_long_transients_with_memory_are_those_of_the_reference():
    case = load("29")
    model = dynamics.ActorCritic(game(case), 0.1, 0.99)
    for expected in case["runs"]:
        run = model.trajectory(expected["X0"], expected["Tmax"] - 1, expected["tolerance"] / 0.1)
        assert run.converged == expected["fixpointreached"]
        assert run.n_steps == expected["n"] - (not run.converged)
        np.testing.assert_allclose(run.strategies[:50], expected["first_50"], rtol=0, atol=1e-9)
        if run.converged:
            np.testing.assert_allclose(run.strategies[-2], expected["last_stored"], rtol=0, atol=1e-6)


def test_learning_with_memory_does_not_depend_on_who_made_the_game():
    case = load("30")
    items = [(item, with_memory_of(item)) for item in case["items"]]
    assert len(items) == 8
    for item, made in items:
        given = game(item)
        np.testing.assert_allclose(made.transitions, given.transitions, rtol=0, atol=1e-12)
        ours, theirs = (dynamics.ActorCritic(g, 0.1, 0.9) for g in (made, given))
        X = ours.random_strategies(1)[0]
        np.testing.assert_allclose(ours.step(X), theirs.step(X), rtol=0, atol=1e-12)


def with_memory_of(item):
    parameters = item["params"]
    if item["base"] == "SocialDilemma":
        base = catalogue.matrix_game(**parameters)
    else:
        base = catalogue.ecological_public_good(**{name: parameters[name] for name in parameters if name != "N"})
    states, *actions = item["h"]
    return with_memory(base, states, actions)


def test_stationary_distributions_are_those_of_the_reference_where_it_is_unique():
    items = [item for item in load("31")["items"] if len(item["valid_columns"]) == 1]
    assert len(items) == 7
    for item in items:
        np.testing.assert_allclose(dynamics.stationary(item["T"]), item["valid_columns"][0], rtol=0, atol=1e-10)


def test_the_flow_is_that_of_the_reference():
    case = load("32")
    model = dynamics.ActorCritic(catalogue.stag_hunt(**case["env"]), 0.1, 0.9)
    for arrows, name in (("error", "RPE"), ("step", "dXisa")):
        found = dynamics.flow(model, (0, 0, 0), (1, 0, 0), grid=case["points"], arrows=arrows)
        np.testing.assert_allclose(found.dx, case[name]["dX"], rtol=0, atol=1e-10)
        np.testing.assert_allclose(found.dy, case[name]["dY"], rtol=0, atol=1e-10)
