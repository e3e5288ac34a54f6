"""Games and reference cases that the tests of the learning dynamics share."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from popagents import dynamics

FOLDER = Path(__file__).parent.parent / "golden" / "crld"
LEARNERS = {
    "stratAC": dynamics.ActorCritic,
    "stratSARSA": dynamics.Sarsa,
    "valSARSA": dynamics.ValueSarsa,
    "POstratAC": dynamics.PartiallyObservableActorCritic,
}


def load(number):
    """Return a reference case by the number that its file name begins with."""
    [path] = FOLDER.glob(f"{number}_*.json")
    return json.loads(path.read_text())


def game(case):
    """Return the game of a reference case, as the dynamics read it."""
    transitions, rewards = np.array(case["T"]), np.array(case["R"])
    n, states = rewards.shape[:2]
    observations = case.get("O", np.broadcast_to(np.eye(states), (n, states, states)))
    return SimpleNamespace(transitions=transitions, rewards=rewards, observations=np.array(observations))


def learner(case):
    """Return the learner of a reference case."""
    agent = case["agent"]
    settings = {"prefactor": agent["params"].get("use_prefactor", False)}
    if agent["cls"] == "valSARSA":
        settings["epsilon"] = agent["params"]["epsilon_greedys"]
    else:
        settings["choice_intensity"] = np.array(agent["beta"])
    if agent["cls"] == "POstratAC":
        settings["consistent"] = False
    return LEARNERS[agent["cls"]](game(case), np.array(agent["alpha"]), np.array(agent["gamma"]), **settings)


def random_game(seed, counts=(2, 3), states=2, observations=None):
    """Draw a game of len(counts) players."""
    rng = np.random.default_rng(seed)
    n, shape = len(counts), (states, *counts, states)
    see = np.broadcast_to(np.eye(states), (n, states, states))
    if observations:
        see = rng.dirichlet(np.ones(observations), (n, states))
    return SimpleNamespace(
        transitions=rng.dirichlet(np.ones(states), shape[:-1]), rewards=rng.normal(size=(n, *shape)), observations=see
    )


def matrix_game(rows, columns=None):
    """Return a game of one state from what the row player gets, and the column player (symmetric by default)."""
    rows = np.array(rows, float)
    tables = np.stack([rows, rows.T if columns is None else np.array(columns, float)])
    return SimpleNamespace(
        transitions=np.ones((1, *rows.shape, 1)), rewards=tables[:, None, ..., None], observations=np.ones((2, 1, 1))
    )


STAG_HUNT = matrix_game([[1.0, -0.5], [0.8, 0.0]])
PENNIES = matrix_game([[1, -1], [-1, 1]], [[-1, 1], [1, -1]])
CYCLE = matrix_game([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])  # rock, paper, scissors
