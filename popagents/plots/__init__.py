"""Every figure, one idea a file, from plain data: a lineage (`popagents.common.lineage.ROW`), numbers, or dynamics.

The numbers of a figure are pure functions (`fitness.fitness_curve`, `descent.ancestry`). Figures of learners write a
file and return its path; figures of dynamics draw on axes or into a file, and return what they draw. Animations are in
`popagents.plots.animations`.
"""

from popagents.plots.basins import basin_plot
from popagents.plots.boxes import task_boxes
from popagents.plots.catches import catch_map
from popagents.plots.cooperation import cooperation_curves
from popagents.plots.descent import lineage_graph
from popagents.plots.drift import drift_figure
from popagents.plots.evaluations import evaluation_curves
from popagents.plots.fitness import learning_curve
from popagents.plots.flow import flow_plot
from popagents.plots.inheritance import inheritance_curves
from popagents.plots.lifetimes import life_curve
from popagents.plots.simplex import simplex_plot
from popagents.plots.style import GREY, LINES, canvas, squares
from popagents.plots.tournament import tournament_table
from popagents.plots.trajectory import trajectory_plot
from popagents.plots.trials import learning_set_curve

__all__ = [
    "GREY",
    "LINES",
    "basin_plot",
    "canvas",
    "catch_map",
    "cooperation_curves",
    "drift_figure",
    "evaluation_curves",
    "flow_plot",
    "inheritance_curves",
    "learning_curve",
    "learning_set_curve",
    "life_curve",
    "lineage_graph",
    "simplex_plot",
    "squares",
    "task_boxes",
    "tournament_table",
    "trajectory_plot",
]
