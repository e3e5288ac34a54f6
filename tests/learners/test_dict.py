"""Dict observations: played in every kind of slots, told as dicts, learned from, saved, and refused by name."""

import tracemalloc

import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec, registry
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import FlattenObservation
from stable_baselines3 import A2C
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import MultiInputActorCriticPolicy
from stable_baselines3.common.torch_layers import CombinedExtractor
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecFrameStack, VecMonitor, VecNormalize

from popagents.common import model_files
from popagents.common.records import packed, sampled, unpacked
from popagents.population.multi_input import MultiInputPolicy
from popagents.rollout.make_slots import slots_of
from popagents.rollout.parallel_env import ParallelVectorEnv
from popagents.zoo.statistics import normalized, save_statistics
from tests.learners.cases import LEARNERS, assert_same, every_learner, new, state
from tests.learners.games import DictRing, Ring, Spaces
from tests.rollout.parallels import Camp
from tests.rollout.test_foreign_slots import Spoiled

SPACE = DictRing().observation_space
SMALL = {"net_arch": [4]}
DISABLED = {"autoreset_mode": AutoresetMode.DISABLED}
SEEDED = {  # kinds of slots in which an episode is a function of its seed
    "one environment": DictRing,
    "an id": lambda: "DictRing-v0",
    "DummyVecEnv": lambda: DummyVecEnv([DictRing] * 3),
    "VecMonitor": lambda: VecMonitor(DummyVecEnv([DictRing] * 3)),
    "SubprocVecEnv": lambda: SubprocVecEnv([DictRing] * 2, start_method="fork"),
    "SyncVectorEnv": lambda: SyncVectorEnv([DictRing] * 4, **DISABLED),
    "AsyncVectorEnv": lambda: AsyncVectorEnv([DictRing] * 2, context="fork", **DISABLED),
}


@pytest.fixture(autouse=True)
def an_id(monkeypatch):
    monkeypatch.setitem(registry, "DictRing-v0", EnvSpec("DictRing-v0", entry_point=DictRing))


def dict_model(name, env=None, **settings):
    return new(name, env or DictRing(), "MultiInputPolicy", **{"policy_kwargs": SMALL} | settings)


def seen_by(model, observations):
    """Return what members' networks make of observations in records: the champion's outputs."""
    design, parameters = model.policy_of(model.loop.run.state, model.champion)
    rows = np.zeros(len(observations), np.int64)
    return model.workspace.designs[design].outputs({k: v[None] for k, v in parameters.items()}, rows, observations)


def outputs_of(model, observations):
    """Return what the policy that `predict` uses makes of a dict of arrays."""
    with torch.no_grad():
        return model.policy.outputs(model.policy.obs_to_tensor(observations)[0]).numpy()


# ---------------------------------------------------------------- records


def test_records_hold_every_part_exactly_and_give_it_back():
    space = spaces.Dict(a=spaces.Box(0, 255, (2, 3), np.uint8), b=spaces.Discrete(9), c=spaces.Box(-1, 1, (2,), float))
    batch = {"c": np.array([[0.1, -1 / 3]] * 4), "b": np.arange(4), "a": np.arange(24, dtype=np.uint8).reshape(4, 2, 3)}
    rows = packed(batch, space)
    assert rows.shape == (4,)
    back = unpacked(rows[[3, 1]])
    assert list(back) == ["a", "b", "c"]
    for name, part in back.items():
        assert part.dtype == space[name].dtype
        assert (part == batch[name][[3, 1]]).all()
        assert (torch.from_numpy(part).numpy() == part).all()  # torch takes every field's strides
    scaled = batch | {"a": batch["a"] / 3}  # as VecNormalize does, whose space says uint8
    assert (packed(scaled, space)["a"] == scaled["a"]).all()
    assert packed(batch["c"], space["c"]) is batch["c"]
    assert unpacked(batch["c"]) is batch["c"]
    assert space.contains({name: part[0] for name, part in unpacked(sampled(space)).items()})
    for wrong in (batch | {"c": batch["c"][:, :1]}, {"a": batch["a"], "b": batch["b"]}):
        with pytest.raises(ValueError, match=r"observations\['c'\] has shape .* 4 observations of Dict"):
            packed(wrong, space)


# ---------------------------------------------------------------- slots


@pytest.mark.parametrize("kind", SEEDED)
@every_learner
def test_a_run_is_the_same_in_every_kind_and_number_of_slots(name, kind):
    model = dict_model(name, SEEDED[kind]()).learn(150)
    assert_same(model, dict_model(name, DummyVecEnv([DictRing] * 5)).learn(150))
    model.env.close()


