"""A population: the stacked parameters of many members, and how they act.

A `Stack` holds `{parameter name: (members, *shape)}` for one policy class and architecture; a `Population` is a list of
stacks, one per design, among which the members are dealt like cards. Acting is a pure function of parameters, observations
and noise. It multiplies one row by that member's own matrix, so a member's action has the same bits whoever sits beside it.
"""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from numba import njit
from stable_baselines3.common.policies import BasePolicy
from torch import nn
from torch.func import functional_call, vmap

from popagents.actions import Actions
from popagents.policies import Actor

Parameters = dict[str, np.ndarray]


class Stack:
    """The members that share one design.

    Attributes:
        template: an SB3 policy of the design; its own weights are no member's.
        parameters: float32 arrays (members, *shape), by the names of the policy's parameters; the actor's only.
        size: how many members.
        actions: the action space.
        is_linear: whether a member is nothing but one linear layer.
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
        self._outputs = self._fastest()
        self.is_linear = self._outputs == self._linear

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
            float32, (k, n_outputs). With dense layers the bits do not depend on k nor on the other rows; convolutions
            and other modules go through `torch.func.vmap`, which may round differently for different k.
        """
        return self._outputs(rows, observations)

    def choose(self, rows: np.ndarray, observations: np.ndarray, noise: np.ndarray | None) -> np.ndarray:
        """Return each row's action; see `Actions.choose`."""
        log_std = self.parameters["log_std"][rows] if "log_std" in self.parameters else None
        return self.actions.choose(self.outputs(rows, observations), noise, log_std)

    def _fastest(self) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        layers = self.actor.dense_layers()
        if layers is None:
            return self._through_torch
        self._layers = self._name_layers(layers)
        path = self._linear if len(layers) == 1 and layers[0].bias is not None else self._dense
        return path if self._agrees(path) else self._through_torch

    def _agrees(self, path: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> bool:
        """Tell whether a path gives what the policy's own code gives: a subclass may do more than its layers show."""
        if self.size == 0:
            return True
        observation = np.asarray(self.template.observation_space.sample())[None]
        row = np.zeros(1, np.int64)
        return np.allclose(path(row, observation), self._through_torch(row, observation), rtol=1e-4, atol=1e-5)

    def _name_layers(self, layers: list[nn.Module]) -> list[tuple[str, str | None] | Callable]:
        names = {id(p): name for name, p in self.template.named_parameters()}
        activations = {nn.Tanh: np.tanh, nn.ReLU: lambda x: np.maximum(x, 0, out=x)}
        named: list[tuple[str, str | None] | Callable] = []
        for layer in layers:
            if isinstance(layer, nn.Linear):
                named.append((names[id(layer.weight)], None if layer.bias is None else names[id(layer.bias)]))
            else:
                named.append(activations[type(layer)])
        return named

    def _linear(self, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
        weight, bias = self._layers[0]  # type: ignore[misc]
        flat = observations.reshape(len(observations), -1)
        return linear_outputs(self.parameters[weight], self.parameters[bias], rows, flat)

    def _dense(self, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
        x = observations.reshape(len(observations), -1, 1).astype(np.float32, copy=False)
        for layer in self._layers:
            if callable(layer):
                x = layer(x)
                continue
            weight, bias = layer
            x = np.matmul(taken(self.parameters[weight], rows), x)
            if bias is not None:
                x += taken(self.parameters[bias], rows)[:, :, None]
        return x[:, :, 0]

    def _through_torch(self, rows: np.ndarray, observations: np.ndarray) -> np.ndarray:
        members = {f"policy.{name}": torch.from_numpy(stack[rows]) for name, stack in self.parameters.items()}

        def one(parameters: dict[str, torch.Tensor], prepared: torch.Tensor) -> torch.Tensor:
            return functional_call(self.actor, parameters, (prepared[None],))[0]

        with torch.no_grad():
            return vmap(one)(members, self.actor.prepare(observations)).numpy()


class Population:
    """Members of one or several designs; member m belongs to design m modulo the number of designs.

    Attributes:
        stacks: one a design.
        size: how many members in all.
    """

    def __init__(self, templates: Iterable[BasePolicy], size: int) -> None:
        templates = list(templates)
        designs = len(templates)
        self.stacks = [Stack(t, len(range(i, size, designs))) for i, t in enumerate(templates)]
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
        return {name: values[row].copy() for name, values in stack.parameters.items()}

    def express(self, genes: Parameters, policy: BasePolicy) -> BasePolicy:
        """Write a member's parameters into an SB3 policy of its design, and return the policy."""
        own = dict(policy.named_parameters())
        with torch.no_grad():
            for name, values in genes.items():
                own[name].copy_(torch.from_numpy(values))
        return policy


def taken(stack: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return `stack[rows]`, as a view where the rows follow one another."""
    first = int(rows[0])
    if rows[-1] - first == len(rows) - 1 and (rows == np.arange(first, first + len(rows))).all():
        return stack[first : first + len(rows)]
    return stack[rows]


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
