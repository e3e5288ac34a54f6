"""What reads files that others may have made: each learner's `load`, and `maximize` that goes on with a run."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from popagents import maximize
from popagents.common.records import rows_for, unpacked
from tests.learners.cases import LEARNERS, new
from tests.learners.games import DictRing, Ring


@dataclass(frozen=True)
class Reader:
    """What reads a file.

    Attributes:
        sources: writes files into a folder and returns their paths: fresh, of long runs, of other settings.
        read: reads the file at a path; ValueError refuses it.
        used: does with what was read whatever a user may do; the second argument says whether to learn, too.
    """

    sources: Callable[[Path], list[Path]]
    read: Callable[[Path], Any]
    used: Callable[[Any, bool], None]


def models(name: str, folder: Path) -> list[Path]:
    """Save models of a learner with several policies, the last without one of its settings."""
    made = [
        new(name, Ring()).learn(60),
        new(name, Ring(), "MlpPolicy", policy_kwargs={"net_arch": [4]}, episodes=2).learn(100),
        new(name, DictRing(), "MultiInputPolicy", policy_kwargs={"net_arch": [4]}).learn(60),
        new(name, Ring(), "ActorCriticPolicy", policy_kwargs={"net_arch": {"pi": [4], "vf": [3]}}),
    ]
    paths = [folder / f"{number}.zip" for number in range(len(made))]
    for model, path in zip(made, paths, strict=True):
        model.save(path, exclude=["verbose"] * (path == paths[-1]))
    return paths


def play(model: Any, learns: bool) -> None:
    """Let a model act, and learn."""
    dicts = isinstance(model.observation_space, spaces.Dict)
    model.predict(unpacked(rows_for(DictRing().observation_space, 2)) if dicts else np.eye(8, dtype=np.float32))
    if learns:
        model.set_env(DictRing() if dicts else Ring())
        model.learn(1, log_interval=None)


def climb(path: Path, generations: int = 6, seed: int | None = None) -> Any:
    """Begin a search at a path, or go on with the one that is kept there."""
    start = {"a": np.zeros((3, 2), np.float32), "b": np.ones(2)}
    settings = {"population_size": 4, "learning_rate": 0.1, "final_sigma": 0.01}
    return maximize(
        lambda point: -(point["a"] ** 2).sum() - ((point["b"] - 3) ** 2).sum(),
        start,
        generations=generations,
        seed=seed,
        path=path,
        resume=True,
        **settings,
    )


def climbs(folder: Path) -> list[Path]:
    """Keep a search that has just begun and one that is done."""
    paths = [folder / "0.zip", folder / "1.zip"]
    for path, generations in zip(paths, (1, 6), strict=True):
        climb(path, generations, seed=3)
    return paths


def found(result: Any, _: bool) -> None:
    """Look at what a search found."""
    assert np.isfinite(result.reward)
    assert all(np.isfinite(values).all() for values in result.parameters.values())


READERS = {name: Reader(partial(models, name), learner.load, play) for name, learner in LEARNERS.items()}
READERS["maximize"] = Reader(climbs, climb, found)
