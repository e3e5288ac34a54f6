"""Learning within a life: the loss worked out by hand, autograd, the compiled form against the reference."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import nn

from popagents.learners.updates.a2c import Hyperparameters, TorchLearners, discounted
from popagents.learners.updates.compiled_a2c import CompiledLearners
from popagents.networks import lstm
from popagents.population.design import Design
from popagents.population.recurrent import RecurrentPolicy

SEEN = spaces.Box(-1, 1, (5,), np.float32)
TWO, PAIR, ARM = spaces.Discrete(2), spaces.MultiDiscrete([2, 3]), spaces.Box(-1, 1, (2,), np.float32)
BITS = spaces.MultiBinary(2)
NUMBERS = [0.001, 0.0005, 0.002], [0.9, 0.5, 1.0], [0.4, 0.1, 0.7], [0.01, 0.05, 0.0]
SETTINGS = Hyperparameters(*map(np.array, NUMBERS))


def members(space=TWO, policy_class=RecurrentPolicy, **kwargs):
    """Return a design, and three members' parameters, each with weights of its own."""
    torch.manual_seed(1)
    policies = [policy_class(SEEN, space, lambda _: 0.0, **kwargs) for _ in range(3)]
    design = Design(policies[0], critic=True)
    each = [design.parameters_of(policy) for policy in policies]
    return design, {name: np.stack([own[name] for own in each]) for name in design.shapes}


def play(learners, steps=(6, 4, 1), seed=0):
    """Let each life play an episode of some length; return its observations, actions and rewards."""
    rng = np.random.default_rng(seed)
    learners.begin()
    episodes = [([], [], []) for _ in steps]
    for t in range(max(steps)):
        who = np.array([life for life, length in enumerate(steps) if t < length])
        seen = rng.normal(size=(len(who), 5)).astype(np.float32)
        width = sum(learners.actions.sizes) or learners.actions.n_outputs
        noise = rng.gumbel(size=(len(who), width)).astype(np.float32)
        actions = learners.act(who, seen, noise)
        rewards = rng.normal(size=len(who))
        learners.rewarded(rewards)
        for life, *step in zip(who, seen, actions, rewards, strict=True):
            for kept, value in zip(episodes[life], step, strict=True):
                kept.append(value)
    return episodes


def by_autograd(parameters, row, episode, settings):
    """Return one member's gradient, from the loss as the source writes it: nn.LSTM, one sequence, plain autograd."""
    seen, actions, rewards = (torch.as_tensor(np.array(part)) for part in episode)
    own = {name: torch.from_numpy(values[row].copy()) for name, values in parameters.items()}
    network = nn.LSTM(own["policy_net.cell.weight_ih"].shape[1], own["policy_net.cell.weight_hh"].shape[1])
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        getattr(network, f"{name}_l0").data = own[f"policy_net.cell.{name}"]
    linear = {}
    for layer in ("policy_net.embedding", "action_net", "value_net"):
        linear[layer] = nn.Linear(*reversed(own[f"{layer}.weight"].shape))
        linear[layer].weight.data, linear[layer].bias.data = own[f"{layer}.weight"], own[f"{layer}.bias"]
    hidden, _ = network(linear["policy_net.embedding"](seen))
    chances = torch.distributions.Categorical(logits=linear["action_net"](hidden))
    values = linear["value_net"](hidden)[:, 0]
    returns, after = [], 0.0
    for reward in rewards.flip(0):
        after = float(reward) + float(settings.discount[row]) * after
        returns.insert(0, after)
    advantages = torch.tensor(returns, dtype=torch.float32) - values
    actor = (-chances.log_prob(actions) * advantages.detach()).mean()
    loss = (
        actor
        + settings.value_cost[row] * (advantages**2).mean()
        - settings.entropy_cost[row] * chances.entropy().mean()
    )
    loss.backward()
    found = {f"{layer}.{name}": p.grad for layer, m in linear.items() for name, p in m.named_parameters()}
    return found | {f"policy_net.cell.{name[:-3]}": p.grad for name, p in network.named_parameters()}


