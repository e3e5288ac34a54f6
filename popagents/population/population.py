"""A population: the stacked parameters of many members, and how they act.

A `Stack` holds `{parameter name: (members, *shape)}` for one policy class and architecture; a `Population` is a list of
stacks, one per design, among which the members are dealt like cards. Acting is a pure function of parameters,
observations and noise. It multiplies one row by that member's own matrix, so a member's action has the same bits
whoever sits beside it.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numba import njit
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.preprocessing import is_image_space

from popagents.networks import convolution, kernels
from popagents.networks.dense import Parameters
from popagents.population.actions import Actions
from popagents.population.normalization import NormalizedFlatten
from popagents.population.policies import Actor, call


class Stack:
    """The members that share one design.

    Attributes:
        template: an SB3 policy of the design; its own weights are no member's.
        parameters: float32 arrays (members, *shape), by the names of the policy's parameters; the actor's only.
        size: how many members.
        actions: the action space.
        layers: the network as dense layers; None if it is anything else.
        stages: the network as convolutions and dense layers; None if it is anything else, or dense alone.
    """

    def __init__(self, template: BasePolicy, size: int) -> None:
        self.template = template
        self.actor = Actor(template)
        self.actions = Actions.of(template.action_space)
        self.size = size
        weights = dict(template.named_parameters())
        self.parameters: Parameters = {
            name: np.repeat(weights[name].detach().cpu().numpy()[None], size, axis=0) for name in self.actor.names()
        }
        space = template.observation_space
        self._plain = isinstance(space, spaces.Box) and not (is_image_space(space) and template.normalize_images)
        self.layers = self.actor.layers()
        extractor = template.features_extractor
        self.scaler = extractor if isinstance(extractor, NormalizedFlatten) else None
        self.stages = None if self.layers else self.actor.stages()
        self._outputs = self._fastest()

    def randomize(self, rng: np.random.Generator, std: float) -> None:
        """Draw every weight from normal(0, std) and set biases to 0; other parameters stay as the design has them."""
        for name, stack in self.parameters.items():
            if name.endswith("bias"):
                stack[:] = 0
            elif stack.ndim > 2:
                stack[:] = rng.normal(0, std, stack.shape)

    def outputs(self, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
        """Return each row's outputs for its observation.

        Args:
            rows: int64, (k,), which member sees each observation; any subset, any order, repeats allowed.
            observations: (k, *shape).

        Returns:
            float32, (k, n_outputs); a row's bits do not depend on k nor on the other rows.
        """
        return self._outputs(rows, observations)

    def fill(self, policy: BasePolicy) -> None:
        """Give every member the weights of a policy of the same design.

        Raises:
            ValueError: the policy's parameters have other names or shapes.
        """
        weights = {name: values.detach().cpu().numpy() for name, values in policy.named_parameters()}
        shapes = {name: stack.shape[1:] for name, stack in self.parameters.items()}
        if any(name not in weights or weights[name].shape != shape for name, shape in shapes.items()):
            given = {name: values.shape for name, values in weights.items()}
            raise ValueError(f"the policy has the parameters {given}; members of this design need {shapes}")
        for name, stack in self.parameters.items():
            stack[:] = weights[name]

    def own(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Return a parameter of each row's member: float32, (k, *shape)."""
        return self.parameters[name][rows]

    def genes(self, row: int) -> Parameters:
        """Copy one member's parameters: `{name: shape}` without the members' axis."""
        return {name: self.own(name, np.array([row]))[0] for name in self.parameters}

    def vector(self, row: int) -> np.ndarray:
        """Copy a member's parameters into one vector: float32, (parameters,)."""
        return np.concatenate([values.ravel() for values in self.genes(row).values()])

    def set_vector(self, rows: Any, vector: np.ndarray) -> None:
        """Give the members of `rows` (an index or a slice) the parameters of one vector."""
        first = 0
        for stack in self.parameters.values():
            shape = stack.shape[1:]
            end = first + math.prod(shape)
            stack[rows] = vector[first:end].reshape(shape)
            first = end

    def choose(self, rows: np.ndarray, observations: np.ndarray, noise: np.ndarray | None) -> np.ndarray:
        """Return each row's action; see `Actions.choose`."""
        log_std = self.own("log_std", rows) if "log_std" in self.parameters else None
        return self.actions.choose(self.outputs(rows, observations), noise, log_std)

    def _fastest(self) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        path = self._through_torch
        if self.layers is not None:
            path = self._linear if len(self.layers) == 1 else self._dense
        elif self.stages is not None:
            path = self._convolved
        if self.size and not self._agrees(path):
            self.layers = self.stages = None
            return self._through_torch
        return path

    def _agrees(self, path: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> bool:
        """Tell whether a path gives what the policy's own code gives: a subclass may do more than its layers show."""
        observation = np.asarray(self.template.observation_space.sample())[None]
        row = np.zeros(1, np.int64)
        return np.allclose(path(row, observation), self._through_torch(row, observation), rtol=1e-4, atol=1e-4)

    def flat(self, observations: np.ndarray) -> np.ndarray:
        """Return observations (k, *shape) as rows of numbers (k, inputs), as dense layers take them."""
        if not self._plain:
            observations = self.actor.prepare(observations).numpy()
        rows = observations.reshape(len(observations), -1)
        return rows if self.scaler is None else self.scaler.scale(rows)

    def _linear(self, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
        (layer,) = self.layers  # type: ignore[misc]
        return linear_outputs(self.parameters[layer.weight], self.parameters[layer.bias], rows, self.flat(observations))

    def _dense(self, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
        x = np.ascontiguousarray(self.flat(observations), np.float32)
        for layer in self.layers:  # type: ignore[union-attr]
            code = layer.activation.code if layer.activation else kernels.LINEAR
            x = kernels.dense(self.parameters[layer.weight], self.parameters[layer.bias], rows, x, code)
        return x

    def _convolved(self, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
        scale = 1.0 if self._plain else 1 / 255
        return convolution.outputs(self.stages, self.parameters, rows, observations, scale)  # type: ignore[arg-type]

    def _through_torch(self, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
        """Go row by row: on a CPU, convolutions gain nothing from `torch.func.vmap`, and its bits depend on k."""
        members = [{name: torch.from_numpy(values) for name, values in self.genes(row).items()} for row in rows]
        prepared = self.actor.prepare(observations)
        with torch.no_grad():
            outputs = [call(self.actor, own, x[None]) for own, x in zip(members, prepared, strict=True)]
        return torch.cat(outputs).numpy()


class Population:
    """Members of one or several designs; member m belongs to design m modulo the number of designs.

    Args:
        templates: an SB3 policy of each design.
        size: how many members in all.
        stack: makes the stack of a template with so many members.

    Attributes:
        stacks: one a design.
        size: how many members in all.
    """

    def __init__(
        self, templates: Iterable[BasePolicy], size: int, stack: Callable[[BasePolicy, int], Stack] = Stack
    ) -> None:
        templates = list(templates)
        designs = len(templates)
        self.stacks = [stack(t, len(range(i, size, designs))) for i, t in enumerate(templates)]
        self.size = size
        self.actions = self.stacks[0].actions

    def act(self, members: np.ndarray, observations: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
        """Choose one action per row.

        Args:
            members: int64, (k,), who acts in each row; any subset, any order, repeats allowed.
            observations: (k, *shape).
            noise: float32, (k, n_outputs), to sample; None for the likeliest action.

        Returns:
            Actions, (k, ...).
        """
        if len(self.stacks) == 1:
            return self.stacks[0].choose(members, observations, noise)
        actions = np.empty((len(members), *self.actions.space.shape), self.actions.space.dtype)  # type: ignore[misc]
        for design, stack in enumerate(self.stacks):
            here = members % len(self.stacks) == design
            if here.any():
                rows = members[here] // len(self.stacks)
                actions[here] = stack.choose(rows, observations[here], None if noise is None else noise[here])
        return actions

    def locate(self, member: int) -> tuple[Stack, int]:
        """Return a member's stack and its row there."""
        return self.stacks[member % len(self.stacks)], member // len(self.stacks)

    def genes(self, member: int) -> Parameters:
        """Copy one member's parameters: `{name: shape}` without the members' axis."""
        stack, row = self.locate(member)
        return stack.genes(row)

    def express(self, genes: Parameters, policy: BasePolicy) -> BasePolicy:
        """Write a member's parameters into an SB3 policy of its design, and return the policy."""
        own = dict(policy.named_parameters())
        with torch.no_grad():
            for name, values in genes.items():
                own[name].copy_(torch.from_numpy(values))
        return policy


@njit(cache=True)
def linear_outputs(weight: np.ndarray, bias: np.ndarray, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
    """Multiply each observation by its member's matrix, passing over the zeros, of which boards have many."""
    k, n_inputs = observations.shape
    n_outputs = weight.shape[1]
    out = np.empty((k, n_outputs), np.float32)
    for i in range(k):
        member = rows[i]
        for j in range(n_outputs):
            out[i, j] = bias[member, j]
        for cell in range(n_inputs):
            value = np.float32(observations[i, cell])
            if value != 0:
                for j in range(n_outputs):
                    out[i, j] += value * weight[member, j, cell]
    return out
