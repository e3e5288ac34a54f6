"""Which observations a population can see."""

from gymnasium import spaces

from popagents.common.space_json import space_to_json


def check_observations(space: spaces.Space) -> None:
    """Refuse observations that no policy of a population can take, or no model file describe.

    Raises:
        ValueError: naming the space and the remedy.
    """
    parts = space.spaces if isinstance(space, spaces.Dict) else {"all": space}
    if parts and all(isinstance(name, str) and name and is_seen(part) for name, part in parts.items()):
        space_to_json(space)
        return
    raise ValueError(
        f"observations are {space}; populations see Box, Discrete, MultiDiscrete and MultiBinary spaces, which start "
        "at 0 and, but for Discrete, have a dimension, and Dicts of these by names: wrap each environment in "
        "gymnasium.wrappers.FlattenObservation"
    )


def is_seen(space: spaces.Space) -> bool:
    """Tell whether policies can take observations of a space, by themselves or as a Dict's part."""
    plain = isinstance(space, (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary))
    return plain and not (is_scalar(space) or starts_elsewhere(space) or is_table(space))


def is_scalar(space: spaces.Space) -> bool:
    """Tell whether an observation is a number of no dimension, which no layer takes."""
    return isinstance(space, spaces.Box) and space.shape == ()


def starts_elsewhere(space: spaces.Space) -> bool:
    """Tell whether the smallest state has another number than 0, for which SB3's one-hot code has no place."""
    if isinstance(space, spaces.Discrete):
        return bool(space.start != 0)
    return isinstance(space, spaces.MultiDiscrete) and bool(space.start.any())


def is_table(space: spaces.Space) -> bool:
    """Tell whether this is a MultiDiscrete space of several dimensions, which SB3 cannot make one-hot."""
    return isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim > 1
