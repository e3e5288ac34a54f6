"""Noise of low rank: a member acts as its whole matrices would, and the centre climbs along what they add up to."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.policies import ActorCriticCnnPolicy, ActorCriticPolicy
from torch import nn

from popagents.learners.es.es import ES
from popagents.learners.es.fitness_shaping import z_scores
from popagents.population.extractors import StridedCNN
from popagents.population.low_rank import LowRankNoise, LowRankStack
from popagents.population.policies import CnnPolicy, LinearPolicy, MlpPolicy, SmallCnnPolicy
from popagents.population.population import Population, Stack
from tests.learners.games import Ring
from tests.learners.test_convolution import BOARD, IMAGE, LARGE, own
from tests.learners.test_es import tell

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


def scattered(template, size=5, rank=2, sigma=0.3):
    stack = LowRankStack(template, size, rank)
    noise = LowRankNoise(stack)
    for member, key in enumerate(np.arange(100, 100 + size, dtype=np.uint64)):
        noise.scatter([member], key, sigma)
    return stack, noise


@pytest.mark.parametrize("rank", [1, 3])
@pytest.mark.parametrize("design", DESIGNS)
def test_members_act_as_their_whole_matrices_would(design, rank):
    template = DESIGNS[design]()
    stack, _ = scattered(template, rank=rank, sigma=0.1)
    whole = Stack(template, 5)
    for member in range(5):
        whole.set_vector(member, stack.vector(member))
    rows = np.array([4, 0, 0, 2, 3, 1, 2])
    template.observation_space.seed(0)
    seen = np.stack([template.observation_space.sample() for _ in rows])
    outputs = stack.outputs(rows, seen)
    assert np.allclose(outputs, whole.outputs(rows, seen), rtol=1e-4, atol=1e-5)
    assert np.abs(outputs[1] - stack.outputs(rows + (rows == 0), seen)[1]).max() > 1e-3  # members do differ
    assert (stack.outputs(rows[3:4], seen[3:4]) == outputs[3]).all()


def test_a_sampled_action_takes_the_members_own_spread():
    stack, _ = scattered(ActorCriticPolicy(ROW, spaces.Box(-1, 1, (2,)), lambda _: 1e-3), size=3)
    rows, seen = np.array([2, 0, 1]), np.zeros((3, 7), np.float32)
    noise = np.full((3, 2), 0.1, np.float32)
    spread = np.stack([stack.genes(row)["log_std"] for row in rows])
    assert len(np.unique(spread)) == 6
    assert np.allclose(
        stack.choose(rows, seen, noise), np.clip(stack.outputs(rows, seen) + 0.1 * np.exp(spread), -1, 1)
    )


@pytest.mark.parametrize("rank", [1, 4])
def test_every_entry_has_mean_0_and_variance_1_and_matrices_have_the_rank(rank):
    template = MlpPolicy(ROW, SIX, net_arch=[9])
    stack, _ = scattered(template, size=3000, rank=rank, sigma=0.5)
    centre = LowRankStack(template, 1, rank).vector(0)
    changes = np.stack([stack.vector(member) for member in range(3000)]) - centre
    changes /= 0.5
    assert np.abs(changes.mean(axis=0)).max() < 0.1
    assert np.abs(changes.var(axis=0) - 1).max() < 0.3  # products of normal numbers have heavy tails
    assert abs(changes.var(axis=0).mean() - 1) < 0.03
    correlations = np.corrcoef(changes.T) - np.eye(changes.shape[1])
    assert np.abs(correlations).max() < 5 * np.sqrt(3 / 3000)  # (a_i b_j) (a_i b_k) has the variance 3
    weight = stack.genes(7)["policy_net.0.weight"] - stack.parameters["policy_net.0.weight"][0]
    assert np.linalg.matrix_rank(weight, tol=1e-4) == rank


def test_a_pair_is_mirrored_and_a_recalled_member_stands_at_the_centre():
    stack, noise = scattered(CnnPolicy(BOARD, SIX), size=2)
    noise.gather(centre := stack.vector(0) * np.float32(0.5))
    assert (stack.vector(0) == centre).all()
    assert (stack.vector(1) == centre).all()
    noise.scatter([0, 1], np.uint64(8), 0.2)
    assert np.allclose(stack.vector(0) + stack.vector(1), 2 * centre, atol=1e-6)
    assert np.abs(stack.vector(0) - stack.vector(1)).min() > 0
    noise.recall(0)
    assert (stack.vector(0) == centre).all()
    assert not (stack.vector(1) == centre).any()


def around(model, members):
    """Return where members stand before a generation, less the centre: sigma E."""
    for owner, key in zip(*model._owners(), strict=True):
        model._around.scatter(np.arange(owner, owner + 1 + model.mirrored), key, model.sigma)
    return [model._stack.vector(member) - model.centre for member in members]


@pytest.mark.parametrize("policy", ["LinearPolicy", "MlpPolicy"])
def test_a_step_worked_out_by_hand(policy):
    model = ES(
        policy,
        Ring(),
        0.1,
        population_size=3,
        mirrored=False,
        optimizer="sgd",
        sigma=0.5,
        seed=5,
        noise="low_rank",
        rank=2,
    )
    first, second, _ = around(model, range(3))
    before = model.centre.copy()
    tell(model, [1.0, 7.0, 3.0])  # ranks -0.5, 0.5, 0
    assert np.allclose(model.centre, before + 0.1 * (second - first) * 0.5 / (3 * 0.5**2), atol=1e-6)
    assert all((model._stack.vector(member) == model.centre).all() for member in range(3))


def test_the_noise_is_a_function_of_run_seed_generation_and_member():
    def model(size):
        return ES("LinearPolicy", Ring(), population_size=size, seed=5, noise="low_rank")

    (alone,), (_, _, third) = around(model(4), [2]), around(model(8), range(3))
    assert (alone == third).all()
    moved = model(4)
    moved.generation = 1
    assert not np.isclose(alone, around(moved, [2])[0]).any()


def test_the_estimate_is_the_gradient_of_a_linear_fitness():
    model = ES(
        "MlpPolicy",
        Ring(),
        population_size=4000,
        fitness_shaping="zscore",
        seed=1,
        noise="low_rank",
        policy_kwargs={"net_arch": [6]},
    )
    slope = np.random.default_rng(0).normal(size=len(model.centre))
    fitness = np.array([slope @ change for change in around(model, range(4000))])
    gradient = model._gradient(z_scores(fitness))
    cosine = gradient @ slope / np.linalg.norm(gradient) / np.linalg.norm(slope)
    assert cosine > 0.97
    assert np.linalg.norm(gradient) == pytest.approx(1 / model.sigma, rel=0.1)


@pytest.mark.bits
@pytest.mark.parametrize("optimizer", ["adam", "elitist"])
def test_runs_have_the_same_bits_at_any_number_of_slots_and_after_loading(optimizer, tmp_path):
    def envs(slots):
        return SyncVectorEnv([lambda: gym.make("CartPole-v1")] * slots, autoreset_mode=AutoresetMode.DISABLED)

    settings = {
        "population_size": 6,
        "seed": 3,
        "normalize_observations": True,
        "noise": "low_rank",
        "rank": 2,
        "optimizer": optimizer,
        "policy_kwargs": {"net_arch": [300, 200]},
    }
    whole = ES("MlpPolicy", envs(6), **settings).learn(1200)
    for slots in (1, 4, 40):
        model = ES("MlpPolicy", envs(slots), **settings).learn(1200)
        assert (model.lineage == whole.lineage).all()
        assert (model.centre == whole.centre).all()
    ES("MlpPolicy", envs(5), **settings).learn(500).save(tmp_path / "m")
    loaded = ES.load(tmp_path / "m", env=envs(3))
    assert (loaded.noise, loaded.rank) == ("low_rank", 2)
    loaded.learn(1200, resume=True)
    assert (loaded.centre == whole.centre).all()
    assert loaded.generation > 3


def test_the_elected_member_is_the_next_centre():
    model = ES(
        "LinearPolicy",
        Ring(),
        population_size=8,
        optimizer="elitist",
        sigma=0.5,
        seed=0,
        noise="low_rank",
    )
    stood = []

    def look(local, _):
        if not stood:
            stood.extend(model._stack.vector(member) for member in range(8))
        return True

    before = model.centre
    model.learn(1, look, log_interval=None)
    assert (stood[0] == before).all()
    assert (model.centre == stood[model._elected[0]]).all()


def test_a_population_keeps_no_matrices_of_its_members():
    template = MlpPolicy(spaces.Box(-1, 1, (400,), np.float32), SIX, net_arch=[300])
    model = Population([template], 50, lambda design, size: LowRankStack(design, size, 1)).stacks[0]
    held = [*model.parameters.values(), *model.left.values(), *model.right.values(), *model.shifts.values()]
    assert sum(values.size for values in held) < 2 * len(model.vector(0))


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
        noise="low_rank",
    )
    assert model.learn(20_000, log_interval=None).lineage["fitness"][-8:].mean() > 100


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="noise is 'lowrank'; choose one of gaussian, low_rank"):
        ES("LinearPolicy", Ring(), noise="lowrank")
    with pytest.raises(ValueError, match="rank is 0"):
        ES("LinearPolicy", Ring(), noise="low_rank", rank=0)
