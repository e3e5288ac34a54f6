"""Policies that a population can stack: SB3 policies without a critic.

`LinearPolicy`, `MlpPolicy`, `CnnPolicy` and `SmallCnnPolicy` are the zoo's own; any SB3 `ActorCriticPolicy` can be a
member too, its actor being what evolves. `Actor` shows both kinds to a population as one module from observations to
outputs (see `actions.py`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.torch_layers import (
    BaseFeaturesExtractor,
    CombinedExtractor,
    FlattenExtractor,
    NatureCNN,
)
from torch import nn
from torch.func import functional_call

from popagents.common.records import sampled
from popagents.networks.convolution import Stage, stages_of
from popagents.networks.dense import Layer, layers_of
from popagents.population.actions import Actions
from popagents.population.extractors import BoardCNN, SmallCNN
from popagents.population.keywords import sizes_of
from popagents.population.preparing import parted, prepared


def make_policy(
    policy_class: type[BasePolicy],
    observation_space: spaces.Space,
    action_space: spaces.Space,
    lr_schedule: Any,
    kwargs: dict[str, Any],
    seed: int,
) -> BasePolicy:
    """Make an SB3 policy whose weights are a function of the seed; torch's own generator is left as it was.

    One thread does it: an orthogonal initialisation factorises a matrix, and its bits depend on the number of threads.

    Args:
        policy_class: its class.
        observation_space: what it sees.
        action_space: what it does.
        lr_schedule: SB3 hands it to every policy.
        kwargs: further keywords of the class.
        seed: of the weights, 0 to 2**64 - 1.
    """
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            policy = policy_class(observation_space, action_space, lr_schedule, **kwargs)
        policy.set_training_mode(False)
        return policy
    finally:
        torch.set_num_threads(threads)


class ActorPolicy(BasePolicy):
    """An SB3 policy that is an actor alone: features, hidden layers, one linear layer of outputs.

    Args:
        observation_space: what it sees.
        action_space: Discrete, MultiDiscrete, MultiBinary or a bounded Box; outputs of -1 and 1 are then its bounds.
        lr_schedule: unused; SB3 hands it to every policy.
        net_arch: sizes of the hidden layers; in SB3's forms with `pi` and `vf` those of `pi`.
        activation_fn: the nonlinearity behind each hidden layer.
        log_std_init: log of the initial spread of outputs, for a Box.
        features_extractor_class, features_extractor_kwargs, normalize_images: as in SB3.
        share_features_extractor: unused; there is no critic to share one with.

    Raises:
        ValueError: the action space is none of these.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Any = None,
        net_arch: Sequence[int] = (),
        activation_fn: type[nn.Module] = nn.Tanh,
        log_std_init: float = 0.0,
        features_extractor_class: type[BaseFeaturesExtractor] = FlattenExtractor,
        features_extractor_kwargs: dict[str, Any] | None = None,
        normalize_images: bool = True,
        share_features_extractor: bool = True,
    ) -> None:
        super().__init__(
            observation_space,
            action_space,
            features_extractor_class=features_extractor_class,
            features_extractor_kwargs=features_extractor_kwargs,
            normalize_images=normalize_images,
        )
        self.actions = Actions.of(action_space, in_bounds=True)
        self.net_arch, self.activation_fn, self.log_std_init = sizes_of(net_arch), activation_fn, float(log_std_init)
        self.features_extractor = self.make_features_extractor()
        hidden: list[nn.Module] = []
        width = self.features_extractor.features_dim
        for size in self.net_arch:
            hidden += [nn.Linear(width, size), activation_fn()]
            width = size
        self.policy_net = nn.Sequential(*hidden)
        self.action_net = nn.Linear(width, self.actions.n_outputs)
        if not self.actions.sizes:
            self.log_std = nn.Parameter(torch.full((self.actions.n_outputs,), self.log_std_init))

    def outputs(self, observation: torch.Tensor) -> torch.Tensor:
        """Return logits or means (k, n_outputs) for observations (k, *shape)."""
        features = self.extract_features(observation, self.features_extractor)
        return self.action_net(self.policy_net(features))

    def forward(self, observation: torch.Tensor, deterministic: bool = False) -> torch.Tensor:
        """Return actions (k, ...) for observations (k, *shape)."""
        return self._predict(observation, deterministic)

    def _predict(self, observation: Any, deterministic: bool = False) -> torch.Tensor:
        with torch.no_grad():
            outputs = self.outputs(observation)
            return self._choose(outputs, deterministic)

    def _choose(self, outputs: torch.Tensor, deterministic: bool) -> torch.Tensor:
        """Choose actions for outputs (k, n_outputs), in torch alone, so that traces and ONNX graphs hold it."""
        noise = None if deterministic else self._noise(outputs)
        return self.actions.chosen(outputs, noise, None if self.actions.sizes else self.log_std)

    def _noise(self, outputs: torch.Tensor) -> torch.Tensor:
        if self.actions.sizes:
            logits = self.actions.tensor_logits(outputs)
            return -torch.empty_like(logits).exponential_().log()  # -log of Exp(1) is standard Gumbel
        return torch.randn_like(outputs)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        """Return what `save` writes beside the weights, and `load` makes the policy of."""
        return {
            **super()._get_constructor_parameters(),
            "net_arch": self.net_arch,
            "activation_fn": self.activation_fn,
            "log_std_init": self.log_std_init,
            "features_extractor_class": self.features_extractor_class,
            "features_extractor_kwargs": self.features_extractor_kwargs,
        }


class LinearPolicy(ActorPolicy):
    """One linear layer from observation to outputs."""


