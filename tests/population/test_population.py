"""Members act by their own parameters, with the same bits whoever sits beside them."""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticCnnPolicy, ActorCriticPolicy
from stable_baselines3.dqn.policies import DQNPolicy
from torch import nn

from popagents.population.actions import Actions, disagreement
from popagents.population.design import Design
from popagents.population.extractors import StridedCNN
from popagents.population.low_rank import LowRankPopulation
from popagents.population.members import member_of
from popagents.population.policies import ActorPolicy, CnnPolicy, LinearPolicy, MlpPolicy, SmallCnnPolicy
from popagents.population.population import Population, write_into

BOARD = spaces.Box(0, 5, (30,), np.float32)
GRID = spaces.Box(0, 5, (2, 6, 5), np.float32)
IMAGE = spaces.Box(0, 255, (3, 40, 40), np.uint8)
FIVE = spaces.Discrete(5)
LARGE_IMAGE = spaces.Box(0, 255, (3, 64, 63), np.uint8)
PAIR = spaces.MultiDiscrete([3, 4])
BITS = spaces.MultiBinary(3)
ARM = spaces.Box(-2, 2, (2,), np.float32)


def policy(policy_class, observation=BOARD, action=FIVE, **kwargs):
    torch.manual_seed(0)
    return policy_class(observation, action, lambda _: 1e-3, **kwargs)


def seen(space, k, seed=0):
    space.seed(seed)
    return np.stack([space.sample() for _ in range(k)])


DESIGNS = {
    "linear": lambda: policy(LinearPolicy),
    "mlp": lambda: policy(MlpPolicy, net_arch=[16, 8]),
    "relu": lambda: policy(MlpPolicy, net_arch=[16], activation_fn=nn.ReLU),
    "elu, through torch": lambda: policy(MlpPolicy, net_arch=[16], activation_fn=nn.ELU),
    "SB3's MLP": lambda: policy(ActorCriticPolicy),
    "states one-hot": lambda: policy(MlpPolicy, spaces.Discrete(9)),
    "board CNN": lambda: policy(CnnPolicy, GRID),
    "image CNN": lambda: policy(CnnPolicy, IMAGE),
    "SB3's CNN": lambda: policy(ActorCriticCnnPolicy, IMAGE),
    "small CNN": lambda: policy(SmallCnnPolicy, IMAGE),
    "strided CNN": lambda: policy(CnnPolicy, LARGE_IMAGE, features_extractor_class=StridedCNN),
    "two components": lambda: policy(LinearPolicy, action=PAIR),
    "three bits": lambda: policy(LinearPolicy, action=BITS),
    "continuous": lambda: policy(MlpPolicy, action=ARM),
}


def drawn(template, size=7, seed=1, std=0.3):
    """Return a design and members of it."""
    design = Design(template)
    return design, design.normal(np.random.default_rng(seed), size, std)


def population_of(template, size=7, seed=1, std=0.3):
    design, parameters = drawn(template, size, seed, std)
    return Population([design], [parameters])


@pytest.mark.parametrize("name", DESIGNS)
def test_a_member_acts_as_its_policy_does_in_sb3(name):
    template = DESIGNS[name]()
    population = population_of(template, 4)
    observations = seen(template.observation_space, 12)
    alone = DESIGNS[name]()
    for member in range(4):
        write_into(alone, member_of(population.parameters, member)[1])
        expected, _ = alone.predict(observations, deterministic=True)
        assert np.allclose(population.act(np.full(12, member), observations), expected, atol=1e-5)


@pytest.mark.bits
@pytest.mark.parametrize("name", DESIGNS)
def test_outputs_have_the_same_bits_in_any_company_and_order(name):
    design, members = drawn(DESIGNS[name]())
    rows = np.array([3, 0, 6, 6, 1, 2, 5, 4, 0])
    observations = seen(design.template.observation_space, len(rows))
    together = design.outputs(members, rows, observations)
    apart = np.concatenate([design.outputs(members, rows[[i]], observations[[i]]) for i in range(len(rows))])
    some = design.outputs(members, rows[2:5], observations[2:5])
    assert together.dtype == np.float32
    assert (together == apart).all()
    assert (together[2:5] == some).all()