def test_slots_see_what_the_environment_shows():
    single = DictRing()
    for kind in ("one environment", "SubprocVecEnv", "SyncVectorEnv", "AsyncVectorEnv"):
        env = dict_model("culture", SEEDED[kind]()).env
        slots = slots_of(env)
        slots.begin(np.ones(slots.n, bool), 1 + np.arange(slots.n), {})
        expected, _ = single.reset(seed=1)
        assert single.cell in (3, 4, 5)  # no end is near
        for action in (1, 1, 0):
            parts = unpacked(slots.observations)
            assert list(parts) == list(SPACE)
            for part, value in expected.items():
                assert (parts[part][0] == value).all()
                assert parts[part].dtype == SPACE[part].dtype
            slots.step(np.full(slots.n, action))
            expected = single.step(action)[0]
        env.close()


@pytest.mark.filterwarnings("ignore:episodes in a")
@pytest.mark.parametrize(
    "wrap",
    [
        lambda: VecNormalize(DummyVecEnv([DictRing] * 3), norm_obs_keys=["where", "byte"]),
        lambda: VecFrameStack(DummyVecEnv([lambda: DictRing(["where", "byte"])] * 3), 2),
        lambda: SyncVectorEnv([DictRing] * 3, autoreset_mode=AutoresetMode.SAME_STEP),
    ],
)
@every_learner
def test_wrapped_environments_are_learned_from_and_evaluated(name, wrap):
    model = dict_model(name, wrap()).learn(300)
    assert model.generation > 1
    observations = model.get_env().reset()
    np.testing.assert_allclose(
        seen_by(model, packed(observations, model.observation_space)), outputs_of(model, observations), atol=1e-5
    )
    assert (model.predict(observations, deterministic=True)[0] == outputs_of(model, observations).argmax(axis=1)).all()


class DictCamp(Camp):
    """A camp that shows its numbers as a Dict's part."""

    def observation_space(self, agent):
        return spaces.Dict(numbers=super().observation_space(agent))

    def reset(self, **keywords):
        seen, infos = super().reset(**keywords)
        return {agent: {"numbers": numbers} for agent, numbers in seen.items()}, infos

    def step(self, actions):
        seen, *others = super().step(actions)
        return {agent: {"numbers": numbers} for agent, numbers in seen.items()}, *others


@every_learner
def test_members_meet_in_parallel_environments_of_dicts(name):
    first = new(name, ParallelVectorEnv([DictCamp] * 2), "MultiInputPolicy").learn(100)
    assert_same(first, new(name, ParallelVectorEnv([Camp] * 2), "MlpPolicy").learn(100))


# ---------------------------------------------------------------- policies


@every_learner
def test_a_dict_of_numbers_is_learned_from_as_the_same_numbers_in_a_row_are(name):
    first = dict_model(name).learn(150)
    second = new(name, FlattenObservation(DictRing()), "MlpPolicy", policy_kwargs=SMALL).learn(150)
    assert first.workspace.designs[0].layers is not None  # compiled
    assert_same(first, second)


@every_learner
def test_pictures_in_a_dict_go_through_sb3s_extractor_as_predict_sends_them(name):
    kwargs = SMALL | {"features_extractor_kwargs": {"cnn_output_dim": 3}}
    env = DummyVecEnv([lambda: DictRing(["picture", "cell", "where"])] * 2)
    settings = {"policy_kwargs": kwargs} | ({"n_epochs": 1} if name == "culture" else {})
    model = dict_model(name, env, **settings).learn(10)
    rows = np.concatenate([sampled(model.observation_space) for _ in range(5)])
    np.testing.assert_allclose(seen_by(model, rows), outputs_of(model, unpacked(rows)), atol=1e-5)


def test_predict_takes_one_observation_or_several():
    model = dict_model("culture")
    observation, _ = DictRing().reset(seed=1)
    action, _ = model.predict(observation, deterministic=True)
    several = {name: np.stack([part] * 3) for name, part in observation.items()}
    assert action.shape == ()
    assert (model.predict(several, deterministic=True)[0] == action).all()


def test_weights_come_from_sb3s_own_policy_for_dicts():
    trained = A2C("MultiInputPolicy", DictRing(), policy_kwargs=dict(SMALL), seed=1, device="cpu")
    model = new("culture", DictRing(), MultiInputActorCriticPolicy, policy_kwargs=SMALL)
    model.start_from(trained.policy)
    rows = np.concatenate([sampled(SPACE) for _ in range(5)])
    expected, _ = trained.predict(unpacked(rows), deterministic=True)
    assert (seen_by(model, rows).argmax(axis=1) == expected).all()


