"""What SB3's users rely on beside callbacks, files and policies: plain environments, compiled policies, log folders."""

from functools import partial

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3 import PPO
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecMonitor, VecNormalize

from tests.learners.cases import LEARNERS, assert_same, every_learner, new
from tests.learners.games import Ring, Spaces

# ---------------------------------------------------------------- environments


class SeedAlone(Ring):
    """Has a reset that takes no options."""

    def reset(self, *, seed=None):
        return super().reset(seed=seed)


VECTORS = {
    "one environment": lambda make: make(),
    "DummyVecEnv": lambda make: DummyVecEnv([make] * 2),
    "VecMonitor": lambda make: VecMonitor(DummyVecEnv([make] * 2)),
    "VecNormalize": lambda make: VecNormalize(DummyVecEnv([make] * 2)),
    "SubprocVecEnv": lambda make: SubprocVecEnv([make] * 2, "fork"),
    "SyncVectorEnv": lambda make: SyncVectorEnv([make] * 2, autoreset_mode=AutoresetMode.DISABLED),
}


@pytest.mark.filterwarnings("ignore:episodes in a")
@pytest.mark.parametrize("kind", [kind for kind in VECTORS if kind != "SyncVectorEnv"])
def test_a_reset_is_given_options_only_where_there_are_some(kind):
    model = new("culture", VECTORS[kind](SeedAlone)).learn(60)
    model.env.close()
    assert model.generation


class Telling(Ring):
    """Tells what it is given, at resets and in steps."""

    def __init__(self, at_reset, in_steps):
        super().__init__()
        self.at_reset, self.in_steps = at_reset, in_steps

    def reset(self, *, seed=None, options=None):
        seen, _ = super().reset(seed=seed, options=options)
        return seen, self.at_reset(self.cell)

    def step(self, action):
        *step, _ = super().step(action)
        return *step, self.in_steps(self.steps)


INFOS = {
    "arrays of any length at resets": (lambda cell: {"path": [0] * cell}, lambda steps: {}),
    "a name here and there": (lambda cell: {"odd": 1} if cell % 2 else {}, lambda steps: {}),
    "ragged lists": (lambda cell: {"a": [[1], [1, 2]]}, lambda steps: {"a": [[1], [1, 2]]}),
    "numbers for names": (lambda cell: {}, lambda steps: {1: 0.5, "x": 0.5}),
    "an episode of its own": (lambda cell: {}, lambda steps: {"episode": {"r": 100.0, "l": 1, "t": 0.0}}),
    "None": (lambda cell: None if cell % 2 else {}, lambda steps: None),
}


@pytest.mark.parametrize("kind", ["DummyVecEnv", "SyncVectorEnv"])
@pytest.mark.parametrize("infos", INFOS)
def test_whatever_infos_hold_changes_no_run(kind, infos):
    if infos == "None" and kind == "SyncVectorEnv":
        pytest.skip("Gymnasium resets it before a run, and wants a dict")
    first, second = (
        new("genetic", VECTORS[kind](partial(Telling, *tell))).learn(90)
        for tell in (INFOS[infos], INFOS["a name here and there"])
    )
    assert_same(first, second)
    assert [e["r"] for e in first.ep_info_buffer] == [e["r"] for e in second.ep_info_buffer]


def test_an_info_that_is_no_dict_is_refused_with_member_seed_and_step():
    model = new("es", DummyVecEnv([partial(Telling, lambda cell: {}, lambda steps: ["ouch"])] * 2))
    with pytest.raises(RuntimeError, match=r"member 0 got the info \['ouch'\]; it must be a dict, at step \d of the"):
        model.learn(60)


# ---------------------------------------------------------------- policies


@every_learner
def test_a_compiled_policy_is_saved_under_the_names_that_it_has_without(name, tmp_path):
    model = new(name, Ring(), "MlpPolicy").learn(60)
    plain = model.policy.state_dict()
    model.policy = torch.compile(model.policy)
    model.save(tmp_path / "m")
    loaded = LEARNERS[name].load(tmp_path / "m", env=Ring())
    assert all(torch.equal(plain[key], value) for key, value in loaded.policy.state_dict().items())
    model.set_parameters({"policy": {key: value + 1 for key, value in model.policy.state_dict().items()}})
    model.learn(300, resume=True)
    assert model.generation > loaded.generation