@pytest.mark.parametrize("name", ["linear", "mlp", "relu", "SB3's MLP", "states one-hot"])
def test_dense_networks_take_a_fast_path_that_agrees_with_torch(name):
    design, members = drawn(DESIGNS[name]())
    rows, observations = np.arange(7), seen(design.template.observation_space, 7)
    assert design.layers is not None
    through_torch = design.through_torch(members, rows, observations)
    assert np.allclose(design.outputs(members, rows, observations), through_torch, atol=1e-5)


def test_a_subclass_that_does_more_than_its_layers_is_not_taken_for_a_dense_network():
    class Doubled(ActorPolicy):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.action_net.register_forward_hook(lambda module, given, out: 2 * out)

    design, members = drawn(policy(Doubled))
    linear, same_members = drawn(policy(LinearPolicy))
    observations = seen(BOARD, 7)
    plain = linear.outputs(same_members, np.arange(7), observations)
    assert design.layers is None
    assert np.allclose(design.outputs(members, np.arange(7), observations), 2 * plain, atol=1e-5)


def test_members_of_several_designs_are_dealt_like_cards_and_act_as_their_own_design():
    designs, parameters = zip(drawn(DESIGNS["linear"](), 3, seed=0), drawn(DESIGNS["mlp"](), 2, seed=1), strict=True)
    population = Population(designs, parameters)
    observations = seen(BOARD, 5)
    actions = population.act(np.arange(5), observations)
    assert population.size == 5
    for member, (which, row) in enumerate([(0, 0), (1, 0), (0, 1), (1, 1), (0, 2)]):
        alone = Population([designs[which]], [parameters[which]])
        assert actions[member] == alone.act(np.array([row]), observations[[member]])[0]
        design, own = member_of(population.parameters, member)
        assert design == which
        assert all((own[name] == values[row]).all() for name, values in parameters[which].items())


def test_only_the_actor_of_an_actor_critic_evolves():
    _, members = drawn(DESIGNS["SB3's MLP"]())
    assert not [name for name in members if "value" in name]
    assert set(members) >= {"action_net.weight", "mlp_extractor.policy_net.0.weight"}


def test_acting_leaves_the_design_as_it_was_though_its_extractor_has_three_names():
    torch.manual_seed(0)
    template = ActorCriticCnnPolicy(spaces.Box(0, 255, (1, 36, 36), np.uint8), FIVE, lambda _: 1e-3)
    before = {name: parameter.detach().clone() for name, parameter in template.named_parameters()}
    design = Design(template)
    members = design.copies(2)
    for values in members.values():
        values += 1
    design.through_torch(members, np.array([0, 1]), np.zeros((2, 1, 36, 36), np.uint8))
    after = dict(template.named_parameters())
    assert after.keys() == before.keys()
    assert all(isinstance(after[name], nn.Parameter) and (after[name] == before[name]).all() for name in before)


def test_a_champion_goes_into_an_sb3_model_of_its_policy_class():
    model = PPO("MlpPolicy", "CartPole-v1", device="cpu", seed=0)
    template = policy(ActorCriticPolicy, model.observation_space, model.action_space)
    population = population_of(template, 3, seed=2, std=1.0)
    write_into(model.policy, member_of(population.parameters, 2)[1])
    observations = seen(spaces.Box(-1, 1, (4,), np.float32), 50)
    assert (model.predict(observations, deterministic=True)[0] == population.act(np.full(50, 2), observations)).all()


@pytest.mark.parametrize("space", [FIVE, PAIR, ARM], ids=str)
def test_noise_samples_what_sb3_samples(space):
    template, n = policy(LinearPolicy, action=space), 20_000
    design = Design(template)
    population = Population([design], [design.copies(1)])
    observation = seen(BOARD, 1)
    noise = design.actions.noise(np.arange(n, dtype=np.uint64) * 7919, np.zeros(n, np.int64))
    ours = population.act(np.zeros(n, np.int64), np.repeat(observation, n, axis=0), noise)
    theirs, _ = template.predict(np.repeat(observation, n, axis=0))
    assert np.allclose(ours.mean(axis=0), theirs.mean(axis=0), atol=0.06)
    assert np.allclose(ours.std(axis=0), theirs.std(axis=0), atol=0.06)


