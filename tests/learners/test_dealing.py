"""Whoever plays which part of a request, what is learned is the same; and what travels is small."""

import pickle
from threading import Lock

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

from popagents.learners.observing import infos_of
from popagents.population.random_players import RandomPlayers
from popagents.rollout.dealing import joined
from popagents.rollout.jobs import Episodes, Jobs, Request
from popagents.rollout.make_elsewhere import maker_of
from popagents.rollout.make_env import native_vec_env, sync_vec_env
from popagents.rollout.ray_executor import packed_player
from popenvs.social_dilemma_v0 import vector_env
from tests.learners.cases import PACMAN, assert_same, every_learner, new
from tests.learners.crews import Crew
from tests.learners.games import DictRing, Ring


@pytest.fixture
def crews(monkeypatch):
    """Let workers be of this process; return those that were made."""
    made = []

    def crew(*arguments):
        made.append(Crew(*arguments))
        return made[-1]

    monkeypatch.setattr("popagents.learners.training.RayExecutor", crew)
    return made


@pytest.mark.bits
@every_learner
@pytest.mark.parametrize("workers", [2, 3, 20])
def test_workers_never_change_a_result(name, workers, crews):
    settings = {"env": Ring, "policy": "MlpPolicy", "episodes": 2}
    assert_same(new(name, **settings, workers=workers).learn(600), new(name, **settings).learn(600))
    assert len(crews) == 1


LIVES = {"population_size": 6, "n_tasks": 2, "n_updates": 2}
CASES = {
    "darwin, recurrent": ("genetic", {"policy": "RecurrentPolicy", "n_tasks": 2}),
    "baldwin": ("genetic", {"policy": "RecurrentPolicy", "inheritance": "baldwin", **LIVES}),
    "lamarck": ("genetic", {"policy": "ActorCriticPolicy", "inheritance": "lamarck", **LIVES}),
    "lamarck, together": (
        "genetic",
        {"policy": "RecurrentPolicy", "inheritance": "lamarck", "tasks_together": True, **LIVES},
    ),
    "re-evaluated": ("genetic", {"reevaluate": True, "n_offspring": 2}),
    "scaled": ("es", {"normalize_observations": True}),
    "scaled, elitist": ("elitist_es", {"normalize_observations": True, "n_parents": 2, "density": 0.5}),
    "of low rank": ("es", {"policy": "MlpPolicy", "rank": 1}),
    "unpaired, cut off": ("es", {"mirrored": False, "population_size": 5, "episode_cutoff": 7}),
    "of two designs": ("culture", {"policy": ["LinearPolicy", "MlpPolicy"], "population_size": 7}),
    "of Dicts": ("culture", {"policy": "MultiInputPolicy", "env": DictRing}),
}


@pytest.mark.bits
@pytest.mark.parametrize("case", CASES)
def test_workers_never_change_a_result_of_any_kind_of_players(case, crews):
    name, settings = CASES[case]
    settings = {"env": Ring} | settings
    if "inheritance" in settings:
        settings |= {"tournament_size": 3, "n_offspring": 3}
    assert_same(new(name, **settings, workers=2).learn(900), new(name, **settings).learn(900))
    assert crews[0].sent


@pytest.mark.bits
@every_learner
@pytest.mark.parametrize("workers", [2, 3])
def test_those_who_meet_stay_together(name, workers, crews):
    settings = {"tournament_size": 4, "n_offspring": 5} if name == "genetic" else {}
    settings |= {"population_size": 12, "env": three_players}
    assert_same(new(name, **settings, workers=workers).learn(2000), new(name, **settings).learn(2000))


def three_players():
    mode = AutoresetMode.DISABLED
    return vector_env(num_envs=6, game="public_goods", max_steps=10, autoreset_mode=mode)


