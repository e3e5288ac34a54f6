"""Deterministic learning dynamics: several reinforcement learners in the limit of infinite batches, as equations.

>>> from types import SimpleNamespace
>>> from popagents import dynamics
>>> payoffs = [[[3, 0], [5, 1]], [[3, 5], [0, 1]]]  # any object with these three attributes
>>> game = SimpleNamespace(
...     transitions=[[[[1], [1]], [[1], [1]]]],
...     rewards=[[[[[x] for x in row] for row in table]] for table in payoffs],
...     observations=[[[1]], [[1]]],
... )
>>> learner = dynamics.ActorCritic(game, learning_rate=0.1, discount=0.9)
>>> learner.trajectory([[[0.6, 0.4]], [[0.5, 0.5]]])
<Trajectory: converged after 166 steps>

`popagents.plots` draws them. Papers stand beside the equations; pyCRLD, "Collective Reinforcement Learning Dynamics in
Python" (W. Barfuss and contributors, github.com/wbarfuss/pyCRLD), implements the same dynamics, and tests compare with
its numbers.
"""

from popagents.dynamics.agents import ActorCritic, PartiallyObservableActorCritic, QLearning, Sarsa, ValueSarsa
from popagents.dynamics.analysis import (
    FixedPoints,
    basins,
    eigenvalues,
    fixed_points,
    jacobian,
    lyapunov,
    rest_points,
    stability,
)
from popagents.dynamics.batch_learner import BatchLearner
from popagents.dynamics.moran import Moran, moran
from popagents.dynamics.plane import BasinMap, Flow, basin_map, flow
from popagents.dynamics.replicator import Replicator, replicator
from popagents.dynamics.stationary import stationary
from popagents.dynamics.trajectory import Trajectory

__all__ = [
    "ActorCritic",
    "BasinMap",
    "BatchLearner",
    "FixedPoints",
    "Flow",
    "Moran",
    "PartiallyObservableActorCritic",
    "QLearning",
    "Replicator",
    "Sarsa",
    "Trajectory",
    "ValueSarsa",
    "basin_map",
    "basins",
    "eigenvalues",
    "fixed_points",
    "flow",
    "jacobian",
    "lyapunov",
    "moran",
    "replicator",
    "rest_points",
    "stability",
    "stationary",
]