def gradients_of(learners):
    """Return what `learn` descends along, one row a learner: what `gradients` finds."""
    found = {}
    gradients = learners.gradients

    def keep(*given):
        found.update(gradients(*given))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learners, "gradients", keep)
        learners.learn()
    return {name: values.numpy() for name, values in found.items()}


def compiled_gradients(learners):
    """Return what `learn` descends along, read off a step with RMSprop's memory laid open."""
    gradients = {}

    def keep(steps, d_outputs, w, tape, g, squares, rates):
        found = []
        for life in range(len(steps)):
            lstm.backward(life, life // (len(steps) // len(rates)), steps[life], d_outputs[life], w, tape, g)
            found.append(g.parameters())
            for values in g:
                values[:] = 0
        gradients.update({name: np.concatenate([f[name] for f in found]) for name in found[0]})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lstm, "descend", keep)
        learners.learn()
    return gradients


@pytest.mark.parametrize("sizes", [{}, {"embedding_size": 3, "hidden_size": 7}], ids=["source", "odd"])
def test_both_forms_descend_along_the_gradient_that_autograd_finds(sizes):
    design, parameters = members(**sizes)
    compiled, reference = (
        kind(design, parameters, np.arange(3), SETTINGS) for kind in (CompiledLearners, TorchLearners)
    )
    episodes, again = play(compiled), play(reference)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(episodes, again, strict=True))
    slow, fast = gradients_of(reference), compiled_gradients(compiled)
    for row in range(3):
        expected = by_autograd(parameters, row, episodes[row], SETTINGS)
        assert expected.keys() == fast.keys() == slow.keys()
        for name, gradient in expected.items():
            assert np.abs(fast[name][row] - gradient.numpy()).max() < 1e-6
            assert np.abs(slow[name][row] - gradient.numpy()).max() < 1e-6


@pytest.mark.parametrize("space", [TWO, PAIR, BITS, ARM], ids=str)
def test_the_compiled_form_learns_what_the_reference_learns(space):
    design, parameters = members(space)
    rows = np.array([0, 1, 2, 1])
    settings = Hyperparameters(*(values[rows] for values in SETTINGS))
    compiled, reference = (kind(design, parameters, rows, settings) for kind in (CompiledLearners, TorchLearners))
    for episode in range(8):
        for learners in (compiled, reference):
            played = play(learners, steps=(6, 20, 1, 3), seed=episode)  # longer than the first tape
            learners.learn()
        assert np.isfinite(played[0][2]).all()
    fast, slow = compiled.learned(), reference.learned()
    assert fast.keys() == slow.keys() == parameters.keys()
    for name, values in fast.items():
        assert np.abs(values - parameters[name][rows]).max() > 1e-4  # it did learn
        error = np.abs(values - slow[name])
        assert np.quantile(error, 0.99) < 5e-6  # a few gradients are rounding alone, and RMSprop makes those large
        assert error.max() < 5e-4


def test_rmsprop_is_torchs():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=30).astype(np.float32)
    theirs = nn.Parameter(torch.from_numpy(weights.copy()))
    optimizer = torch.optim.RMSprop([theirs], lr=0.03, eps=1e-5)
    squares = np.zeros(30, np.float32)
    for _ in range(5):
        gradient = rng.normal(size=30).astype(np.float32)
        theirs.grad = torch.from_numpy(gradient.copy())
        optimizer.step()
        lstm.rmsprop(weights, gradient, squares, np.float32(0.03))
        assert (gradient == 0).all()
        assert np.abs(weights - theirs.detach().numpy()).max() < 1e-6


