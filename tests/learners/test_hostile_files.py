"""Model files that somebody made to do harm, or that were damaged: each is one ValueError with file and reason."""

import io
import json
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium import spaces

from popagents.common import archive, model_files
from popagents.common.bounded import Bounded
from popagents.common.file_classes import named_class
from popagents.common.space_json import space_to_json
from popagents.learners.es.maximize import maximize
from tests.learners.cases import LEARNERS, assert_same, every_learner, new
from tests.learners.games import Ring
from tests.learners.test_maximize import FAST, quadratic

FREE = 48 * 2**20  # bytes that reading any file may take


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.zip"


def saved(name, path, policy="LinearPolicy", **settings):
    model = new(name, Ring(), policy, **settings)
    model.learn(60).save(path)
    return model_files.read(path)


def refused(name, path, arrays, description, reason):
    """Check that a learner refuses a file with these contents, and takes little memory for it."""
    model_files.write(path, arrays, description)
    tracemalloc.start()
    with pytest.raises(ValueError, match=rf"(?s)m\.zip.*{reason}"):
        LEARNERS[name].load(path)
    assert tracemalloc.get_traced_memory()[1] < FREE
    tracemalloc.stop()


# ---------------------------------------------------------------- classes


@every_learner
@pytest.mark.parametrize(
    "named",
    [
        "torch.nn:grad.torch._strobelight.compile_time_profiler.subprocess.Popen",
        "torch.nn.modules.activation:F.torch.Tensor",
        "torch.nn:Tanh",
        "stable_baselines3.common.policies:nn.Module",
        "stable_baselines3.common.policies:Any",
        "stable_baselines3.common.policies:ABC",
        "popagents.population.policies:make_policy",
        "antigravity:geohash",
        "os:system",
        "",
    ],
)
def test_only_policies_that_stand_in_the_module_they_name_are_found(name, named, path):
    arrays, description = saved(name, path)
    description["designs"][0][0] = {"class": named}
    refused(name, path, arrays, description, "names the class .* as policy; it may name a BasePolicy of")


@every_learner
def test_a_class_is_only_what_it_is_there_to_be(name, path):
    arrays, description = saved(name, path, "MlpPolicy", policy_kwargs={"net_arch": [4]})
    tanh, policy = "torch.nn.modules.activation:Tanh", "popagents.population.policies:MlpPolicy"
    for place, named in [("features_extractor_class", tanh), ("activation_fn", policy), ("log_std_init", tanh)]:
        description["designs"][0][1] = {"net_arch": [4], place: {"class": named}}
        refused(name, path, arrays, description, f"names the class .* as {place}")


@every_learner
def test_classes_of_torch_and_stable_baselines3_still_load(name, path):
    kwargs = {"net_arch": [4], "activation_fn": torch.nn.ReLU}
    model = new(name, Ring(), "ActorCriticPolicy", policy_kwargs=kwargs)
    model.save(path)
    assert_same(LEARNERS[name].load(path), model)


def test_a_module_that_is_not_on_the_list_is_not_imported(monkeypatch):
    monkeypatch.setattr("importlib.import_module", lambda module: pytest.fail(f"{module} was imported"))
    for place in ("policy", "activation_fn", "learning_rate"):
        with pytest.raises(ValueError, match="custom_objects"):
            named_class("antigravity:geohash", place)


# ---------------------------------------------------------------- arrays


@every_learner
def test_every_array_is_held_against_what_a_model_of_these_settings_has(name, path):
    arrays, description = saved(name, path, "MlpPolicy", policy_kwargs={"net_arch": [4]})
    for changed in arrays:
        array = arrays[changed]
        others, reason = {k: v for k, v in arrays.items() if k != changed}, changed.partition("lineage")[1] or changed
        refused(name, path, others, description, reason)
        refused(name, path, others | {changed: array.astype(np.float16)}, description, reason)
        refused(name, path, others | {changed: array[None]}, description, reason)
        if array.ndim > 1 and array.shape[-1] > 1:
            refused(name, path, others | {changed: array[..., :1]}, description, changed)
    refused(name, path, arrays | {"state/learn": np.zeros(3)}, description, "'state/learn' is none")
    refused(name, path, arrays | {"policy/learn": np.zeros(3)}, description, "'policy/learn' is none")


