"""Imitation: cross-entropy by Adam, minibatch by minibatch, each pupil for itself."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from popagents.common.randomness import keys, shuffles
from popagents.learners.updates.adam import Adam
from popagents.learners.updates.imitation import imitate, stacked
from popagents.learners.updates.linear_imitation import linear
from popagents.population.design import Design
from popagents.population.policies import CnnPolicy, LinearPolicy, MlpPolicy

BOARD = spaces.Box(0, 5, (30,), np.float32)
GRID = spaces.Box(0, 5, (2, 6, 5), np.float32)
FIVE = spaces.Discrete(5)
PAIR = spaces.MultiDiscrete([3, 4])
BITS = spaces.MultiBinary(3)
ARM = spaces.Box(-2, 2, (2,), np.float32)


def policy(policy_class, space=BOARD, action_space=FIVE):
    torch.manual_seed(0)
    return policy_class(space, action_space, lambda _: 1e-3)


def lesson(space, action_space, pairs, seed):
    for one in (space, action_space):
        one.seed(seed)
    observations, actions = (np.stack([one.sample() for _ in range(pairs)]) for one in (space, action_space))
    return observations, actions


def learned_by_torch(template, own, given, key, learning_rate, n_epochs, batch_size):
    """Imitate one lesson as one would with SB3's policy and torch.optim.Adam."""
    weights = dict(template.named_parameters())
    with torch.no_grad():
        for name, values in own.items():
            weights[name].copy_(torch.from_numpy(values))
    optimizer = torch.optim.Adam([weights[name] for name in own], lr=learning_rate)
    observations, actions = (torch.from_numpy(x) for x in given)
    for order in shuffles(key, len(actions), n_epochs):
        for batch in torch.from_numpy(order).split(batch_size):
            outputs = template.outputs(observations[batch])
            if isinstance(template.action_space, gym.spaces.Box):
                spread = torch.distributions.Normal(outputs, template.log_std.exp())
                done = actions[batch] / torch.from_numpy(template.action_space.high)  # in units of the bounds
                loss = -spread.log_prob(done).sum(dim=1).mean()
            elif template.action_space == BITS:
                each = nn.functional.binary_cross_entropy_with_logits(outputs, actions[batch].float(), reduction="none")
                loss = each.sum(dim=1).mean()
            else:
                parts = torch.split(outputs, list(template.actions.sizes), dim=1)
                chosen = actions[batch].reshape(len(batch), -1)
                loss = sum(nn.functional.cross_entropy(part, chosen[:, i]) for i, part in enumerate(parts))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {name: weights[name].detach().numpy() for name in own}


@pytest.mark.parametrize(
    ("policy_class", "space", "actions"),
    [
        (LinearPolicy, BOARD, FIVE),
        (MlpPolicy, BOARD, FIVE),
        (MlpPolicy, BOARD, PAIR),
        (MlpPolicy, BOARD, BITS),
        (LinearPolicy, BOARD, ARM),
        (CnnPolicy, GRID, FIVE),
    ],
)
def test_imitation_is_cross_entropy_by_torchs_adam(policy_class, space, actions):
    design = Design(policy(policy_class, space, actions))
    members = design.normal(np.random.default_rng(0), 5, 0.1)
    adam, before = Adam.blank(members), {k: v.copy() for k, v in members.items()}
    rows = np.array([4, 1, 2])
    lessons = [lesson(space, actions, pairs, pairs) for pairs in (40, 33, 7)]  # full, ragged and short batches
    orders = keys(0, 0, 0, rows)
    parameters, learned = imitate(design, members, adam, rows, lessons, orders, 1e-2, 3, 16)
    for row, given, key in zip(rows, lessons, orders, strict=True):
        own = {name: values[row] for name, values in before.items()}
        expected = learned_by_torch(policy(policy_class, space, actions), own, given, key, 1e-2, 3, 16)
        for name, values in expected.items():  # a few gradients are rounding alone, and Adam gives those any sign
            assert np.quantile(np.abs(parameters[name][row] - values), 0.999) < 5e-5
    assert list(learned.steps) == [0, 9, 3, 0, 9]
    for row in (0, 3):
        assert all((parameters[name][row] == values[row]).all() for name, values in before.items())
    assert all((members[name] == values).all() for name, values in before.items())
    assert not adam.steps.any()
    assert not any(values.any() for memory in (adam.first, adam.second) for values in memory.values())


def test_the_compiled_linear_form_agrees_with_the_general_one_and_keeps_adams_memory():
    design, rows, results = Design(policy(LinearPolicy)), np.arange(3), []
    shuffle_keys = keys(0, 0, 0, rows)
    for learn in (linear, stacked):
        parameters = design.copies(3)
        adam = Adam.blank(parameters)
        for round_ in range(2):
            lessons = [lesson(BOARD, FIVE, 50, 10 * round_ + i) for i in range(3)]
            orders = [shuffles(key, 50, 4) for key in shuffle_keys]
            learn(design, parameters, adam, rows, lessons, orders, 1e-2, 16)
        moments = {f"m{k}": v for k, v in adam.first.items()} | {f"v{k}": v for k, v in adam.second.items()}
        results.append(parameters | moments)
    assert all(np.allclose(results[0][k], results[1][k], atol=1e-4) for k in results[0])