def test_a_policy_is_saved_and_loaded_by_itself(tmp_path):
    policy = dict_model("culture").learn(100).policy
    policy.save(tmp_path / "p")
    loaded = MultiInputPolicy.load(tmp_path / "p")
    rows = np.concatenate([sampled(SPACE) for _ in range(5)])
    assert loaded.net_arch == [4]
    assert (
        loaded.predict(unpacked(rows), deterministic=True)[0] == policy.predict(unpacked(rows), None, None, True)[0]
    ).all()


@pytest.mark.parametrize("inheritance", ["baldwin", "lamarck"])
@pytest.mark.parametrize("policy", ["RecurrentPolicy", "ActorCriticPolicy"])
def test_lifetimes_learn_from_a_dict_of_numbers_as_from_the_same_numbers_in_a_row(policy, inheritance):
    settings = {"inheritance": inheritance, "n_tasks": 2, "n_updates": 2, "population_size": 3, "n_offspring": 2}
    combined = {"features_extractor_class": CombinedExtractor}
    first, second = (
        new("genetic", env, policy, policy_kwargs=kwargs, **settings).learn(300)
        for env, kwargs in ((DictRing(), combined), (FlattenObservation(DictRing()), {}))
    )
    assert_same(first, second)


# ---------------------------------------------------------------- callbacks


class Watch(BaseCallback):
    """Keeps what each step shows."""

    def __init__(self):
        super().__init__()
        self.shown = []

    def _on_step(self):
        self.shown.append({name: self.locals[name] for name in ("observations", "new_obs", "dones", "live")})
        return True


@pytest.mark.parametrize("kind", ["DummyVecEnv", "SubprocVecEnv", "AsyncVectorEnv"])
def test_callbacks_see_dicts_one_row_a_slot(kind):
    watch = Watch()
    model = dict_model("culture", SEEDED[kind]()).learn(150, callback=watch)
    for before, after in zip(watch.shown, watch.shown[1:], strict=False):
        assert list(before["new_obs"]) == list(SPACE)
        goes_on = before["live"] & ~before["dones"]
        for name, part in before["new_obs"].items():
            assert part.shape == (model.n_envs, *SPACE[name].shape)
            assert (part[goes_on] == after["observations"][name][goes_on]).all()
    model.env.close()


# ---------------------------------------------------------------- files


@every_learner
def test_a_saved_run_goes_on_as_if_it_had_not_been_saved(name, tmp_path):
    model = dict_model(name)
    model.learn(100).save(tmp_path / "m")
    loaded = LEARNERS[name].load(tmp_path / "m", env=DictRing())
    assert loaded.observation_space == model.observation_space
    assert list(loaded.observation_space) == list(SPACE)  # not sorted
    assert_same(loaded, model)
    assert_same(loaded.learn(100), model.learn(100))


BAD = {
    "a dict in a dict": {"a": {"kind": "Dict", "spaces": {"b": {"kind": "Discrete", "n": 2, "start": 0}}}},
    "no parts": {},
    "a list": [{"kind": "Discrete", "n": 2, "start": 0}],
    "no spaces": {"a": 3, "b": None},
    "a part without a name": {"": {"kind": "Discrete", "n": 2, "start": 0}},
    "many parts": {str(i): {"kind": "Discrete", "n": 1, "start": 0} for i in range(20_000)},
    "many large parts": {
        str(i): {"kind": "Box", "low": 0, "high": 1, "shape": [2**22], "dtype": "uint8"} for i in range(9)
    },
}


@every_learner
@pytest.mark.parametrize("kind", BAD)
def test_a_file_with_a_dict_that_cannot_be_is_refused_and_takes_little_memory(name, kind, tmp_path):
    dict_model(name).save(tmp_path / "m.zip")
    arrays, description = model_files.read(tmp_path / "m.zip")
    model_files.write(
        tmp_path / "m.zip", arrays, description | {"observation_space": {"kind": "Dict", "spaces": BAD[kind]}}
    )
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"m\.zip cannot be loaded"):
        LEARNERS[name].load(tmp_path / "m.zip")
    assert tracemalloc.get_traced_memory()[1] < 48 * 2**20
    tracemalloc.stop()


