"""A policy is SB3's: saved and loaded by itself, traced, exported, and strict about its keywords."""

import io

import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.wrappers import FlattenObservation
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn

from popagents.population.policies import LinearPolicy, MlpPolicy
from popagents.population.recurrent import RecurrentPolicy
from tests.learners.cases import LEARNERS, every_learner, new
from tests.learners.games import Ring, Spaces

SEEN = np.eye(8, dtype=np.float32)
ACTIONS = {
    "one choice": spaces.Discrete(3),
    "two choices": spaces.MultiDiscrete([2, 3]),
    "three bits": spaces.MultiBinary(3),
    "a box": spaces.Box(-0.1, 0.05, (2,)),
    "a box of another shape": spaces.Box(np.float32([[-1], [0]]), np.float32([[0.1], [9]])),
}


class Normalized(BaseFeaturesExtractor):
    """Has what is easily lost: counters of no dimension, a parameter that is one number, dropout."""

    def __init__(self, observation_space):
        super().__init__(observation_space, 8)
        self.norm, self.dropout = nn.BatchNorm1d(8), nn.Dropout(0.5)
        self.scale = nn.Parameter(torch.tensor(1.5))

    def forward(self, observations):
        return self.dropout(self.norm(observations) * self.scale)


@every_learner
@pytest.mark.parametrize("policy", ["MlpPolicy", "ActorCriticPolicy"])
def test_numbers_of_no_dimension_and_layers_with_two_modes_are_learned_saved_and_loaded(name, policy, tmp_path):
    kwargs = {"features_extractor_class": Normalized, "net_arch": [4]}
    model = new(name, Ring(), policy, policy_kwargs=kwargs).learn(60)
    model.save(tmp_path / "m")
    own = {"policy": model.policy_class, "policy_kwargs": kwargs}
    loaded = LEARNERS[name].load(tmp_path / "m", env=Ring(), custom_objects=own)
    first, second = model.policy.state_dict(), loaded.policy.state_dict()
    assert "features_extractor.norm.num_batches_tracked" in first
    assert all(first[key].shape == second[key].shape and (first[key] == second[key]).all() for key in first)
    actions = [m.predict(SEEN, deterministic=True)[0] for m in (model, model, loaded)]
    assert (actions[0] == actions[1]).all()  # nothing is dropped
    assert (actions[0] == actions[2]).all()
    loaded.learn(60)


def policy_of(policy_class, space, **kwargs):
    torch.manual_seed(1)
    return policy_class(Ring().observation_space, space, lambda _: 0.0, **kwargs)


@pytest.mark.parametrize(
    ("policy_class", "kwargs"),
    [
        (LinearPolicy, {"log_std_init": -1.0}),
        (MlpPolicy, {"net_arch": [5, 7], "activation_fn": nn.ReLU}),
        (MlpPolicy, {"net_arch": {"pi": [5], "vf": [3]}}),
        (RecurrentPolicy, {"embedding_size": 5, "hidden_size": 6}),
        (MlpPolicy, {"features_extractor_class": Normalized, "net_arch": []}),
    ],
)
def test_a_policy_saved_by_itself_comes_back_with_its_architecture(policy_class, kwargs, tmp_path):
    policy = policy_of(policy_class, ACTIONS["a box"], **kwargs)
    policy.save(tmp_path / "policy.pth")
    loaded = policy_class.load(tmp_path / "policy.pth")
    assert (loaded.predict(SEEN, deterministic=True)[0] == policy.predict(SEEN, deterministic=True)[0]).all()
    assert loaded.normalize_images == policy.normalize_images


@pytest.mark.parametrize("name", ["es", "elitist_es"])
@pytest.mark.parametrize("policy", ["LinearPolicy", "ActorCriticPolicy"])
def test_a_policy_that_scales_its_observations_is_saved_and_loaded(name, policy, tmp_path):
    model = new(name, Ring(), policy, normalize_observations=True).learn(60)
    model.policy.save(tmp_path / "policy.pth")
    loaded = type(model.policy).load(tmp_path / "policy.pth")
    assert model.policy.features_extractor.mean.any()
    assert (loaded.features_extractor.mean == model.policy.features_extractor.mean).all()
    assert (loaded.predict(SEEN, deterministic=True)[0] == model.policy.predict(SEEN, deterministic=True)[0]).all()