@pytest.mark.bits
@pytest.mark.parametrize(
    "env",
    [
        PACMAN,
        lambda: native_vec_env(PACMAN, 2, max_steps=30),
        native_vec_env(PACMAN, 2),
        Ring(),
        DummyVecEnv([Ring] * 2),
        sync_vec_env("CartPole-v1", 2),
    ],
    ids=["id", "function", "lanes", "single", "DummyVecEnv", "made by make_vec"],
)
def test_workers_make_the_environment_that_was_given(env, crews):
    assert_same(new("culture", env, workers=2).learn(200), new("culture", env).learn(200))


# ---------------------------------------------------------------- what travels


def test_evolution_strategies_send_keys_and_get_numbers(crews):
    size = 2000
    model = new("es", PACMAN, population_size=size, episode_cutoff=3, workers=2)
    model.learn(4 * size, log_interval=None)
    (crew,) = crews
    assert model.generation == 2
    assert set(crew.shared[1]) == {"parents", "sigma", "moments"}  # the broadcast
    assert sum(map(len, crew.sent[1] + crew.returned[1])) <= 64 * size


def test_evolution_strategies_that_scale_get_what_each_member_saw(crews):
    size = 200
    model = new("es", Ring, population_size=size, normalize_observations=True, workers=2)
    model.learn(200 * 21, log_interval=None)
    sums = 8 * size * (1 + 2 * 8)  # a count, eight sums, eight sums of squares
    assert sums < sum(map(len, crews[0].returned[1])) < sums + 32 * size


@pytest.mark.parametrize("name", ["culture", "genetic"])
def test_others_send_the_parameters_of_those_who_play(name, crews):
    model = new(name, Ring, workers=2, **({"n_offspring": 2} if name == "genetic" else {})).learn(300)
    sent = [pickle.loads(share) for shares in crews[0].sent for share in shares]
    assert model.generation > 1
    for share in sent:
        ((weights, *_),) = [list(parameters.values()) for parameters in share.players.parameters]
        assert len(weights) == len(set(share.jobs.member.tolist()))


# ---------------------------------------------------------------- callbacks


class Kept(BaseCallback):
    """Keeps what a request showed."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def _on_step(self):
        self.rows.append((self.num_timesteps, [info["episode"]["l"] for info in self.locals["infos"]]))
        return len(self.rows) < 3


def test_callbacks_see_each_request_and_may_stop_after_it(crews, tmp_path):
    kept, env = Kept(), VecMonitor(native_vec_env(PACMAN, 2, max_steps=20), str(tmp_path / "0.monitor.csv"))
    model = new("culture", env, workers=2).learn(1000, callback=kept)
    assert kept.rows == [(120 * (i + 1), [20] * 6) for i in range(3)]
    assert model.generation == 2  # the third was not learned from
    assert (tmp_path / "0.monitor.csv").read_text().count("\n") == 2 + 18


def test_what_infos_tell_is_told_where_it_was_told():
    jobs = Jobs(np.arange(3), np.arange(3), np.zeros((3, 1), np.int64), None, np.ones(3, bool))
    request = Request(RandomPlayers(), jobs)
    shares = [Episodes(jobs.rows(slice(0)), np.ones(1), np.ones(1, np.int64), {"eaten": np.array([4.0])})]
    shares += [Episodes(jobs.rows(slice(0)), np.ones(2), np.ones(2, np.int64), {})]
    assert [info.get("eaten") for info in infos_of(joined(request, shares))] == [4.0, None, None]


# ---------------------------------------------------------------- what is refused


@pytest.mark.filterwarnings("ignore:episodes in a VecNormalize")
def test_slots_that_share_what_they_have_seen_are_refused(crews):
    model = new("es", VecNormalize(DummyVecEnv([Ring] * 2)), workers=2)
    with pytest.raises(ValueError, match="VecNormalize depend on those before.* without its wrappers"):
        model.learn(1)


def test_an_environment_that_cannot_be_sent_is_refused():
    env = Ring()
    env.lock = Lock()
    with pytest.raises(ValueError, match=r"cannot be sent to workers \(TypeError.*env=make"):
        packed_player(None, maker_of(env, DummyVecEnv([lambda: env]), 1))


def test_no_worker_is_refused():
    with pytest.raises(ValueError, match="workers is 0"):
        new("es", Ring, workers=0)
