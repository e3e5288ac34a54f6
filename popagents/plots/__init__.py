"""Every figure, one idea a file, from what any learner leaves behind: a lineage (`lineage.ROW`), or numbers.

Their numbers are pure functions (`fitness.fitness_curve`, `descent.ancestry`); what draws returns the file it wrote.
"""

from popagents.plots.catches import catch_map
from popagents.plots.cooperation import cooperation_curves
from popagents.plots.descent import lineage_graph
from popagents.plots.evaluations import evaluation_curves
from popagents.plots.fitness import learning_curve
from popagents.plots.page import GREY, LINES, canvas
from popagents.plots.tournament import tournament_table
from popagents.plots.trials import learning_set_curve

__all__ = [
    "GREY",
    "LINES",
    "canvas",
    "catch_map",
    "cooperation_curves",
    "evaluation_curves",
    "learning_curve",
    "learning_set_curve",
    "lineage_graph",
    "tournament_table",
]
