"""The champion: how it predicts, whose weights it has, and what a file holds of it."""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.callbacks import BaseCallback, EvalCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from tests.learners.cases import LEARNERS, assert_same, every_learner, new
from tests.learners.games import Ring

SEEN = np.eye(8, dtype=np.float32)
SAMPLING = {"culture": True, "es": False, "elitist_es": False, "genetic": True}  # how members act


def several(model, **how):
    """Return the different rows of actions that a model predicts in 60 calls."""
    return {model.predict(SEEN, **how)[0].tobytes() for _ in range(60)}


@every_learner
@pytest.mark.parametrize("space", [spaces.Discrete(3), spaces.Box(-1, 1, (2,), np.float32)], ids=str)
def test_predict_acts_as_the_members_do_unless_it_is_told_otherwise(name, space):
    model = new(name, Ring(space), "MlpPolicy").learn(200)
    assert LEARNERS[name].samples is SAMPLING[name]
    assert (len(several(model)) > 1) is SAMPLING[name]
    assert len(several(model, deterministic=True)) == 1
    assert len(several(model, deterministic=False)) > 1
    sb3 = {model.policy.predict(SEEN)[0].tobytes() for _ in range(60)}
    assert len(sb3) > 1  # the policy's own is SB3's, whose default samples


@every_learner
def test_weights_that_are_set_are_the_champions_in_files_and_in_learning(name, tmp_path):
    model, other = (new(name, Ring(), "MlpPolicy", seed=seed).learn(200) for seed in (1, 2))
    weights = {key: torch.full_like(value, 0.25) for key, value in other.get_parameters()["policy"].items()}
    champion, generation = model.champion, model.generation
    model.set_parameters({"policy": weights})
    model.save(tmp_path / "m")
    loaded = LEARNERS[name].load(tmp_path / "m", env=Ring())
    assert_same(loaded, model)
    loaded.learn(0, reset_num_timesteps=False)  # the champion of this generation was chosen before
    for one in (model, loaded):
        assert one.champion == champion
        assert one.generation == generation
        assert all(torch.equal(value, weights[key]) for key, value in one.policy.state_dict().items())
        _, own = one.policy_of(one.loop.run.state, champion)
        assert all((values == 0.25).all() for values in own.values())
    assert_same(loaded.learn(100, reset_num_timesteps=False), model.learn(100, reset_num_timesteps=False))


@pytest.mark.parametrize("name", ["culture", "genetic"])
def test_setting_the_champions_weights_leaves_other_members_as_they_are(name):
    model = new(name, Ring()).learn(200)
    before = [model.policy_of(model.loop.run.state, member)[1] for member in range(6)]
    model.set_parameters({"policy": {key: value + 1 for key, value in model.policy.state_dict().items()}})
    for member, own in enumerate(before):
        _, now = model.policy_of(model.loop.run.state, member)
        expected = {key: values + (member == model.champion) for key, values in own.items()}
        assert all(np.array_equal(values, expected[key]) for key, values in now.items())


@pytest.mark.parametrize("name", ["es", "elitist_es"])
def test_setting_weights_moves_the_centre(name):
    model = new(name, Ring()).learn(200)
    centre = model.centre.copy()
    model.set_parameters({"policy": {key: value + 1 for key, value in model.policy.state_dict().items()}})
    assert np.array_equal(model.centre, centre + np.float32(1))


def test_of_several_parents_the_first_is_set_and_has_played_nothing():
    model = new("elitist_es", Ring(), n_parents=2).learn(400)
    before = model.loop.run.state.strategy
    assert before.episodes.all()
    model.set_parameters({"policy": {key: value + 1 for key, value in model.policy.state_dict().items()}})
    after = model.loop.run.state.strategy
    assert (after.parents[1] == before.parents[1]).all()
    assert after.episodes.tolist() == [0, before.episodes[1]]
    assert after.points.tolist() == [0, before.points[1]]
    model.learn(200, reset_num_timesteps=False)


@every_learner
def test_weights_can_be_set_from_a_models_file(name, tmp_path):
    first, second = (new(name, Ring(), seed=seed).learn(200) for seed in (1, 2))
    first.save(tmp_path / "first")
    second.set_parameters(tmp_path / "first")
    assert (first.predict(SEEN, deterministic=True)[0] == second.predict(SEEN, deterministic=True)[0]).all()


@every_learner
def test_the_best_model_that_sb3_saves_is_the_player_that_it_scored(name, tmp_path):
    scored = {}

    class Listening(EvalCallback):
        def _on_step(self):
            best, go_on = self.best_mean_reward, super()._on_step()
            if self.best_mean_reward > best:
                scored["policy"] = {key: value.clone() for key, value in self.model.policy.state_dict().items()}
            return go_on

    test = DummyVecEnv([lambda: Monitor(Ring())])
    callback = Listening(test, best_model_save_path=str(tmp_path), eval_freq=37, n_eval_episodes=5, verbose=0)
    model = new(name, Ring()).learn(700, callback=callback)
    best = LEARNERS[name].load(tmp_path / "best_model.zip")
    assert scored["policy"].keys() == best.policy.state_dict().keys()
    assert all(torch.equal(value, scored["policy"][key]) for key, value in best.policy.state_dict().items())
    test.seed(5)
    first, _ = evaluate_policy(best, test, 5, return_episode_rewards=True)
    best.set_env(Ring())
    test.seed(5)
    second, _ = evaluate_policy(best.policy, test, 5, return_episode_rewards=True)
    assert first == second
    assert best.generation < model.generation


@pytest.mark.bits
@every_learner
def test_a_model_made_from_an_id_and_one_made_from_make_vec_env_save_the_same_champion(name, tmp_path):
    class Saving(BaseCallback):
        def __init__(self, folder):
            super().__init__()
            self.folder = folder

        def _on_step(self):
            if self.num_timesteps >= 150 and not (self.folder / "mid.zip").exists():
                self.model.save(self.folder / "mid.zip")
            return True

    saved = {}
    for kind, env in {"id": "CartPole-v1", "made": make_vec_env("CartPole-v1", 6)}.items():
        model = new(name, env).learn(400, callback=Saving(tmp_path / kind))
        model.save(tmp_path / kind / "end")
        saved[kind] = [LEARNERS[name].load(tmp_path / kind / when) for when in ("mid", "end")]
    for first, second in zip(saved["id"], saved["made"], strict=True):
        assert_same(first, second)
