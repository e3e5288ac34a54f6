"""Noise of low rank: a member acts as its whole matrices would, and the centre climbs along what they add up to."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.policies import ActorCriticCnnPolicy, ActorCriticPolicy
from torch import nn

from popagents.common.now import Now
from popagents.common.parameters import set_rows, vector_of
from popagents.learners.conversation import converse
from popagents.learners.es.es import ES
from popagents.learners.es.fitness_shaping import z_scores
from popagents.population.design import Design
from popagents.population.extractors import StridedCNN
from popagents.population.low_rank import LowRankNoise
from popagents.population.noise import Perturbed
from popagents.population.policies import CnnPolicy, LinearPolicy, MlpPolicy, SmallCnnPolicy
from popagents.rollout.jobs import Episodes
from tests.learners.games import Ring
from tests.networks.test_convolution import BOARD, IMAGE, LARGE, own

ROW, SIX = spaces.Box(-3, 3, (7,), np.float32), spaces.Discrete(6)
DESIGNS = {
    "linear": lambda: LinearPolicy(ROW, SIX),
    "MLP": lambda: MlpPolicy(ROW, SIX, net_arch=[70, 33]),
    "MLP on numbers of states": lambda: MlpPolicy(spaces.MultiDiscrete([3, 5]), SIX),
    "MLP on a picture": lambda: MlpPolicy(BOARD, SIX, activation_fn=nn.ReLU),
    "SB3's policy": lambda: ActorCriticPolicy(ROW, spaces.Box(-1, 1, (2,)), lambda _: 1e-3),
    "SB3's policy on images": lambda: ActorCriticCnnPolicy(IMAGE, SIX, lambda _: 1e-3),
    "SmallCNN": lambda: SmallCnnPolicy(IMAGE, SIX),
    "NatureCNN": lambda: CnnPolicy(IMAGE, SIX),
    "StridedCNN": lambda: CnnPolicy(LARGE, SIX, features_extractor_class=StridedCNN),
    "BoardCNN, padded": lambda: CnnPolicy(BOARD, SIX),
    "no chain of layers": lambda: own(lambda: nn.Conv2d(2, 4, 3), lambda: nn.MaxPool2d(2)),
}


def perturbed(parent, keys, signs, sigma):
    keys, signs = np.array(keys, np.uint64), np.array(signs, np.int8)
    return Perturbed(parent[None], np.zeros(len(keys), np.int64), keys, signs, sigma)


def scattered(template, size=5, rank=2, sigma=0.3):
    """Return members around a template, as they act, and their parameters as vectors."""
    design = Design(template)
    noise = LowRankNoise(design.shapes, rank)
    members = perturbed(vector_of(design.copies(1), 0), 100 + np.arange(size), np.ones(size), sigma)
    return noise.seated(members, design), noise.vectors(members, np.arange(size))


@pytest.mark.parametrize("rank", [1, 3])
@pytest.mark.parametrize("design", DESIGNS)
def test_members_act_as_their_whole_matrices_would(design, rank):
    template = DESIGNS[design]()
    population, vectors = scattered(template, rank=rank, sigma=0.1)
    whole = population.design.copies(5)
    for member in range(5):
        set_rows(whole, member, vectors[member])
    rows = np.array([4, 0, 0, 2, 3, 1, 2])
    template.observation_space.seed(0)
    seen = np.stack([template.observation_space.sample() for _ in rows])
    outputs = population.outputs(rows, seen)
    assert np.allclose(outputs, population.design.outputs(whole, rows, seen), rtol=1e-4, atol=1e-5)
    assert np.abs(outputs[1] - population.outputs(rows + (rows == 0), seen)[1]).max() > 1e-3  # members do differ
    assert (population.outputs(rows[3:4], seen[3:4]) == outputs[3]).all()


def test_a_sampled_action_takes_the_members_own_spread():
    population, _ = scattered(ActorCriticPolicy(ROW, spaces.Box(-1, 1, (2,)), lambda _: 1e-3), size=3)
    rows, seen = np.array([2, 0, 1]), np.zeros((3, 7), np.float32)
    noise = np.full((3, 2), 0.1, np.float32)
    spread = population.own("log_std", rows)
    assert len(np.unique(spread)) == 6
    expected = np.clip(population.outputs(rows, seen) + 0.1 * np.exp(spread), -1, 1)
    assert np.allclose(population.act(rows, seen, noise), expected)


@pytest.mark.parametrize("rank", [1, 4])
def test_every_entry_has_mean_0_and_variance_1_and_matrices_have_the_rank(rank):
    template = MlpPolicy(ROW, SIX, net_arch=[9])
    population, vectors = scattered(template, size=3000, rank=rank, sigma=0.5)
    changes = vectors - vector_of(population.centre, 0)
    changes /= 0.5
    assert np.abs(changes.mean(axis=0)).max() < 0.1
    assert np.abs(changes.var(axis=0) - 1).max() < 0.3  # products of normal numbers have heavy tails
    assert abs(changes.var(axis=0).mean() - 1) < 0.03
    correlations = np.corrcoef(changes.T) - np.eye(changes.shape[1])
    assert np.abs(correlations).max() < 5 * np.sqrt(3 / 3000)  # (a_i b_j) (a_i b_k) has the variance 3
    name = "policy_net.0.weight"
    weight = population.own(name, np.array([7]))[0] - population.centre[name][0]
    assert np.linalg.matrix_rank(weight, tol=1e-4) == rank


def test_a_pair_is_mirrored_and_a_member_without_noise_stands_at_the_centre():
    design = Design(CnnPolicy(BOARD, SIX))
    noise, centre = LowRankNoise(design.shapes, 2), vector_of(design.copies(1), 0) * np.float32(0.5)

    def stand(signs):
        members = perturbed(centre, [8, 8], signs, 0.2)
        population, rows = noise.seated(members, design), np.arange(2)
        own = {name: population.own(name, rows) for name in design.shapes}
        vectors = noise.vectors(members, rows)
        assert np.allclose([vector_of(own, row) for row in rows], vectors, atol=1e-6)
        return vectors

    assert (stand([0, 0]) == centre).all()
    plus, minus = stand([1, -1])
    assert np.allclose(plus + minus, 2 * centre, atol=1e-6)
    assert np.abs(plus - minus).min() > 0
    recalled, other = stand([0, -1])
    assert (recalled == centre).all()
    assert not (other == centre).any()


def around(model, members, generation=0):
    """Return where members stand in a generation, less the centre: sigma E."""
    drawn = model.strategy.members(model.loop.run.state.strategy, Now(model.run_seed, generation))
    return list(model.workspace.noise.vectors(drawn, np.array(members)) - model.centre)


@pytest.mark.parametrize("policy", ["LinearPolicy", "MlpPolicy"])
def test_a_step_worked_out_by_hand(policy):
    model = ES(policy, Ring(), 0.1, population_size=3, mirrored=False, optimizer="sgd", sigma=0.5, seed=5, rank=2)
    first, second, _ = around(model, range(3))

    def answer(request):
        return Episodes(request.jobs, np.array([1.0, 7.0, 3.0]), np.ones(3, np.int64))  # ranks -0.5, 0.5, 0

    now = Now(model.run_seed, 0, 0.0)
    after = converse(model.next_generation(model.loop.run.state, now), answer).state.strategy
    assert np.allclose(after.centre, model.centre + 0.1 * (second - first) * 0.5 / (3 * 0.5**2), atol=1e-6)
    assert (model.strategy.members(after, now).parents == after.centre).all()


def test_the_noise_is_a_function_of_run_seed_generation_and_member():
    def model(size):
        return ES("LinearPolicy", Ring(), population_size=size, seed=5, rank=1)

    (alone,), (_, _, third) = around(model(4), [2]), around(model(8), range(3))
    assert (alone == third).all()
    assert not np.isclose(alone, around(model(4), [2], generation=1)[0]).any()


def test_the_estimate_is_the_gradient_of_a_linear_fitness():
    model = ES(
        "MlpPolicy",
        Ring(),
        population_size=4000,
        fitness_shaping="zscore",
        seed=1,
        rank=1,
        policy_kwargs={"net_arch": [6]},
    )
    slope = np.random.default_rng(0).normal(size=len(model.centre))
    fitness = np.array([slope @ change for change in around(model, range(4000))])
    members = model.strategy.members(model.loop.run.state.strategy, Now(model.run_seed, 0))
    gradient = model.strategy.gradient(members, z_scores(fitness), model.workspace.noise)
    cosine = gradient @ slope / np.linalg.norm(gradient) / np.linalg.norm(slope)
    assert cosine > 0.97
    assert np.linalg.norm(gradient) == pytest.approx(1 / model.sigma, rel=0.1)


@pytest.mark.bits
def test_runs_have_the_same_bits_at_any_number_of_slots_and_after_loading(tmp_path):
    def envs(slots):
        return SyncVectorEnv([lambda: gym.make("CartPole-v1")] * slots, autoreset_mode=AutoresetMode.DISABLED)

    settings = {
        "population_size": 6,
        "seed": 3,
        "normalize_observations": True,
        "rank": 2,
        "policy_kwargs": {"net_arch": [300, 200]},
    }
    whole = ES("MlpPolicy", envs(6), **settings).learn(1200)
    for slots in (1, 4, 40):
        model = ES("MlpPolicy", envs(slots), **settings).learn(1200)
        assert (model.lineage == whole.lineage).all()
        assert (model.centre == whole.centre).all()
    ES("MlpPolicy", envs(5), **settings).learn(500).save(tmp_path / "m")
    loaded = ES.load(tmp_path / "m", env=envs(3))
    assert loaded.rank == 2
    loaded.learn(1200, resume=True)
    assert (loaded.centre == whole.centre).all()
    assert loaded.generation > 3


def test_a_population_keeps_no_matrices_of_its_members():
    population, vectors = scattered(MlpPolicy(spaces.Box(-1, 1, (400,), np.float32), SIX, net_arch=[300]), 50, rank=1)
    parts = (population.centre, population.left, population.right, population.shifts)
    assert sum(values.size for part in parts for values in part.values()) < 2 * vectors.shape[1]


def test_it_learns_cartpole():
    model = ES(
        "MlpPolicy",
        "CartPole-v1",
        0.12,
        population_size=8,
        sigma=0.2,
        optimizer="sgd",
        seed=0,
        fitness_shaping="zscore",
        normalize_observations=True,
        rank=1,
    )
    assert model.learn(20_000, log_interval=None).lineage["fitness"][-8:].mean() > 100


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="rank is 0"):
        ES("LinearPolicy", Ring(), rank=0)