@every_learner
def test_weights_that_choose_bits_travel_to_and_from_sb3(name):
    ppo = PPO("MlpPolicy", Ring(spaces.MultiBinary(2)), n_steps=8, batch_size=8, device="cpu", seed=1).learn(16)
    model = new(name, Ring(spaces.MultiBinary(2)), "ActorCriticPolicy")
    model.start_from(ppo.policy)
    for _ in range(2):
        actions = [m.predict(np.eye(8, dtype=np.float32), deterministic=True)[0] for m in (model, ppo)]
        assert (actions[0] == actions[1]).all()
        ppo.policy.load_state_dict(model.learn(60).policy.state_dict())


class BatchNorm(BaseFeaturesExtractor):
    """Normalizes a batch, which is one observation where members act."""

    def __init__(self, observation_space):
        super().__init__(observation_space, 8)
        self.norm = torch.nn.BatchNorm1d(8)

    def forward(self, observations):
        return self.norm(observations)


@every_learner
def test_members_act_and_learn_in_eval_mode_so_that_running_statistics_stay(name):
    model = new(name, Ring(), "MlpPolicy", policy_kwargs={"features_extractor_class": BatchNorm})
    before = {key: value.clone() for key, value in model.policy.state_dict().items()}
    model.learn(120)
    norm = "features_extractor.norm"
    after = model.policy.state_dict()
    assert not model.policy.training
    for kept in ("running_mean", "running_var", "num_batches_tracked"):
        assert torch.equal(before[f"{norm}.{kept}"], after[f"{norm}.{kept}"])
    assert not torch.equal(before["action_net.weight"], after["action_net.weight"])


# ---------------------------------------------------------------- files and logs


@every_learner
@pytest.mark.parametrize(
    "space",
    [spaces.MultiBinary(3), spaces.MultiBinary([2, 3]), spaces.MultiDiscrete([3, 2]), spaces.Discrete(4)],
    ids=str,
)
def test_a_file_goes_on_in_an_environment_of_the_same_observations(name, space, tmp_path):
    new(name, Spaces(space)).save(tmp_path / "m")
    model = LEARNERS[name].load(tmp_path / "m", env=Spaces(space))
    assert model.learn(12).generation


@pytest.mark.parametrize("name", ["culture", "es"])
def test_custom_objects_stand_in_for_settings_of_the_file_and_for_nothing_else(name, tmp_path):
    new(name, Ring(), learning_rate=0.25, verbose=2).save(tmp_path / "m")
    load = partial(LEARNERS[name].load, tmp_path / "m")
    loaded = load(custom_objects={"learning_rate": 2e-5, "dummy": 1.0})
    assert (loaded.learning_rate, loaded.verbose) == (2e-5, 2)
    assert not hasattr(loaded, "dummy")
    assert load(custom_objects={"learning_rate": 2e-5}, learning_rate=0.5).learning_rate == 0.5
    assert load(custom_objects={"learning_rate": 0.0}).learning_rate == 0.25  # RL Zoo's stand-in


@every_learner
def test_tensorboard_folders_are_named_and_counted_as_sb3_counts_them(name, tmp_path):
    pytest.importorskip("tensorboard")
    model = new(name, Ring(), tensorboard_log=str(tmp_path))
    model.learn(20)
    model.learn(40, reset_num_timesteps=False)
    model.learn(20)
    model.learn(20, tb_log_name="mine")
    own = type(model).__name__
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"{own}_1", f"{own}_2", "mine_1"])


@every_learner
def test_observations_and_actions_of_float64_are_served(name):
    space = spaces.Box(-1, 1, (2,), np.float64)
    model = new(name, gym.wrappers.TimeLimit(Spaces(space, space), 4), "MlpPolicy").learn(24)
    assert model.predict(space.sample(), deterministic=False)[0].dtype == np.float64
