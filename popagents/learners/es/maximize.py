"""Maximise a function of parameters that somebody brings, by evolution strategies: no environment, no gradient."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from popagents.common.checks import positive
from popagents.common.optional import needed
from popagents.learners.es.ask_tell import AskTell
from popagents.learners.es.climb_file import Climb, ClimbFile
from popagents.learners.es.gradient_strategy import GradientStrategy
from popagents.learners.es.parameter_form import ParameterForm
from popagents.learners.goal import checked_goal, is_held


@dataclass(frozen=True)
class MaximizeResult:
    """What `maximize` found.

    Attributes:
        parameters: the best centre, in the form in which parameters were brought.
        reward: its reward.
        rewards: float64, (generations + 1,), the centre's, at the beginning and after each generation.
        reached: whether a goal was given and held.
    """

    parameters: Any
    reward: float
    rewards: np.ndarray
    reached: bool


def maximize(
    reward: Callable[[Any], Any],
    parameters: Mapping[Any, Any] | Iterable[Any],
    *,
    generations: int,
    population_size: int = 64,
    sigma: float = 0.05,
    final_sigma: float | None = None,
    learning_rate: float = 0.02,
    final_learning_rate: float | None = None,
    mirrored: bool = True,
    fitness_shaping: str = "ranks",
    optimizer: str = "adam",
    reward_goal: float | None = None,
    consecutive_goal_stopping: int | None = None,
    seed: int | None = None,
    progress_bar: bool = False,
    path: Any = None,
    resume: bool = False,
) -> MaximizeResult:
    """Find parameters with a high reward, and write them into those that were brought.

    The strategy is `GradientStrategy`: every generation members are drawn around a centre, and the centre climbs along
    the gradient that follows from their rewards. `reward` is called for the centre at the beginning, and in every
    generation for the members in their order and then for the new centre. The best centre is the one with the highest
    reward, of several the last: where rewards are random, it may owe that to chance.

    Args:
        reward: takes parameters in the form in which they were brought, with the same shapes, dtypes and devices, and
            returns a number. What it gets are copies of its own, without gradients: it may keep and change them.
        parameters: torch tensors (`module.parameters()`, `dict(module.named_parameters())`) or NumPy arrays of
            floating-point numbers, a dict or an iterable, which is handed on as a list. The search begins there, and
            computes in float32. Its end writes the best centre there; until then, and if anything is raised, they stay
            as they are.
        generations: after which it ends.
        population_size: members; even in mirrored sampling.
        sigma: standard deviation of the noise.
        final_sigma: falls geometrically to this at the end; None keeps it constant.
        learning_rate: the optimiser's step size.
        final_learning_rate: likewise.
        mirrored: members 2i and 2i + 1 have the noise +e_i and -e_i.
        fitness_shaping: "ranks" (from -0.5 to 0.5, ties averaged) or "zscore".
        optimizer: "adam" or "sgd".
        reward_goal: ends the search once the centre's reward reaches this, given `consecutive_goal_stopping`.
        consecutive_goal_stopping: in how many tests on end; the centre is tested once a generation.
        seed: from which all random numbers of the search follow; None draws one.
        progress_bar: show one.
        path: the run is saved there at its beginning and after every generation, `.zip` is added; None saves nothing.
        resume: go on with the run at `path`, bit for bit if rewards are a function of the parameters; `generations` and
            the goal may be others than before. Where there is no file yet, a run begins.

    Returns:
        The best centre and the rewards of all centres.

    Raises:
        FileExistsError: a run is kept at `path`, and `resume` is False.
        ImportError: a progress bar is asked for, and tqdm is not installed.
        TypeError: a parameter is neither tensor nor array, or a reward no number.
        ValueError: a setting is out of its range, a reward NaN or infinite, or the run at `path` has other settings or
            parameters.

    >>> start = [np.zeros(2)]
    >>> found = maximize(lambda p: -((p[0] - 0.5) ** 2).sum(), start, generations=200, learning_rate=0.01, seed=0)
    >>> start[0].round(1).tolist(), found.reward > -0.01
    ([0.5, 0.5], True)
    """
    strategy = GradientStrategy(
        population_size, sigma, final_sigma, learning_rate, final_learning_rate, mirrored, fitness_shaping, optimizer
    )
    positive("generations", generations)
    no_goal = reward_goal is None and consecutive_goal_stopping is None
    goal = None if no_goal else checked_goal(reward_goal, consecutive_goal_stopping)
    form = ParameterForm(parameters)
    climb, file = Climb.at(form.vector()), None
    if path is not None:
        file = ClimbFile(path, strategy, form.description())
        climb, seed = file.begun(climb, seed, resume)
    search = AskTell(strategy, form.vector(), seed=seed, generations=generations)

    def judge(vector: np.ndarray, what: str) -> float:
        return number(reward(form.filled(vector)), f"{what} in generation {search.generation}")

    if not len(climb.rewards):
        climb = climb.reached(search.state, judge(search.centre, "the centre"))
        if file is not None:
            file.write(climb, search.run_seed)
    search.state, search.generation = climb.strategy, climb.generation
    for _ in followed(range(climb.generation, generations), progress_bar):
        if goal and is_held(climb.rewards, *goal):
            break
        search.tell([judge(member, f"member {i}") for i, member in enumerate(search.ask())])
        climb = climb.reached(search.state, judge(search.centre, "the centre"))
        if file is not None:
            file.write(climb, search.run_seed)
    form.write(climb.best)
    held = goal is not None and is_held(climb.rewards, *goal)
    return MaximizeResult(form.filled(climb.best), float(climb.rewards.max()), climb.rewards, held)


def followed(generations: range, progress_bar: bool) -> Iterable[int]:
    """Return the numbers of generations, behind a progress bar if one is asked for.

    Raises:
        ImportError: one is asked for, and tqdm is not installed.
    """
    if not progress_bar:
        return generations
    bar: Iterable[int] = needed("tqdm").tqdm(generations, initial=generations.start, total=generations.stop)
    return bar


def number(value: Any, whose: str) -> float:
    """Return a reward as a float.

    Raises:
        TypeError: it is no number.
        ValueError: it is NaN or infinite.
    """
    try:
        reward = float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"reward returned {value!r} for {whose}; it must return one number") from error
    if not math.isfinite(reward):
        raise ValueError(f"reward returned {reward} for {whose}; rewards must be finite: look for a division by zero")
    return reward