def test_one_step_by_hand():
    """A policy of one weight: both logits are 0, so a step's gradient by logits is (R - V) (1/2, -1/2) for action 1."""
    design, parameters = members(policy_class=ActorCriticPolicy, net_arch=[])
    for values in parameters.values():
        values[:] = 0
    learners = TorchLearners(design, parameters, np.array([0]), Hyperparameters([0.1], [0.5], [0.25], [0.0]))
    x = np.array([[2, 0, 0, 0, 0]], np.float32)
    learners.begin()
    for reward in (0.0, 8.0):
        learners.act(np.array([0]), x, np.array([[0.0, 1.0]], np.float32))  # the noise makes it action 1
        learners.rewarded(np.array([reward]))
    captured = gradients_of(learners)
    # Returns are 4 and 8, values 0, the mean 6: logits' gradient 6 (1/2, -1/2), times the input 2. The critic's is
    # 0.25 * mean(-2 R) = -3, times the input 2.
    assert np.allclose(captured["action_net.bias"], [[3, -3]])
    assert np.allclose(captured["action_net.weight"][0, :, 0], [6, -6])
    assert np.allclose(captured["value_net.bias"], [[-3]])
    assert np.allclose(captured["value_net.weight"][0, :, 0], [-6])
    assert (captured["value_net.weight"][0, :, 1:] == 0).all()


def test_returns_are_discounted_to_the_end_of_the_episode():
    returns = discounted(np.array([[0.0, 0.0, 8.0], [1.0, 1.0, 1.0]]), np.array([0.5, 1.0]))
    assert returns.tolist() == [[2, 4, 8], [3, 2, 1]]


def test_the_compiled_tangent_is_within_3e_7():
    x = np.linspace(-20, 20, 100_001).astype(np.float32)
    assert np.abs(np.array([lstm.tanh.py_func(v) for v in x[::50]]) - np.tanh(x[::50])).max() < 3e-7
    c = np.zeros(1, np.float32)
    for v in x[::50]:
        gates = np.array([0, 0, v, 0], np.float32)
        lstm.cell_forward(gates, c, np.empty(1, np.float32), np.empty(1, np.float32), np.empty(1, np.float32))
        assert abs(gates[2] - np.tanh(v)) < 3e-7


@pytest.mark.bits
def test_a_life_acts_the_same_whoever_sits_beside_it():
    seen = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    together, alone = (CompiledLearners(*members(), np.arange(3), SETTINGS) for _ in range(2))
    for learners in (together, alone):
        learners.begin()
    for t in range(3):
        whole = together.act(np.arange(3), seen)
        apart = np.concatenate([alone.act(np.array([life]), seen[[life]]) for life in (2, 0, 1)])
        assert (whole == apart[[1, 2, 0]]).all()
        assert (together.tape.outputs[:, t] == alone.tape.outputs[:, t]).all()  # outputs and values, to the bit
        assert together.tape.outputs[:, t].any()


def test_an_environment_of_long_episodes_finds_room_on_the_tape():
    learners = CompiledLearners(*members(), np.arange(3), SETTINGS)
    rng = np.random.default_rng(0)
    learners.begin()
    for _ in range(70):
        learners.act(np.arange(3), rng.normal(size=(3, 5)).astype(np.float32), np.zeros((3, 2), np.float32))
        learners.rewarded(np.ones(3))
    learners.learn()
    assert all(np.isfinite(values).all() for values in learners.learned().values())
    assert gym.spaces.Discrete(2) == TWO


@pytest.mark.parametrize("kind", [CompiledLearners, TorchLearners])
def test_lives_that_share_a_learner_learn_from_the_mean_of_their_losses(kind):
    design, parameters = members()
    of_one = Hyperparameters(*(values[:1] for values in SETTINGS))
    alike = Hyperparameters(*(np.repeat(values, 3) for values in of_one))
    apart = kind(design, parameters, np.zeros(3, int), alike)
    together = kind(design, parameters, np.zeros(1, int), of_one, lives_each=3)
    for learners in (apart, together):
        play(learners)
    if kind is TorchLearners:
        each, shared = gradients_of(apart), gradients_of(together)
    else:
        each, lives = compiled_gradients(apart), compiled_gradients(together)
        shared = {name: values.sum(axis=0, keepdims=True) for name, values in lives.items()}  # what it descends along
    for name, gradients in each.items():
        assert shared[name].shape == (1, *gradients.shape[1:])
        assert np.abs(gradients.mean(axis=0) - shared[name][0]).max() < 1e-6