class Likeliest(nn.Module):
    """What SB3's guide exports: the policy's forward, deterministic."""

    def __init__(self, policy):
        super().__init__()
        self.policy = policy

    def forward(self, observation):
        return self.policy(observation, deterministic=True)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning", "ignore:torch.as_tensor results")
@pytest.mark.parametrize("kind", ACTIONS)
def test_a_trace_answers_as_the_policy_does(kind):
    policy = policy_of(MlpPolicy, ACTIONS[kind], net_arch=[16])
    with torch.no_grad():
        policy.action_net.weight *= 30
    traced = torch.jit.trace(Likeliest(policy), torch.zeros(1, 8))
    kept = io.BytesIO()
    torch.jit.save(traced, kept)
    kept.seek(0)
    answers = torch.jit.load(kept)(torch.from_numpy(SEEN)).detach().numpy()
    expected = policy.predict(SEEN, deterministic=True)[0]
    assert len(np.unique(expected, axis=0)) > 1
    assert (answers.reshape(expected.shape) == expected).all()


@pytest.mark.parametrize("kind", ["one choice", "a box"])
def test_a_policy_is_exported_to_onnx(kind, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    policy = policy_of(MlpPolicy, ACTIONS[kind])
    torch.onnx.export(
        Likeliest(policy).eval(), (torch.zeros(8, 8),), str(tmp_path / "policy.onnx"), input_names=["input"]
    )
    (answers,) = runtime.InferenceSession(str(tmp_path / "policy.onnx")).run(None, {"input": SEEN})
    assert answers == pytest.approx(policy.predict(SEEN, deterministic=True)[0], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("kind", ACTIONS)
@pytest.mark.parametrize("sampled", [False, True])
def test_torch_chooses_the_actions_that_numpy_chooses(kind, sampled):
    policy = policy_of(LinearPolicy, ACTIONS[kind])
    rng, width = np.random.default_rng(0), policy.actions.n_outputs
    outputs = rng.normal(size=(50, width)).astype(np.float32)
    noise = policy.actions.noise(np.arange(50, dtype=np.uint64), np.zeros(50, np.int64))
    log_std = None if policy.actions.sizes else rng.normal(size=width).astype(np.float32)
    given = (outputs, noise, log_std) if sampled else (outputs,)
    tensors = [None if x is None else torch.from_numpy(x) for x in given]
    ours, theirs = policy.actions.choose(*given), policy.actions.chosen(*tensors).numpy()
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-6)


# ---------------------------------------------------------------- keywords


@pytest.mark.parametrize("net_arch", [[], [4], [4, 4], {"pi": [8], "vf": [8, 4]}, {"vf": [8]}, {"pi": [8]}])
@pytest.mark.parametrize("policy", ["MlpPolicy", "ActorCriticPolicy"])
def test_net_arch_is_served_in_each_of_sb3s_forms(policy, net_arch):
    sizes = net_arch if isinstance(net_arch, list) else net_arch.get("pi", [])
    model = new("culture", Ring(), policy, policy_kwargs={"net_arch": net_arch})
    last = sizes[-1] if sizes else 8
    assert model.policy.action_net.in_features == last


def test_the_old_form_of_net_arch_is_served_with_a_warning():
    with pytest.warns(UserWarning, match="give the dict without the list around it"):
        model = new("es", Ring(), "MlpPolicy", policy_kwargs={"net_arch": [{"pi": [5], "vf": [3]}]})
    assert model.policy.action_net.in_features == 5


@every_learner
@pytest.mark.parametrize(
    ("policy", "kwargs", "reason"),
    [
        ("MlpPolicy", {"net_arch": 32}, r"net_arch is 32; give a list of sizes such as \[64, 64\]"),
        ("ActorCriticPolicy", {"net_arch": 32}, "net_arch is 32"),
        ("MlpPolicy", {"net_arch": [32, "8"]}, "net_arch is .*'8'"),
        (
            "MlpPolicy",
            {"optimizer_class": torch.optim.AdamW},
            "optimizer_class is .*AdamW.*by their learner's own rule",
        ),
        (
            "ActorCriticPolicy",
            {"optimizer_kwargs": {"eps": 1e-5}},
            "optimizer_kwargs is .*eps.*set what the learner takes",
        ),
        ("LinearPolicy", {"bogus": 3}, "LinearPolicy takes no bogus; it takes activation_fn"),
        ("ActorCriticPolicy", {"bogus": 3}, "ActorCriticPolicy takes no bogus"),
        ("ActorCriticPolicy", {"use_sde": True}, "use_sde is True; a population samples its members' actions"),
        ("ActorCriticPolicy", {"squash_output": True}, "squash_output is True"),
        ("MlpPolicy", 3, "policy_kwargs is 3; give a dict"),
        (nn.Linear, {}, "policy is <class .*Linear'>; it must be a name or a class of SB3 policies"),
        (nn.Linear(2, 2), {}, r"policy is Linear\(.*; it must be a name or a class of SB3 policies"),
    ],
)
def test_what_a_policy_does_not_take_is_refused_in_the_constructor(name, policy, kwargs, reason):
    with pytest.raises(ValueError, match=reason):
        new(name, Ring(), policy, policy_kwargs=kwargs)


def test_sb3s_own_policies_keep_their_keywords():
    kwargs = {"optimizer_kwargs": None, "share_features_extractor": False, "ortho_init": False}
    assert isinstance(new("culture", Ring(), "ActorCriticPolicy", policy_kwargs=kwargs).policy, ActorCriticPolicy)


@pytest.mark.parametrize("shared", [True, False])
def test_where_there_is_no_critic_nothing_needs_a_features_extractor_of_its_own(shared):
    kwargs = {"share_features_extractor": shared}
    models = [new("es", Ring(), "MlpPolicy", policy_kwargs=given) for given in (kwargs, {})]
    assert models[0].policy.state_dict().keys() == models[1].policy.state_dict().keys()
    assert new("genetic", Ring(), "RecurrentPolicy", policy_kwargs={"share_features_extractor": True})
    with pytest.raises(ValueError, match="share_features_extractor is False; .*take ActorCriticPolicy"):
        new("genetic", Ring(), "RecurrentPolicy", policy_kwargs={"share_features_extractor": False})


# ---------------------------------------------------------------- spaces

UNSEEN = {
    "states that begin at 1": spaces.Discrete(5, start=1),
    "several states that begin at 1": spaces.MultiDiscrete([3, 2], start=[1, 1]),
    "a table of states": spaces.MultiDiscrete([[3, 2], [2, 2]]),
    "a number of no dimension": spaces.Box(0, 1, ()),
    "a dict of such": spaces.Dict(a=spaces.Box(0, 1, (2,)), b=spaces.Discrete(3, start=1)),
    "a tuple": spaces.Tuple([spaces.Discrete(2)]),
}


@every_learner
@pytest.mark.parametrize("kind", UNSEEN)
def test_observations_that_cannot_be_served_are_refused_with_a_remedy_that_works(name, kind):
    with pytest.raises(ValueError, match="populations see Box.*gymnasium.wrappers.FlattenObservation"):
        new(name, Spaces(UNSEEN[kind]))
    env = FlattenObservation(Spaces(UNSEEN[kind]))
    new(name, env).predict(env.observation_space.sample())


@every_learner
@pytest.mark.parametrize("policy", ["SmallCnnPolicy", "CnnPolicy"])
def test_small_pictures_are_served_or_refused_by_name(name, policy):
    env = Spaces(spaces.Box(0, 255, (7, 7, 3), np.uint8))
    if policy == "CnnPolicy":
        new(name, env, policy)
        return
    with pytest.raises(ValueError, match="SmallCNN was given pictures of 7 rows and 7 columns; it needs 28 or more"):
        new(name, env, policy)


@every_learner
@pytest.mark.parametrize("space", [spaces.MultiBinary([3, 2]), spaces.Discrete(3, start=1)])
def test_actions_that_cannot_be_served_are_refused_in_the_constructor(name, space):
    with pytest.raises(ValueError, match="the action space is"):
        new(name, Spaces(action_space=space))


@every_learner
def test_a_box_without_bounds_is_refused_by_sb3(name):
    with pytest.raises(AssertionError, match="must have a finite lower and upper bound"):
        new(name, Spaces(action_space=spaces.Box(-np.inf, 0, (2,))))


@every_learner
@pytest.mark.parametrize("seed", [-1, 1.5, "3", True])
def test_a_seed_that_is_none_is_refused(name, seed):
    with pytest.raises(ValueError, match="seed is .*; it must be a whole number from 0"):
        new(name, Ring(), seed=seed)