class MlpPolicy(ActorPolicy):
    """A multilayer perceptron; 64 and 64 tanh units unless `net_arch` says otherwise."""

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Any = None,
        net_arch: Sequence[int] = (64, 64),
        **kwargs: Any,
    ) -> None:
        super().__init__(observation_space, action_space, lr_schedule, net_arch, **kwargs)


class CnnPolicy(ActorPolicy):
    """Convolutions, then one linear layer: SB3's `NatureCNN` on images, `BoardCNN` on boards below 36 pixels a side."""

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Any = None,
        features_extractor_class: type[BaseFeaturesExtractor] | None = None,
        **kwargs: Any,
    ) -> None:
        if features_extractor_class is None:
            features_extractor_class = NatureCNN if _is_large_image(observation_space) else BoardCNN
        if len(observation_space.shape or ()) != 3:
            raise ValueError(
                f"CnnPolicy was given {observation_space}; it needs observations of shape (channels, rows, columns): "
                "use MlpPolicy, for a Dict MultiInputPolicy, or make the environment with observation='grid' if it "
                "offers that"
            )
        super().__init__(
            observation_space, action_space, lr_schedule, features_extractor_class=features_extractor_class, **kwargs
        )


class SmallCnnPolicy(CnnPolicy):
    """A few thousand weights for images: `SmallCNN`, then one linear layer."""

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Any = None,
        features_extractor_class: type[BaseFeaturesExtractor] = SmallCNN,
        **kwargs: Any,
    ) -> None:
        super().__init__(observation_space, action_space, lr_schedule, features_extractor_class, **kwargs)


def flattens(extractor: BaseFeaturesExtractor) -> bool:
    """Tell whether an extractor only lays the numbers of an observation, or of a Dict's parts, side by side."""
    if isinstance(extractor, CombinedExtractor):
        return all(isinstance(part, nn.Flatten) for part in extractor.extractors.values())
    return isinstance(extractor, FlattenExtractor)


def _is_large_image(space: spaces.Space) -> bool:
    return is_image_space(space) and min(space.shape[1:]) >= 36  # type: ignore[index]


class Actor(nn.Module):
    """A policy as one module from observations to outputs, critic left aside.

    Attributes:
        policy: one of ours, or an SB3 `ActorCriticPolicy` without state-dependent exploration.
    """

    def __init__(self, policy: BasePolicy) -> None:
        super().__init__()
        if not isinstance(policy, (ActorPolicy, ActorCriticPolicy)):
            raise ValueError(
                f"{type(policy).__name__} cannot join a population; use LinearPolicy, MlpPolicy, CnnPolicy or a "
                "subclass of stable_baselines3's ActorCriticPolicy"
            )
        if isinstance(policy.observation_space, spaces.Dict) and isinstance(
            policy.features_extractor, FlattenExtractor
        ):
            raise ValueError(f"{type(policy).__name__} was given {policy.observation_space}; use MultiInputPolicy")
        if getattr(policy, "use_sde", False):
            raise ValueError("use_sde is True; a population samples its members' actions itself: set use_sde to False")
        self.policy = policy

    def prepare(self, observations: np.ndarray) -> torch.Tensor:
        """Turn raw observations, (k, *shape) or records (k,), into what `forward` takes."""
        return prepared(self.policy, observations)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return logits or means (k, n_outputs) for prepared observations (k, ...)."""
        policy, seen = self.policy, parted(self.policy, rows)
        if isinstance(policy, ActorPolicy):
            return policy.action_net(policy.policy_net(policy.features_extractor(seen)))
        features = policy.pi_features_extractor(seen)
        return policy.action_net(policy.mlp_extractor.forward_actor(features))

    def names(self) -> list[str]:
        """List the policy's parameters that its actions depend on, in the policy's order."""
        parameters = dict(self.policy.named_parameters())
        outputs = self(self.prepare(sampled(self.policy.observation_space)))
        reached = torch.autograd.grad(outputs.sum(), list(parameters.values()), allow_unused=True)
        return [name for name, g in zip(parameters, reached, strict=True) if g is not None or name == "log_std"]

    def layers(self) -> list[Layer] | None:
        """Read the network as dense layers on a flat observation; None if it is anything else."""
        return layers_of(self._head(), self.policy) if flattens(self.policy.features_extractor) else None

    def stages(self) -> list[Stage] | None:
        """Read the network as convolutions and dense layers on one picture; None if it is anything else."""
        policy = self.policy
        extractor = policy.features_extractor if isinstance(policy, ActorPolicy) else policy.pi_features_extractor
        if not isinstance(policy.observation_space, spaces.Box) or len(policy.observation_space.shape) != 3:
            return None
        leaves = [module for module in extractor.modules() if not any(module.children())]
        return stages_of([*leaves, *self._head()], policy)

    def _head(self) -> list[nn.Module]:
        """Return what comes behind the features."""
        policy = self.policy
        hidden = policy.policy_net if isinstance(policy, ActorPolicy) else policy.mlp_extractor.policy_net
        return [*hidden, policy.action_net]


def call(module: nn.Module, parameters: dict[str, torch.Tensor], *arguments: Any) -> Any:
    """Call a module that shows a `policy` (`Actor`, or one of its kind) with other parameters than the policy's.

    SB3's policies hold one features extractor under three names. Each parameter is replaced by one name alone: with
    `tie_weights` torch replaces all three, and puts the replacement back for good.
    """
    named = {f"policy.{name}": values for name, values in parameters.items()}
    return functional_call(module, named, arguments, tie_weights=False)
