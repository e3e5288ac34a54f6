"""What both evolution strategies do with the one policy that they hold, the centre."""

import math

import numpy as np

from popagents.common.checks import between
from popagents.common.moments import Moments
from popagents.common.parameters import Parameters, by_name, vector_of
from popagents.common.randomness import Purpose, generator
from popagents.learners.state_checks import within
from popagents.population.design import Design
from popagents.population.normalization import scales


def check_initial_std(initial_std: float | None) -> None:
    """Check the standard deviation of the first weights.

    Raises:
        ValueError: it is a number outside 0 to 100.
    """
    if initial_std is not None:
        between("initial_std", initial_std, 0, 100, open_low=False)


def size_of(design: Design) -> int:
    """Return how many numbers the parameters of a policy hold."""
    return sum(map(math.prod, design.shapes.values()))


def first_centre(design: Design, initial_std: float | None, run_seed: int) -> np.ndarray:
    """Return where a run begins: float32, (numbers,).

    Args:
        design: the policy's.
        initial_std: weights are drawn from normal(0, initial_std) and biases are 0; None leaves them as the policy
            initialises itself.
        run_seed: of the run.
    """
    if initial_std is None:
        return vector_of(design.copies(1), 0)
    return vector_of(design.normal(generator(run_seed, Purpose.WEIGHTS), 1, initial_std), 0)


def nothing_seen(design: Design) -> Moments:
    """Return sums over no observation, as wide as what the design scales."""
    return Moments.zeros(1, design.scaler.features_dim if design.scaler else 0)


def policy_parameters(design: Design, centre: np.ndarray, moments: Moments) -> Parameters:
    """Return the parameters and buffers of the policy at a centre: (*shape) by name."""
    parameters = by_name(centre, design.shapes)
    if design.scaler is None:
        return parameters
    return parameters | {f"features_extractor.{name}": values for name, values in scales(moments).items()}


def centre_of(parameters: Parameters) -> np.ndarray:
    """Return the parameters of a policy, (*shape) by name, as a vector."""
    return np.concatenate([values.ravel() for values in parameters.values()])


def check_moments(moments: Moments) -> None:
    """Check sums that come from a file.

    Raises:
        ValueError: a count or a sum of squares is below 0.
    """
    within(moments.counts, "state/moments/counts")
    within(moments.squares, "state/moments/squares")
