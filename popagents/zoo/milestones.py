"""Milestones: models from which a run can be lived again, in the order of their generations, and kept for ever.

`milestones/<generation>` holds a model without its lineage, the steps toward which the run was going, and SHA-256 sums.
There is one where a run begins and where it goes on with other settings. Where the lineage does not tell all that a
learner hands on there is also one at each power of two, so that no more than half of a run is ever played again.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from popagents.common import model_files
from popagents.common.checkpoints import checkpoints_in, is_whole, write_whole
from popagents.common.lineage import ROW
from popagents.common.whole_files import remove_folder
from popagents.learners.snapshot import pack

FOLDER, MODEL, UNTIL = "milestones", "model.zip", "until.json"


def write_milestone(run: Path, model: Any, until: int) -> None:
    """Keep a model as it is now, between two generations.

    Args:
        run: the run's folder.
        model: a `PopulationAlgorithm`.
        until: steps toward which the run is going.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """

    def fill(folder: Path) -> None:
        model_files.write(folder / MODEL, *pack(model, np.empty(0, ROW)))
        (folder / UNTIL).write_text(json.dumps(until))

    folder = run / FOLDER / str(model.generation)
    if folder.exists():
        remove_folder(folder)
    write_whole(folder, fill)


def begin_milestones(run: Path, model: Any, until: int) -> None:
    """Take up a run's milestones where it goes on: drop those of later generations, and see to it that its rules stand.

    Raises:
        OSError: see `write_milestone`.
    """
    for milestone in checkpoints_in(run / FOLDER):
        if int(milestone.name) > model.generation:
            remove_folder(milestone)
    last = checkpoints_in(run / FOLDER)[-1:]
    if not last or rules_in(last[0]) != (pack(model, np.empty(0, ROW))[1]["settings"], until):
        write_milestone(run, model, until)


def rules_in(milestone: Path) -> Any:
    """Return the settings with which a run went on from a milestone, and toward how many steps; None if damaged."""
    if not is_whole(milestone):
        return None
    return model_files.read(milestone / MODEL)[1]["settings"], json.loads((milestone / UNTIL).read_text())


def is_due(run: Path, model: Any) -> bool:
    """Tell whether a milestone is to be written for a model as it is."""
    generation = model.generation
    power_of_two = generation > 0 and generation & (generation - 1) == 0
    return power_of_two and not model.lineage_tells and not (run / FOLDER / str(generation)).exists()


def milestone_before(run: Path, generation: int) -> Path:
    """Return the last milestone of a run that is not later than a generation.

    Raises:
        ValueError: there is none, or it is damaged.
    """
    found = [path for path in checkpoints_in(run / FOLDER) if int(path.name) <= generation]
    if not found:
        raise ValueError(f"{run} holds no {FOLDER}/, from which runs are replayed; train anew with this version")
    if not is_whole(found[-1]):
        raise ValueError(
            f"{found[-1]} is damaged, from which generation {generation} is replayed; bring it back from a copy, or "
            f"ask for a generation before {found[-1].name}"
        )
    return found[-1]