@pytest.mark.parametrize("space", [FIVE, PAIR, BITS, ARM], ids=str)
def test_the_gradient_of_the_likelihood_is_autograds(space):
    actions = Actions.of(space)
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(6, actions.n_outputs)).astype(np.float32)
    log_std = None if actions.sizes else rng.normal(size=actions.n_outputs).astype(np.float32)
    done = seen(space, 6)
    given = torch.from_numpy(outputs).requires_grad_()
    spread = None if log_std is None else torch.from_numpy(log_std).requires_grad_()
    (-actions.log_likelihood(given, torch.from_numpy(done), spread).sum()).backward()
    error, by_spread = actions.gradient(outputs, done, log_std)
    assert np.allclose(error, given.grad, atol=1e-5)
    if log_std is not None:
        assert np.allclose(by_spread.sum(axis=0), spread.grad, atol=1e-4)


def test_bits_are_drawn_with_the_chances_that_sb3s_distribution_gives_them():
    template = policy(ActorCriticPolicy, action=BITS)
    actions, observations = Actions.of(BITS), torch.from_numpy(seen(BOARD, 5))
    with torch.no_grad():
        template.action_net.weight *= 100
        distribution = template.get_distribution(observations)
        chosen = distribution.sample()
        outputs = distribution.distribution.logits
        assert torch.allclose(actions.log_likelihood(outputs, chosen), distribution.log_prob(chosen), atol=1e-5)
        assert (actions.choose(outputs.numpy()) == distribution.mode().numpy()).all()
    k = 4000
    noise = actions.noise(np.arange(k, dtype=np.uint64), np.zeros(k, np.int64))
    shares = actions.choose(np.repeat(outputs[:1].numpy(), k, axis=0), noise).mean(axis=0)
    assert np.abs(shares - outputs[0].sigmoid().numpy()).max() < 0.04  # five standard errors


def test_disagreement_is_the_share_of_pairs_that_choose_differently():
    one_of_four_differs = np.array([[[0], [0], [0], [1]]])  # 3 of 6 pairs differ
    assert disagreement(one_of_four_differs, FIVE) == pytest.approx(0.5)
    assert disagreement(np.zeros((3, 4, 1)), FIVE) == 0
    assert disagreement(np.arange(4).reshape(1, 4, 1), FIVE) == 1
    assert disagreement(np.array([[[-2.0, 0.0], [2.0, 0.0]]]), ARM) == pytest.approx(0.25)  # sd 2 of range 4, and 0


@pytest.mark.parametrize(
    "space", [spaces.MultiBinary([3, 2]), spaces.Discrete(3, start=1), spaces.Box(-np.inf, np.inf, (1,)), spaces.Dict()]
)
def test_an_action_space_that_no_policy_serves_is_named(space):
    with pytest.raises(ValueError, match="the action space is .*policies serve Discrete"):
        Actions.of(space)


def test_a_policy_that_cannot_join_is_named():
    with pytest.raises(ValueError, match="DQNPolicy cannot join a population; use LinearPolicy"):
        Design(policy(DQNPolicy))
    with pytest.raises(ValueError, match="use_sde is True"):
        Design(policy(ActorCriticPolicy, action=ARM, use_sde=True))
    with pytest.raises(ValueError, match=r"\(30,\), .*; it needs observations of shape \(channels, rows, columns\)"):
        policy(CnnPolicy)


@pytest.mark.parametrize("kind", ["one design", "two designs", "low rank"])
@pytest.mark.parametrize("who", [[0, 5], [-1, 0], [2**40, 1]])
def test_a_member_that_there_is_not_is_refused(kind, who):
    design = Design(policy(LinearPolicy))
    if kind == "low rank":
        population = LowRankPopulation(design, 5, 1)
    elif kind == "one design":
        population = Population([design], [design.copies(5)])
    else:
        population = Population(
            [design, Design(policy(MlpPolicy))], [design.copies(3), Design(policy(MlpPolicy)).copies(2)]
        )
    stranger = next(member for member in who if not 0 <= member < 5)
    with pytest.raises(ValueError, match=f"who names member {stranger}; the population has members 0 to 4"):
        population.act(np.array(who), seen(BOARD, 2))
    assert population.act(np.array([4, 0]), seen(BOARD, 2)).shape == (2,)
