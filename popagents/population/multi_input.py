"""A policy for Dict observations."""

from collections.abc import Sequence
from typing import Any

from gymnasium import spaces
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, CombinedExtractor
from torch import nn

from popagents.population.policies import ActorPolicy


class MultiInputPolicy(ActorPolicy):
    """`MlpPolicy` for Dict observations, behind SB3's `CombinedExtractor`: `NatureCNN` of images, all else flat."""

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Any = None,
        net_arch: Sequence[int] = (64, 64),
        features_extractor_class: type[BaseFeaturesExtractor] = CombinedExtractor,
        **kwargs: Any,
    ) -> None:
        if not isinstance(observation_space, spaces.Dict):
            raise ValueError(
                f"MultiInputPolicy was given {observation_space}; it needs a Dict: use MlpPolicy or CnnPolicy"
            )
        if features_extractor_class is CombinedExtractor:
            check_combined(observation_space)
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            net_arch,
            features_extractor_class=features_extractor_class,
            **kwargs,
        )


def check_combined(space: spaces.Dict) -> None:
    """Refuse what SB3's `CombinedExtractor` cannot hold.

    Raises:
        ValueError: a part has a name that torch refuses, or is an image smaller than `NatureCNN`'s filters.
    """
    taken = nn.ModuleDict()
    for name, part in space.spaces.items():
        if "." in name or hasattr(taken, name):
            raise ValueError(f"observations have a part named {name!r}, a name that torch does not give; rename it")
        if is_image_space(part) and min(part.shape[1:]) < 36:  # type: ignore[index]
            raise ValueError(
                f"observations have images {name!r} of shape {part.shape}; NatureCNN needs 36 rows and columns, or "
                "more: enlarge them, give a features_extractor_class of your own, or use MlpPolicy and "
                "gymnasium.wrappers.FlattenObservation"
            )