@every_learner
def test_weights_and_moments_are_finite(name, path):
    arrays, description = saved(name, path)
    for changed in arrays:
        if arrays[changed].dtype != np.float32:
            continue
        for number in (np.nan, np.inf):
            array = arrays[changed].copy()
            array.reshape(-1)[0] = number
            refused(name, path, arrays | {changed: array}, description, f"{changed}.* NaN or infinite")


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("culture", "state/order"),
        ("culture", "state/adams/0/steps"),
        ("genetic", "state/births/places"),
        ("genetic", "state/births/first"),
        ("genetic", "state/tournament"),
        ("genetic", "state/judged"),
        ("es", "state/strategy/updates"),
        ("es", "state/moments/counts"),
        ("elitist_es", "state/strategy/episodes"),
    ],
)
def test_members_and_counts_in_a_state_are_in_their_range(name, changed, path):
    arrays, description = saved(name, path)
    array = arrays[changed].copy()
    for number in (-1, 2**62) if array.dtype == np.int64 else (-1,):
        array.reshape(-1)[:1] = number
        refused(name, path, arrays | {changed: array}, description, changed)
    if changed in ("state/order", "state/births/first", "state/births/places", "state/tournament"):
        array[0] = 6
        refused(name, path, arrays | {changed: array}, description, f"{changed}.*it may hold 0 to 5")


# ---------------------------------------------------------------- JSON


@every_learner
@pytest.mark.parametrize(
    ("part", "change", "reason"),
    [
        ("counts", {"champion": 6}, "champion is 6"),
        ("counts", {"champion": -1}, "champion is -1"),
        ("counts", {"generation": 1.5}, "generation is 1.5"),
        ("counts", {"timesteps": True}, "timesteps is True"),
        ("counts", {"evaluated": 10**6}, "evaluated is 1000000"),
        ("counts", {"learn": 3}, "the counts are"),
        ("settings", {"learn": 3}, "the settings are"),
        ("settings", {"tensorboard_log": "/tmp/x"}, "the settings are"),
        ("settings", {"verbose": "loud"}, "verbose is 'loud'"),
        ("settings", {"stats_window_size": 0}, "stats_window_size is 0"),
        ("settings", {"episodes": 1.5}, "episodes is 1.5"),
        ("settings", {"episodes": "many"}, "episodes is 'many'"),
        ("settings", {"population_size": 10**6}, "population_size is 1000000, and .* has 6"),
    ],
)
def test_counts_and_settings_are_those_of_the_learner(name, part, change, reason, path):
    arrays, description = saved(name, path)
    description[part] |= change
    refused(name, path, arrays, description, reason)


@every_learner
@pytest.mark.parametrize("part", ["designs", "observation_space", "action_space", "settings", "run_seed", "counts"])
@pytest.mark.parametrize("value", [None, 3, -1, "x", [], {}, [[]], {"kind": "utils"}])
def test_a_part_of_another_kind_is_one_error(name, part, value, path):
    arrays, description = saved(name, path)
    if part == "run_seed" and value == 3:
        return
    refused(name, path, arrays, description | {part: value}, "")
    refused(name, path, arrays, {k: v for k, v in description.items() if k != part}, "the file's JSON has")
    refused(name, path, arrays, description | {"more": value}, "the file's JSON has")


# ---------------------------------------------------------------- sizes


@every_learner
@pytest.mark.parametrize(
    ("kwargs", "reason"),
    [
        ({"net_arch": [30000, 30000]}, "its settings make networks of"),
        ({"net_arch": [2] * 200_000}, "values"),
        ({"net_arch": [10**30]}, "cannot be loaded"),
    ],
)
def test_networks_larger_than_their_arrays_are_never_made(name, kwargs, reason, path):
    arrays, description = saved(name, path, "MlpPolicy", policy_kwargs={"net_arch": [4]})
    description["designs"][0][1] = kwargs
    refused(name, path, arrays, description, reason)


@every_learner
def test_spaces_larger_than_a_file_may_ask_for_are_never_made(name, path):
    arrays, description = saved(name, path)
    for space in (
        {"kind": "Box", "low": 0, "high": 1, "shape": [10**9], "dtype": "float32"},
        {"kind": "Box", "low": 0, "high": 1, "shape": [8], "dtype": "V1000000000"},
        {"kind": "MultiBinary", "n": [10**9]},
        {"kind": "MultiDiscrete", "nvec": [10**9]},
        {"kind": "Discrete", "n": 10**9, "start": 0},
    ):
        refused(name, path, arrays, description | {"observation_space": space}, "space has the shape|numbers of V1")
    with pytest.raises(ValueError, match="are the most; make observations smaller"):
        space_to_json(spaces.Box(0, 1, (2**23,), np.float32))  # before a run, not after it


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("culture", "champion_episodes"),
        ("culture", "n_epochs"),
        ("culture", "batch_size"),
        ("genetic", "champion_episodes"),
        ("genetic", "n_parents"),
        ("genetic", "n_tasks"),
        ("genetic", "n_updates"),
        ("genetic", "n_offspring"),
        ("genetic", "tournament_size"),
        ("es", "rank"),
        ("elitist_es", "n_parents"),
    ],
)
def test_settings_by_which_arrays_are_made_are_bounded(name, setting, path):
    arrays, description = saved(name, path)
    description["settings"][setting] = 2**20 + 1
    refused(name, path, arrays, description, rf"{setting} is 1048577; .* it must be 1048576 or less")


