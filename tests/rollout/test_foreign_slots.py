"""What environments of other people give: partial episodes, dones of 0 and 1, observations that are none."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnvWrapper, VecFrameStack, VecMonitor

from popagents.rollout.vec_env import GymVecEnv
from tests.learners.cases import LEARNERS, assert_same, every_learner, new
from tests.learners.games import Ring


class Sized(Ring):
    """Lasts 9, 10 or 11 steps, by the seed or by chance, and pays 1 for each."""

    def reset(self, *, seed=None, options=None):
        seen = super().reset(seed=seed)
        self.length = int(self.np_random.integers(9, 12))
        return seen

    def step(self, action):
        seen, *_ = super().step(action)
        return seen, 1.0, self.steps == self.length, False, {}


class Plain(VecEnvWrapper):
    """Hands everything on, as SuperSuit does: what ended is told in 0 and 1."""

    def reset(self):
        return self.venv.reset()

    def step_wait(self):
        seen, rewards, dones, infos = self.venv.step_wait()
        return seen, rewards, dones.astype(np.uint8), infos


@pytest.mark.filterwarnings("ignore:episodes in a")
@pytest.mark.parametrize("wrap", [Plain, VecMonitor, lambda env: VecFrameStack(env, 2)])
@every_learner
def test_in_more_slots_than_jobs_every_episode_is_whole(name, wrap):
    model = new(name, wrap(DummyVecEnv([Sized] * 8)), population_size=4 if name == "elitist_es" else 6)
    model.learn(700)
    assert model.generation > 5
    assert set(model.lineage["fitness"][model.lineage["generation"] == 0]) <= {9, 10, 11}
    assert model.lineage["fitness"].min() >= 9


@pytest.mark.filterwarnings("ignore:episodes in a")
@every_learner
def test_dones_of_0_and_1_lead_to_the_same_run_as_false_and_true(name):
    class Booleans(Plain):
        def step_wait(self):
            return self.venv.step_wait()

    first, second = (new(name, wrap(DummyVecEnv([Ring] * 3))).learn(400) for wrap in (Plain, Booleans))
    assert_same(first, second)


class Mute(Plain):
    """Takes no seed and tells no attribute, as SuperSuit's environments."""

    def seed(self, seed=None):
        raise AttributeError("'ConcatVecEnv' object has no attribute 'seed'")

    def get_attr(self, attr_name, indices=None):
        raise AttributeError("'ConcatVecEnv' object has no attribute 'get_attr'")


@pytest.mark.filterwarnings("ignore:episodes in a", "ignore:The `render_mode` attribute")
@every_learner
def test_an_environment_that_takes_no_seed_is_learned_in_and_a_warning_says_so(name):
    with pytest.warns(UserWarning, match="takes no seed, so that this run cannot be repeated"):
        model = new(name, Mute(DummyVecEnv([Ring] * 3)))
    with pytest.warns(UserWarning, match="takes no seed, so that this run cannot be repeated"):
        model.learn(400)
    assert model.num_timesteps >= 400


class Spoiled(gym.Env):
    """Sees three zeros; at step 3 of each episode, or at the reset, it sees something else."""

    action_space = spaces.Discrete(2)
    observation_space = spaces.Box(-1, 1, (3,), np.float32)

    def __init__(self, spoiled=None, at=3):
        self.spoiled, self.at = spoiled, at

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self._see(), {}

    def step(self, action):
        self.steps += 1
        return self._see(), 1.0, self.steps == 5, False, {}

    def _see(self):
        if self.steps != self.at:
            return np.zeros(3, np.float32)
        return {"NaN": np.array([0, np.nan, 0]), "inf": np.array([0, 0, np.inf]), "-inf": np.full(3, -np.inf)}.get(
            self.spoiled, {"None": None, "()": np.float32(1), "(1, 3)": np.zeros((1, 3), np.float32)}.get(self.spoiled)
        )


KINDS = {
    "DummyVecEnv": DummyVecEnv,
    "SyncVectorEnv": lambda makers: GymVecEnv(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)),
    "SyncVectorEnv, wrapped": lambda makers: GymVecEnv(
        RecordEpisodeStatistics(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED))
    ),
    "wrapped": lambda makers: Plain(DummyVecEnv(makers)),
}
ALWAYS = ["None", "()", "(1, 3)"]  # refused by Gymnasium when SB3 resets it before a run
UNSEEN = {"SyncVectorEnv, wrapped": ["None", "()", "(1, 3)"], "wrapped": ["()", "(1, 3)"]}  # Gymnasium's and SB3's own


@pytest.mark.filterwarnings("ignore:episodes in a")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spoiled", ["NaN", "inf", "-inf", "None", "()", "(1, 3)"])
@pytest.mark.parametrize("at", [0, 3])
def test_what_is_no_observation_is_refused_with_member_seed_and_step(kind, spoiled, at):
    if spoiled in UNSEEN.get(kind, ()) or (kind == "SyncVectorEnv" and at == 0 and spoiled in ALWAYS):
        pytest.skip("the vector environment stretches or refuses it before we see it")
    model = new("culture", KINDS[kind]([lambda: Spoiled(spoiled, at)] * 2))
    before = model.loop.run
    with pytest.raises(
        RuntimeError, match=rf"member 0 got (an|the) observation .*at step {at} of the episode seeded \d"
    ):
        model.learn(100)
    assert model.loop.run.state is before.state


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_refuses_nan_and_scales_stay_finite(name):
    settings = {"normalize_observations": True} if name in ("es", "elitist_es") else {}
    model = new(name, DummyVecEnv([lambda: Spoiled("NaN")] * 2), **settings)
    with pytest.raises(RuntimeError, match="it must hold finite numbers, at step 3"):
        model.learn(100)
    assert all(np.isfinite(value.numpy()).all() for value in model.policy.state_dict().values())


def test_a_subprocess_that_gives_another_shape_at_a_reset_is_named():
    model = new("culture", SubprocVecEnv([lambda: Spoiled("(1, 3)", 0)] * 2, start_method="fork"))
    with pytest.raises(RuntimeError, match=r"member 0 got an observation of shape \(1, 3\)"):
        model.learn(100)
    model.env.close()


def test_lists_and_numbers_that_fit_the_space_are_welcome():
    class Listed(Spoiled):
        def _see(self):
            return [0.0, 0.0, 0.0]

    class Numbered(Spoiled):
        observation_space = spaces.Discrete(4)

        def _see(self):
            return 2

    for env in (Listed, Numbered):
        assert new("culture", DummyVecEnv([env] * 2)).learn(60).generation
