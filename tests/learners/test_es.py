"""Evolution strategies on an environment: what is played, scaled, cut off and kept in files."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from popagents.common.now import Now
from popagents.learners.es.es import ES
from popagents.learners.goal import StopOnGoal
from popagents.population.normalization import NormalizedFlatten
from tests.learners.games import Ring
from tests.learners.strategies import noise_of, seated


def test_a_mirrored_pair_stands_around_the_centre_and_plays_the_same_episodes():
    begun = []

    class Seen(Ring):
        def reset(self, *, seed=None, options=None):
            begun.append(seed)
            return super().reset(seed=seed)

    model = ES("LinearPolicy", DummyVecEnv([Seen]), population_size=6, sigma=0.1, seed=0, episodes=2)
    request = next(model.next_generation(model.loop.run.state, model.now))
    members = seated(model, request.players)
    begun.clear()
    model.learn(1, log_interval=None)
    seeds = begun[1:13]  # SB3 resets once, when a run begins
    assert seeds == request.jobs.seeds[:, 0].tolist()
    assert seeds[0:2] == seeds[2:4]
    assert len(set(seeds)) == 6
    for plus, minus in zip(members[::2], members[1::2], strict=True):
        assert np.allclose((plus + minus) / 2, (members[0] + members[1]) / 2, atol=1e-6)
        assert np.abs(plus - minus).max() > 0.05
    assert np.allclose(members[2] - members[3], 2 * np.float32(0.1) * noise_of(model, 0, 2), atol=1e-6)


def test_between_generations_the_policy_stands_at_the_centre():
    model = ES("MlpPolicy", Ring(), population_size=4, seed=0).learn(100)
    weights = torch.cat([p.flatten() for p in model.policy.parameters()]).detach().numpy()
    assert (weights == model.centre).all()
    assert model.evaluation_timesteps == 0


def test_an_episode_cut_off_is_that_of_an_environment_with_a_limit():
    settings = {"population_size": 8, "sigma": 0.5, "seed": 3}
    limited = ES("LinearPolicy", gym.make("CartPole-v1", max_episode_steps=20), **settings).learn(900)
    for slots in (1, 3, 8):
        lanes = SyncVectorEnv([lambda: gym.make("CartPole-v1")] * slots, autoreset_mode=AutoresetMode.DISABLED)
        model = ES("LinearPolicy", lanes, episode_cutoff=20, **settings).learn(900)
        assert (model.lineage == limited.lineage).all()
        assert (model.centre == limited.centre).all()
    assert limited.lineage["fitness"].max() == 20
    assert limited.lineage["fitness"].min() < 20


@pytest.mark.bits
def test_native_lanes_are_cut_off_at_any_number_of_slots():
    centres = []
    for n in (1, 5, 16):
        lanes = gym.make_vec("popenvs:PopPacman-v0", num_envs=n, autoreset_mode=AutoresetMode.DISABLED)
        model = ES("LinearPolicy", lanes, population_size=8, episode_cutoff=7, seed=0).learn(150, log_interval=None)
        assert model.loop.run.steps_lived == 3 * 8 * 7
        centres.append(model.centre)
    assert (centres[0] == centres[1]).all()
    assert (centres[0] == centres[2]).all()


def test_the_cutoff_moves_geometrically_with_progress():
    model = ES("LinearPolicy", Ring(), episode_cutoff=200, final_episode_cutoff=800)
    for progress, steps in ((0, 200), (0.5, 400), (1, 800)):
        assert model.cutoff(Now(0, 0, progress)) == steps
    assert ES("LinearPolicy", Ring()).cutoff(Now(0, 0, 0.5)) is None


@pytest.mark.filterwarnings("ignore:episodes in a VecNormalize cannot be seeded")
def test_episodes_that_go_on_by_themselves_cannot_be_cut_off():
    model = ES("LinearPolicy", VecNormalize(DummyVecEnv([Ring])), population_size=2, episode_cutoff=3)
    with pytest.raises(ValueError, match="to be cut off after 3 steps; those in SharedSlots go on by themselves"):
        model.learn(10)


def test_observations_are_scaled_by_what_earlier_generations_saw():
    seen = []

    class Tilted(Ring):
        def _see(self):
            row = 100 + 30 * super()._see()
            seen.append(row)
            return row

    model = ES("MlpPolicy", DummyVecEnv([Tilted]), population_size=4, seed=0, normalize_observations=True)
    model.learn(1, log_interval=None)
    moments = model.loop.run.state.moments
    count = int(moments.counts[0])
    assert count == model.num_timesteps
    scaler = model.policy.features_extractor
    assert isinstance(scaler, NormalizedFlatten)
    mean = (moments.total / count)[0]
    assert np.allclose(scaler.mean.numpy(), mean)
    assert 100 <= mean.min() < mean.max() < 115
    row = seen[-1][None].copy()
    assert row[0, 0] == 130  # it ends there, so nobody acted on it: to those who act this number never changed
    row[0, 3] = -1000
    expected = np.clip((row - mean) / np.sqrt(moments.squares[0] / count - mean**2 + 1e-8), -5, 5)
    assert expected[0, [0, 3]].tolist() == [5, -5]
    assert np.allclose(scaler(torch.from_numpy(row)).numpy(), expected, atol=1e-4)
    assert np.allclose(scaler.scale(row), expected, atol=1e-4)


def test_scales_move_with_what_is_seen():
    model = ES("LinearPolicy", "CartPole-v1", population_size=8, sigma=0.5, seed=0, normalize_observations=True)
    model.learn(1, log_interval=None)
    first = model.policy.features_extractor.deviation.clone()
    model.learn(1, log_interval=None)
    assert not torch.equal(model.policy.features_extractor.deviation, first)


@pytest.mark.bits
@pytest.mark.parametrize("policy", ["MlpPolicy", "ActorCriticPolicy"])
def test_scaled_runs_give_the_same_bits_at_any_number_of_slots_and_after_loading(policy, tmp_path):
    def envs(slots):
        return SyncVectorEnv([lambda: gym.make("CartPole-v1")] * slots, autoreset_mode=AutoresetMode.SAME_STEP)

    settings = {"population_size": 6, "seed": 3, "normalize_observations": True, "episodes": 2}
    whole = ES(policy, envs(6), **settings).learn(1500)
    for slots in (1, 4):
        assert (ES(policy, envs(slots), **settings).learn(1500).centre == whole.centre).all()
    stopped = ES(policy, envs(5), **settings).learn(700)
    stopped.save(tmp_path / "m")
    loaded = ES.load(tmp_path / "m", env=envs(3))
    rows = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    assert (loaded.predict(rows, deterministic=True)[0] == stopped.predict(rows, deterministic=True)[0]).all()
    loaded.learn(1500, resume=True)
    assert (loaded.centre == whole.centre).all()
    assert (loaded.loop.run.state.moments.total == whole.loop.run.state.moments.total).all()


def test_a_file_holds_the_centre_and_not_the_members(tmp_path):
    sizes = []
    for population_size in (2, 64):
        ES("MlpPolicy", Ring(), population_size=population_size, seed=0).save(tmp_path / "m.zip")
        sizes.append((tmp_path / "m.zip").stat().st_size)
    assert sizes[1] < 1.1 * sizes[0]


def test_a_run_goes_on_with_another_number_of_members(tmp_path):
    model = ES("LinearPolicy", "CartPole-v1", population_size=8, seed=0, normalize_observations=True)
    model.learn(500, log_interval=None).save(tmp_path / "m")
    other = ES.load(tmp_path / "m", env="CartPole-v1", population_size=4, optimizer="sgd")
    assert (other.centre == model.centre).all()
    assert np.isnan(other.fitness).all()
    assert len(other.fitness) == 4
    other.learn(300, log_interval=None)
    assert np.unique(other.lineage["generation"], return_counts=True)[1].tolist() == [8] * model.generation + [4] * (
        other.generation - model.generation
    )
    assert other.generation > model.generation
    with pytest.raises(ValueError, match="population_size is 7; .* needs an even number"):
        ES.load(tmp_path / "m", population_size=7)


def test_it_solves_cartpole_with_a_linear_policy_in_8000_steps_in_most_runs():
    reached = 0
    for seed in range(3):
        model = ES(
            "LinearPolicy",
            "CartPole-v1",
            0.02,
            population_size=12,
            sigma=0.2,
            initial_std=0.0,
            optimizer="sgd",
            fitness_shaping="zscore",
            normalize_observations=True,
            seed=seed,
        )
        goal = StopOnGoal(475, 1, eval_env="CartPole-v1", n_eval_episodes=3)
        model.learn(8000, callback=goal, log_interval=None)
        reached += goal.reached
    assert reached >= 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"initial_std": -0.1}, "initial_std is -0.1; it must be at least 0"),
        ({"episodes": 0}, "episodes is 0"),
        ({"rank": 0}, "rank is 0"),
        ({"episode_cutoff": 0}, "episode_cutoff is 0"),
        ({"episode_cutoff": 5, "final_episode_cutoff": 0.5}, "final_episode_cutoff is 0.5"),
        ({"final_episode_cutoff": 5}, "final_episode_cutoff is 5, but episode_cutoff is None"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        ES("LinearPolicy", Ring(), **settings)


def test_several_designs_are_refused():
    with pytest.raises(ValueError, match="policy names 2 designs; ES evolves one: name one"):
        ES(["LinearPolicy", "MlpPolicy"], Ring(), population_size=4)


def test_scaling_is_refused_where_the_policy_has_convolutions_or_sees_images():
    grid = SyncVectorEnv(
        [lambda: gym.make("popenvs:PopPacman-v0", observation="grid")], autoreset_mode=AutoresetMode.SAME_STEP
    )
    with pytest.raises(ValueError, match="normalize_observations is True, but CnnPolicy has the features extractor"):
        ES("CnnPolicy", grid, population_size=2, normalize_observations=True)
