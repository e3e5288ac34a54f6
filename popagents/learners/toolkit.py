"""What a learner of your own is written with, in one import; see `examples/own_learner.py`."""

from popagents.common.lineage import Transmission
from popagents.common.now import Now
from popagents.common.parameters import Parameters, repeated, row_of
from popagents.common.randomness import Purpose
from popagents.common.ranking import ranked
from popagents.learners.algorithm import PopulationAlgorithm
from popagents.learners.conversation import Generation, Succession
from popagents.learners.settings import Shared
from popagents.population.members import Members
from popagents.rollout.jobs import Request

__all__ = [
    "Generation",
    "Members",
    "Now",
    "Parameters",
    "PopulationAlgorithm",
    "Purpose",
    "Request",
    "Shared",
    "Succession",
    "Transmission",
    "ranked",
    "repeated",
    "row_of",
]
