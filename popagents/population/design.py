"""A design: a policy class and architecture, by which any member's actions follow from its parameters.

Acting is a pure function of parameters, observations and noise. It multiplies one row by that member's own matrix, so
that a member's action has the same bits whoever sits beside it.
"""

from collections.abc import Callable

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.preprocessing import is_image_space

from popagents.common.parameters import Parameters, row_of
from popagents.common.records import sampled
from popagents.networks import convolution, kernels
from popagents.networks.sparse import linear_outputs
from popagents.population.actions import Actions
from popagents.population.normalization import NormalizedFlatten
from popagents.population.policies import Actor, ActorPolicy, call
from popagents.population.recurrent import RecurrentPolicy

Outputs = Callable[[Parameters, np.ndarray, np.ndarray], np.ndarray]


class Design:
    """The architecture that some members share.

    Args:
        template: an SB3 policy of the design; its own weights are no member's.
        critic: whether members have a critic, too; otherwise only what actions depend on.

    Attributes:
        template: the policy.
        actor: the policy as a module from observations to outputs.
        actions: the action space.
        shapes: of one member's parameters, by the names of the policy's.
        layers: the network as dense layers; None if it is anything else.
        stages: the network as convolutions and dense layers; None if it is anything else, or dense alone.

    Raises:
        ValueError: the policy cannot join a population, or has no critic and must.
    """

    def __init__(self, template: BasePolicy, critic: bool = False) -> None:
        self.template = template
        self.actor = Actor(template)
        self.actions = actions_of(template)
        weights = {name: values.detach().cpu().numpy() for name, values in template.named_parameters()}
        names = self.actor.names()
        if critic:
            check_critic(template)
            names += [name for name in weights if name not in names]
        self.shapes = {name: weights[name].shape for name in names}
        space = template.observation_space
        self._plain = isinstance(space, spaces.Box) and not (is_image_space(space) and template.normalize_images)
        extractor = template.features_extractor
        self.scaler = extractor if isinstance(extractor, NormalizedFlatten) else None
        self.layers = self.actor.layers()
        self._chain = [(layer.weight, layer.bias, layer.code) for layer in self.layers or ()]
        self.stages = None if self.layers else self.actor.stages()
        self._outputs = self._fastest()

    def copies(self, size: int) -> Parameters:
        """Return members that all have the template's weights."""
        weights = {name: values.detach().cpu().numpy() for name, values in self.template.named_parameters()}
        return {name: np.repeat(weights[name][None], size, axis=0) for name in self.shapes}

    def normal(self, rng: np.random.Generator, size: int, std: float) -> Parameters:
        """Draw members: weights from a normal distribution, biases 0, all else as the template has it."""
        parameters = self.copies(size)
        for name, values in parameters.items():
            if name.endswith("bias"):
                values[:] = 0
            elif values.ndim > 2:
                values[:] = rng.normal(0, std, values.shape)
        return parameters

    def parameters_of(self, policy: BasePolicy) -> Parameters:
        """Return the parameters of a policy of this design: (*shape) by name.

        Raises:
            ValueError: the policy's parameters have other names or shapes.
        """
        weights = {name: values.detach().cpu().numpy().copy() for name, values in tensors_of(policy).items()}
        if any(name not in weights or weights[name].shape != shape for name, shape in self.shapes.items()):
            given = {name: values.shape for name, values in weights.items()}
            raise ValueError(f"the policy has the parameters {given}; members of this design need {self.shapes}")
        return {name: weights[name] for name in self.shapes}

    def outputs(self, parameters: Parameters, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
        """Return each row's outputs for its observation.

        Args:
            parameters: (members, *shape) by name.
            rows: int64, (k,), which member sees each observation; any subset, any order, repeats allowed.
            observations: (k, *shape), or records (k,) of a Dict.

        Returns:
            float32, (k, n_outputs); a row's bits do not depend on k nor on the other rows.
        """
        return self._outputs(parameters, rows, observations)

    def flat(self, observations: np.ndarray) -> np.ndarray:
        """Return observations (k, *shape) as rows of numbers (k, inputs), as dense layers take them."""
        if not self._plain:
            observations = self.actor.prepare(observations).numpy()
        rows = observations.reshape(len(observations), -1)
        return rows if self.scaler is None else self.scaler.scale(rows)

    @property
    def pixel_scale(self) -> float:
        """Return what convolutions multiply pictures by."""
        return 1.0 if self._plain else 1 / 255

    def _fastest(self) -> Outputs:
        path = self.through_torch
        if self.layers is not None:
            path = self._linear if len(self.layers) == 1 else self._dense
        elif self.stages is not None:
            path = self._convolved
        if not self._agrees(path):
            self.layers = self.stages = None
            return self.through_torch
        return path

    def _agrees(self, path: Outputs) -> bool:
        """Tell whether a path gives what the policy's own code gives: a subclass may do more than its layers show."""
        observation = sampled(self.template.observation_space)
        row, parameters = np.zeros(1, np.int64), self.copies(1)
        reference = self.through_torch(parameters, row, observation)
        return np.allclose(path(parameters, row, observation), reference, rtol=1e-4, atol=1e-4)

    def _linear(self, parameters: Parameters, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
        (layer,) = self.layers  # type: ignore[misc]
        return linear_outputs(parameters[layer.weight], parameters[layer.bias], rows, self.flat(observations))

    def _dense(self, parameters: Parameters, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
        x = np.ascontiguousarray(self.flat(observations), np.float32)
        for weight, bias, code in self._chain:
            x = kernels.dense(parameters[weight], parameters[bias], rows, x, code)
        return x

    def _convolved(self, parameters: Parameters, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
        return convolution.outputs(self.stages, parameters, rows, observations, self.pixel_scale)  # type: ignore[arg-type]

    def through_torch(self, parameters: Parameters, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
        """Do what `outputs` does, by the policy's own code, row by row.

        On a CPU convolutions gain nothing from `torch.func.vmap`, and its bits depend on k.
        """
        prepared, outputs = self.actor.prepare(observations), []
        with torch.no_grad():
            for row, x in zip(rows, prepared, strict=True):
                own = {name: torch.from_numpy(values) for name, values in row_of(parameters, row).items()}
                outputs.append(call(self.actor, own, x[None]))
        return torch.cat(outputs).numpy()


def tensors_of(policy: BasePolicy) -> dict[str, torch.Tensor]:
    """Return a policy's parameters and buffers by name, in the policy's memory; `torch.compile` gives them a prefix."""
    return {name.removeprefix("_orig_mod."): values for name, values in policy.state_dict().items()}


def actions_of(policy: BasePolicy) -> Actions:
    """Return how a policy's outputs become actions: SB3's classes clip them to a Box, ours map them to its bounds."""
    return policy.actions if isinstance(policy, ActorPolicy) else Actions.of(policy.action_space)


def check_critic(template: BasePolicy) -> None:
    """Refuse a policy without a critic.

    Raises:
        ValueError: it has none.
    """
    if not isinstance(template, (RecurrentPolicy, ActorCriticPolicy)):
        raise ValueError(
            f"{type(template).__name__} has no critic, which learning within a life needs; take RecurrentPolicy or "
            "ActorCriticPolicy, or inheritance='darwin'"
        )
