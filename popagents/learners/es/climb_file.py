"""Where `maximize` keeps a run, so that it can go on: a model file (see `popagents.common.model_files`)."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from popagents.common import model_files
from popagents.common.checks import seed_of
from popagents.learners.es.gradient_strategy import GradientState, GradientStrategy
from popagents.learners.snapshot import check_names, filled, flat
from popagents.learners.state_checks import finite

FORMAT = "maximize 1"


@dataclass(frozen=True)
class Climb:
    """What a run has become.

    Attributes:
        strategy: the strategy's state.
        best: float32, (numbers,), the centre with the highest reward, of several the last.
        rewards: float64, (generations + 1,), of the centre, at the beginning and after each generation.
    """

    strategy: GradientState
    best: np.ndarray
    rewards: np.ndarray

    @classmethod
    def at(cls, centre: np.ndarray) -> "Climb":
        """Begin at a centre whose reward is not known yet."""
        return cls(GradientState.at(centre), centre, np.zeros(0))

    def reached(self, strategy: GradientState, reward: float) -> "Climb":
        """Return what becomes of it with a state whose centre has this reward."""
        best = strategy.centre if reward >= self.rewards.max(initial=-np.inf) else self.best
        return Climb(strategy, best, np.append(self.rewards, reward))

    def check(self) -> None:
        """Check numbers that come from a file.

        Raises:
            ValueError: there is no reward, or a number is infinite, NaN or out of its range.
        """
        for name, array in flat(self, "climb").items():
            finite(array, name)
        self.strategy.check("climb/strategy")
        if not len(self.rewards):
            raise ValueError("the file's array 'climb/rewards' is empty")

    @property
    def generation(self) -> int:
        """Return how many generations are done."""
        return len(self.rewards) - 1


class ClimbFile:
    """A file that holds one run.

    Args:
        path: where; `.zip` is added unless it ends so.
        strategy: of the run.
        parameters: what describes their form, as text.
    """

    def __init__(self, path: Any, strategy: GradientStrategy, parameters: list[list[str]]) -> None:
        self.path = model_files.with_suffix(path)
        self.settings = model_files.to_json(asdict(strategy) | {"parameters": parameters})

    def begun(self, fresh: Climb, seed: int | None, resume: bool) -> tuple[Climb, int | None]:
        """Return the run in the file and its seed, or what was given if there is no file.

        Args:
            fresh: a run that begins, which the file's must be like.
            seed: which the file's must be; None takes the file's.
            resume: whether there may be a file.

        Raises:
            FileExistsError: there is one, and there may not be.
            ValueError: it is damaged, or of other settings or parameters.
        """
        if not self.path.exists():
            return fresh, seed
        if not resume:
            raise FileExistsError(f"{self.path} holds a run; go on with it by resume=True, or delete it")
        arrays, description = model_files.read(self.path)
        with model_files.refusing(self.path):
            self.check(description, seed)
            check_names([*arrays], {*flat(fresh, "climb")})
            climb = filled(fresh, arrays, "climb")
            climb.check()
        return climb, description["seed"]

    def check(self, description: dict[str, Any], seed: int | None) -> None:
        """Check that a file's run is the one that is asked for.

        Args:
            description: the file's JSON.
            seed: which the file's must be; None takes any.

        Raises:
            ValueError: it has other settings or another seed, or is no run of `maximize`.
        """
        if description.get("format") != FORMAT:
            raise ValueError("it is no file of maximize; give another path, or load it with its learner")
        if set(description) != {"format", "settings", "seed"} or type(description["seed"]) is not int:
            raise ValueError(f"its JSON has {description!s:.200}; it must have format, settings and a seed")
        seed_of(description["seed"])
        if set(description["settings"]) != set(self.settings):
            raise ValueError(f"it has the settings {description['settings']!s:.200}")
        kept = description["settings"] | {"seed": description["seed"]}
        asked = self.settings | {"seed": description["seed"] if seed is None else seed}
        other = [name for name in asked if asked[name] != kept.get(name)]
        if other:
            differences = ", ".join(f"{name} {kept.get(name)} (asked: {asked[name]})" for name in other)
            raise ValueError(f"it holds a run with {differences}; ask for the same, or give another path")

    def write(self, climb: Climb, seed: int) -> None:
        """Write a run beside the file, and rename it.

        Raises:
            OSError: the disk is full or the folder cannot be written; what was there before is unchanged.
        """
        description = {"format": FORMAT, "settings": self.settings, "seed": seed}
        model_files.write(self.path, flat(climb, "climb"), description)
