"""What every learner promises: SB3's contract, a champion, and logs."""

import numpy as np
import pandas
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.logger import configure

from popagents.common.ranking import ranked
from popagents.population.population import Population
from popagents.rollout.vec_env import GymVecEnv
from tests.learners.cases import LEARNERS, PACMAN, PLAYED, assert_same, every_learner, new
from tests.learners.games import Ring

evaluated = pytest.mark.parametrize("name", ["culture", "genetic"])  # the others' champion is the policy that leads


@every_learner
def test_it_is_an_sb3_algorithm_that_predicts_and_can_be_evaluated(name):
    model = new(name, "CartPole-v1").learn(400)
    assert isinstance(model, BaseAlgorithm)
    action, memory = model.predict(np.zeros(4, np.float32), deterministic=True)
    assert action.shape == ()
    assert memory is None
    actions = [int(model.predict(np.zeros(4, np.float32), deterministic=False)[0]) for _ in range(60)]
    assert set(actions) == {0, 1}  # not deterministic: it samples
    mean, _ = evaluate_policy(model, make_vec_env("CartPole-v1", 1), n_eval_episodes=3)
    assert mean > 0


@pytest.mark.bits
@every_learner
def test_num_timesteps_equals_the_steps_really_taken(name):
    taken = 0

    class Counted(Ring):
        def step(self, action):
            nonlocal taken
            taken += 1
            return super().step(action)

    model = new(name, Counted()).learn(500)  # one slot: none ever idles
    assert model.num_timesteps == taken - model.evaluation_timesteps
    assert model.num_timesteps >= 500
    assert model.num_timesteps == model.lineage["timesteps"][-1]


@every_learner
def test_every_generation_is_logged(name, tmp_path):
    model = new(name, Ring())
    model.set_logger(configure(str(tmp_path), ["csv"]))
    model.learn(300)
    table = pandas.read_csv(tmp_path / "progress.csv")
    fitness = model.lineage["fitness"].reshape(-1, 6)
    assert list(table["time/generation"]) == list(range(1, model.generation + 1))
    assert table["time/total_timesteps"].iloc[-1] == model.num_timesteps
    for statistic in ("mean", "max", "min", "std"):
        assert np.allclose(table[f"population/fitness_{statistic}"], getattr(fitness, statistic)(axis=1))
    assert table["population/diversity"].between(0, 1).all()
    assert (table["time/fps"] > 0).all()


@every_learner
def test_the_screen_gets_a_table_a_second_at_most_and_files_get_them_all(name, tmp_path, monkeypatch, capsys):
    clock = iter(range(0, 100_000, 300))  # read once a generation
    monkeypatch.setattr("popagents.learners.logging.time.monotonic", lambda: next(clock) / 1000)
    model = new(name, Ring())
    model.set_logger(configure(str(tmp_path), ["stdout", "csv"]))
    model.learn(100 * PLAYED[name])
    assert len(pandas.read_csv(tmp_path / "progress.csv")) == model.generation > 4
    tables = capsys.readouterr().out.count("fitness_mean")
    assert tables == -(-model.generation // 4)  # after 0, 1.2, 2.4, ... seconds


@evaluated
def test_the_champion_is_the_best_finalist_of_an_evaluation_that_is_counted_apart(name):
    model = new(name, Ring(), champion_episodes=5).learn(400)
    finalists = ranked(model.fitness, model.now.before.rank_keys(6))[:1]  # a quarter of 6
    assert model.champion == finalists[0]
    _, parameters = model.policy_of(model.loop.run.state, int(finalists[0]))
    assert all((model.policy.state_dict()[k].numpy() == v).all() for k, v in parameters.items())
    assert 0 < model.evaluation_timesteps <= 5 * 20


@pytest.mark.parametrize("name", ["es", "elitist_es"])
def test_where_one_policy_leads_it_is_the_champion_without_evaluation(name):
    model = new(name, Ring()).learn(400)
    assert model.evaluation_timesteps == 0
    assert np.array_equal(np.concatenate([p.detach().numpy().ravel() for p in model.policy.parameters()]), model.centre)


@every_learner
def test_a_population_can_start_from_a_trained_sb3_policy(name):
    ppo = PPO("MlpPolicy", "CartPole-v1", n_steps=64, device="cpu", seed=0).learn(64)
    model = new(name, "CartPole-v1", "ActorCriticPolicy")
    model.start_from(ppo.policy)
    observations = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    expected, _ = ppo.predict(observations, deterministic=True)
    assert (model.predict(observations, deterministic=True)[0] == expected).all()
    for member in range(6):
        design, parameters = model.policy_of(model.loop.run.state, member)
        alone = Population([model.workspace.designs[design]], [{k: v[None] for k, v in parameters.items()}])
        assert (alone.act(np.zeros(40, np.int64), observations) == expected).all()
    with pytest.raises(ValueError, match="the policy has the parameters .*members of this design need"):
        new(name, "CartPole-v1", "LinearPolicy").start_from(ppo.policy)


@every_learner
def test_parameters_can_be_taken_and_set_as_in_sb3(name):
    first, second = new(name, Ring(), seed=1), new(name, Ring(), seed=2)
    second.set_parameters(first.get_parameters())
    assert all(torch.equal(a, b) for a, b in zip(first.policy.parameters(), second.policy.parameters(), strict=True))


@every_learner
@pytest.mark.parametrize(
    "space", [spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(2), spaces.Box(-1, 1, (2,), np.float32)], ids=str
)
def test_other_action_spaces_are_learned_too(name, space, tmp_path):
    model = new(name, Ring(space), "MlpPolicy").learn(300)
    assert space.contains(model.predict(np.zeros(8, np.float32), deterministic=True)[0])
    model.save(tmp_path / "m")
    assert_same(LEARNERS[name].load(tmp_path / "m", env=Ring(space)), model)


@every_learner
def test_an_id_gets_a_native_vector_environment_with_one_slot_a_member(name):
    model = new(name, PACMAN)
    assert isinstance(model.env, GymVecEnv)
    assert model.env.vector_env.__class__.__name__ == "PacmanVectorEnv"
    assert model.n_envs == 6