def test_dicts_that_no_file_holds_are_refused_before_a_run():
    large = spaces.Dict({name: spaces.Box(0, 1, (2**22,), np.uint8) for name in "abc"})
    with pytest.raises(ValueError, match="are the most; make observations smaller"):
        new("es", Spaces(large), "MultiInputPolicy")


def test_statistics_of_the_parts_that_were_normalized_come_back(tmp_path):
    env = VecNormalize(DummyVecEnv([DictRing] * 2), norm_obs_keys=["where", "byte"])
    env.reset()
    for _ in range(20):
        env.step(np.array([1, 0]))
    save_statistics(env, tmp_path)
    again = normalized(DummyVecEnv([DictRing] * 2), tmp_path)
    raw = env.get_original_obs()
    for name, part in env.normalize_obs(raw).items():
        assert (again.normalize_obs(raw)[name] == part).all()
    assert set(again.obs_rms) == {"where", "byte"}
    with pytest.raises(ValueError, match="cannot be loaded"):
        normalized(DummyVecEnv([Ring]), tmp_path)


# ---------------------------------------------------------------- refusals


class SpoiledDict(Spoiled):
    """Shows what `Spoiled` shows as a Dict's part; "missing" leaves the part out."""

    observation_space = spaces.Dict(good=spaces.Discrete(2), seen=Spoiled.observation_space)

    def _see(self):
        seen = {} if self.spoiled == "missing" and self.steps == self.at else {"seen": super()._see()}
        return {"good": 1} | seen


@pytest.mark.parametrize("spoiled", ["NaN", "inf", "None", "()", "(1, 3)", "missing"])
@pytest.mark.parametrize("at", [0, 3])
@pytest.mark.parametrize("wrap", [DummyVecEnv, lambda makers: SubprocVecEnv(makers, start_method="fork")])
def test_what_is_no_observation_in_a_part_is_refused_with_member_seed_and_step(spoiled, at, wrap):
    if at == 0 and (spoiled == "missing" or (wrap is not DummyVecEnv and spoiled != "NaN")):
        pytest.skip("the vector environment refuses it before we see it")
    model = new("culture", wrap([lambda: SpoiledDict(spoiled, at)] * 2), "MultiInputPolicy")
    with pytest.raises(
        RuntimeError, match=rf"member 0 got (an|the) observation .*at step {at} of the episode seeded \d"
    ):
        model.learn(100)
    model.env.close()


@every_learner
@pytest.mark.parametrize("policy", ["LinearPolicy", "MlpPolicy", "CnnPolicy", "SmallCnnPolicy", "ActorCriticPolicy"])
def test_a_policy_for_arrays_says_which_one_takes_dicts(name, policy):
    with pytest.raises(ValueError, match="was given Dict.*MultiInputPolicy"):
        new(name, DictRing(), policy)


@every_learner
def test_what_the_policy_for_dicts_cannot_take_is_refused_in_the_constructor(name):
    for env, reason in [
        (Ring(), "MultiInputPolicy was given Box.*use MlpPolicy or CnnPolicy"),
        (Spaces(spaces.Dict(type=spaces.Discrete(2))), "a part named 'type', a name that torch does not give"),
        (Spaces(spaces.Dict({"a.b": spaces.Discrete(2)})), "a part named 'a.b'"),
        (Spaces(spaces.Dict({"": spaces.Discrete(2)})), "Dicts of these by names"),
        (Spaces(spaces.Dict(a=spaces.Box(0, 255, (3, 7, 7), np.uint8))), "images 'a' .* NatureCNN needs 36 rows"),
        (Spaces(spaces.Dict(a=spaces.Discrete(3, start=1))), "populations see Box.*Dicts of these by names"),
        (Spaces(spaces.Dict(a=spaces.Box(0, 1, ()))), "populations see Box.*Dicts of these by names"),
    ]:
        with pytest.raises(ValueError, match=reason):
            new(name, env, "MultiInputPolicy")
    with pytest.raises(NotImplementedError, match="Nested observation spaces are not supported"):  # SB3's
        new(name, Spaces(spaces.Dict(a=spaces.Dict(b=spaces.Discrete(2)))), "MultiInputPolicy")


@pytest.mark.parametrize("name", ["es", "elitist_es"])
def test_observations_of_a_dict_are_normalized_by_wrappers(name):
    with pytest.raises(ValueError, match="normalize_observations is True.*FlattenObservation"):
        dict_model(name, normalize_observations=True)
    model = new(name, FlattenObservation(DictRing()), "MlpPolicy", normalize_observations=True).learn(100)
    assert all(np.isfinite(value).all() for value in state(model).values())