def test_a_file_makes_a_bounded_number_of_slots_and_jobs(path, monkeypatch):
    new("genetic", Ring(), "ActorCriticPolicy", inheritance="baldwin").save(path)
    arrays, description = model_files.read(path)
    description["settings"]["n_tasks"] = 10**6
    model_files.write(path, arrays, description)
    made = []
    monkeypatch.setattr("popagents.rollout.make_env.has_native", lambda env_id: False)
    monkeypatch.setattr("gymnasium.make", lambda env_id: made.append(env_id) or Ring())
    model = LEARNERS["genetic"].load(path, env="CartPole-v1")
    assert model.n_envs == 2**10
    assert len(made) == 2**10
    with pytest.raises(ValueError, match="156000000 episodes are to be played at once, and 16777216 are the most"):
        model.learn(1)


def test_tensors_are_counted_before_they_are_made():
    with Bounded(4 * 100):
        torch.nn.Linear(9, 10)
        with pytest.raises(ValueError, match=r"networks of 40000000400 bytes or more"):
            torch.nn.Linear(10**5, 10**5)


@every_learner
@pytest.mark.parametrize(
    ("text", "block", "reason"),
    [
        (None, bytes(3 * 10**7), "would unpack to"),
        (b" " * 10**7, b"", "would unpack to"),
        (b"[" * 10**5 + b"]" * 10**5, None, "RecursionError"),
        (b"[" + b"[]," * 10**6 + b"1]", None, "values, of which"),
        (None, (2**62).to_bytes(8, "little"), "header"),
    ],
)
def test_bombs_are_not_unpacked(name, text, block, reason, path):
    arrays, description = saved(name, path)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(archive.TEXT, json.dumps(description) if text is None else text)
        file.writestr(archive.ARRAYS, archive.save_arrays(arrays) if block is None else block)
    path.write_bytes(content.getvalue())
    tracemalloc.start()
    with pytest.raises(ValueError, match=rf"m\.zip is not a model file of popzoo, or it is damaged.*{reason}"):
        LEARNERS[name].load(path)
    assert tracemalloc.get_traced_memory()[1] < FREE
    tracemalloc.stop()


def test_other_methods_of_packing_are_refused(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        file.writestr(archive.TEXT, "{}")
        file.writestr(archive.ARRAYS, b"")
    with pytest.raises(ValueError, match="packed by method 14"):
        model_files.read(path)


def test_arrays_that_pack_too_well_are_stored_as_they_are_and_load(path):
    arrays = {"a": np.zeros(2**22 + 1, np.float32)}
    model_files.write(path, arrays, {})
    assert np.array_equal(model_files.read(path)[0]["a"], arrays["a"])


# ---------------------------------------------------------------- maximize


def test_files_of_maximize_are_held_against_the_run_that_is_asked_for(path):
    maximize(quadratic, [np.zeros(3)], path=path, **FAST)
    arrays, description = model_files.read(path)

    def refuses(arrays, description, reason):
        model_files.write(path, arrays, description)
        with pytest.raises(ValueError, match=rf"(?s)m\.zip cannot be loaded: .*{reason}"):
            maximize(quadratic, [np.zeros(3)], path=path, resume=True, **FAST)

    for name, array in arrays.items():
        others = {k: v for k, v in arrays.items() if k != name}
        refuses(others, description, name)
        refuses(others | {name: array[None]}, description, name)
        refuses(others | {name: array.astype(np.int16)}, description, name)
        if array.dtype.kind == "f":
            refuses(others | {name: np.full_like(array, np.nan)}, description, "NaN")
    refuses(arrays | {"climb/learn": np.zeros(1)}, description, "'climb/learn' is none")
    refuses(arrays | {"climb/strategy/updates": np.array(-1)}, description, "updates")
    refuses(arrays | {"climb/strategy/updates": np.array(2**63 - 1)}, description, "updates")
    refuses(arrays | {"climb/rewards": np.zeros(0)}, description, "is empty")
    for seed in (-1, 2**63, 10**30):
        refuses(arrays, description | {"seed": seed}, f"seed is {seed}; it must be a whole number from 0")
    for change in ({"seed": None}, {"seed": "x"}, {"settings": None}, {"settings": {}}, {"settings": []}, {"more": 1}):
        refuses(arrays, description | change, "")
    refuses(arrays, {"format": description["format"]}, "")


def test_shipped_champions_load():
    for file in sorted(Path(archive.__file__).parent.parent.rglob("champions/**/*.zip")):
        _, description = model_files.read(file)
        learner = next(learner for learner in LEARNERS.values() if learner.__name__ == description["learner"])
        assert learner.load(file).policy is not None
