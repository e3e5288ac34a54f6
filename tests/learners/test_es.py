"""Evolution strategies, number by number."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from popagents.learners.es.election import repeated
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from popagents.common.normal import standard_normal
from popagents.common.randomness import Purpose, keys
from popagents.learners.es.es import ES
from popagents.learners.es.fitness_shaping import centred_ranks, z_scores
from popagents.learners.goal import StopOnGoal
from popagents.population.noise import SparseNoise
from popagents.population.normalization import NormalizedFlatten
from popagents.rollout.play import Lives, RandomPlayers
from tests.learners.games import Ring


def lives_of(returns):
    members = np.arange(len(returns))
    return Lives(members, np.array(returns, float), np.ones(len(returns), int), np.zeros((1, 8), np.float32))


def tell(model, returns):
    """Let a model learn from returns, one a member, as if they had been lived."""
    model._total_timesteps = 1000
    model._finish(np.arange(len(returns)), lives_of(returns))


def noise_of(model, generation, member):
    (key,) = keys(model.run_seed, Purpose.NOISE, generation, [member])
    return standard_normal(key, len(model.centre))


def test_ties_share_the_mean_of_their_ranks():
    assert centred_ranks(np.array([5.0, 5.0, 1.0])).tolist() == [0.25, 0.25, -0.5]
    assert centred_ranks(np.array([3.0, 1.0, 2.0])).tolist() == [0.5, -0.5, 0.0]
    assert centred_ranks(np.full(4, 7.0)).tolist() == [0, 0, 0, 0]
    assert centred_ranks(np.arange(64.0) // 5).sum() == pytest.approx(0)


def test_z_scores_have_mean_0_and_deviation_1():
    assert z_scores(np.array([2.0, 4.0, 4.0, 6.0])).tolist() == pytest.approx([-(2**0.5), 0, 0, 2**0.5])
    assert z_scores(np.full(3, 9.0)).tolist() == [0, 0, 0]


def test_a_step_on_three_members_with_plain_noise_worked_out_by_hand():
    model = ES(
        "LinearPolicy",
        Ring(),
        0.1,
        population_size=3,
        mirrored=False,
        optimizer="sgd",
        sigma=0.5,
        seed=5,
        weight_decay=0.2,
    )
    before = model.centre.copy()
    e0, e1, e2 = (noise_of(model, 0, member) for member in range(3))
    tell(model, [1.0, 7.0, 3.0])  # ranks -0.5, 0.5, 0
    gradient = (-0.5 * e0 + 0.5 * e1 + 0.0 * e2) / (3 * 0.5)
    assert np.allclose(model.centre, before * (1 - 0.1 * 0.2) + 0.1 * gradient, atol=1e-6)


def test_a_step_on_two_mirrored_pairs_worked_out_by_hand():
    model = ES(
        "LinearPolicy", Ring(), 0.1, population_size=4, fitness_shaping="zscore", optimizer="sgd", sigma=2, seed=5
    )
    before = model.centre.copy()
    e0, e2 = noise_of(model, 0, 0), noise_of(model, 0, 2)
    tell(model, [2.0, 6.0, 4.0, 4.0])  # z-scores -sqrt 2, sqrt 2, 0, 0
    gradient = (-(2**0.5) * e0 - 2**0.5 * e0 + 0 * e2) / (4 * 2)
    assert np.allclose(model.centre, before + 0.1 * gradient, atol=1e-6)


def test_adams_first_step_has_the_size_of_the_learning_rate_and_the_sign_of_the_gradient():
    model = ES("LinearPolicy", Ring(), 0.01, population_size=2, seed=5)
    before, e0 = model.centre.copy(), noise_of(model, 0, 0)
    tell(model, [1.0, 0.0])
    assert np.allclose(model.centre - before, 0.01 * np.sign(e0), atol=1e-4)


def test_the_estimate_is_the_gradient_of_a_linear_fitness():
    model = ES(
        "LinearPolicy", Ring(), population_size=2000, optimizer="sgd", fitness_shaping="zscore", sigma=0.3, seed=1
    )
    slope = np.random.default_rng(0).normal(size=len(model.centre))
    signs = np.tile([1, -1], 1000)
    noise = [noise_of(model, 0, member - member % 2) for member in range(2000)]
    fitness = np.array([slope @ (sign * e) for sign, e in zip(signs, noise, strict=True)])
    gradient = model._gradient(z_scores(fitness))
    cosine = gradient @ slope / np.linalg.norm(gradient) / np.linalg.norm(slope)
    assert cosine > 0.99
    assert np.linalg.norm(gradient) == pytest.approx(1 / 0.3, rel=0.05)  # a z-score grows by 1 over a distance sigma


def test_members_of_equal_fitness_move_nothing_not_even_by_adams_momentum():
    model = ES("LinearPolicy", Ring(), population_size=4, seed=0, weight_decay=0.5)
    tell(model, [1.0, 2.0, 3.0, 4.0])
    before = model.centre.copy()
    tell(model, [5.0, 5.0, 5.0, 5.0])
    assert (model.centre == before).all()
    assert model.generation == 2


def test_a_mirrored_pair_stands_around_the_centre_and_plays_the_same_episodes():
    begun, members = [], []

    class Seen(Ring):
        def reset(self, *, seed=None, options=None):
            begun.append(seed)
            return super().reset(seed=seed)

    model = ES("LinearPolicy", DummyVecEnv([Seen]), population_size=6, sigma=0.1, seed=0, episodes_per_member=2)

    def look(local, _):
        if not members:
            members.extend(model._stack.vector(m) for m in range(6))
        return True

    begun.clear()
    model.learn(1, look, log_interval=None)
    seeds = [seed for seed in begun if seed is not None][:12]
    assert seeds[0:2] == seeds[2:4]
    assert len(set(seeds)) == 6
    for plus, minus in zip(members[::2], members[1::2], strict=True):
        assert np.allclose((plus + minus) / 2, (members[0] + members[1]) / 2, atol=1e-6)
        assert np.abs(plus - minus).max() > 0.05
    assert np.allclose(members[2] - members[3], 2 * np.float32(0.1) * noise_of(model, 0, 2), atol=1e-6)


def test_between_generations_every_member_stands_at_the_centre_and_the_policy_too():
    model = ES("MlpPolicy", Ring(), population_size=4, seed=0).learn(100)
    assert all((model._stack.vector(m) == model.centre).all() for m in range(4))
    weights = torch.cat([p.flatten() for p in model.policy.parameters()]).detach().numpy()
    assert (weights == model.centre).all()
    assert model.evaluation_timesteps == 0


def test_learning_rate_and_sigma_fall_geometrically_with_progress():
    model = ES("LinearPolicy", Ring(), 0.1, final_learning_rate=0.001, sigma=0.4, final_sigma=0.1, seed=0)
    model._total_timesteps = 1000
    for model._start, sigma in ((0, 0.4), (500, 0.2), (1000, 0.1)):
        assert model._sigma_now() == pytest.approx(sigma)
    model.optimizer = "sgd"
    before = model.centre.copy()
    model._start = 500
    model._climb(np.ones_like(before))
    assert np.allclose(model.centre - before, 0.01)


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
        assert model._steps_lived == 3 * 8 * 7
        centres.append(model.centre)
    assert (centres[0] == centres[1]).all()
    assert (centres[0] == centres[2]).all()


def test_the_cutoff_moves_geometrically_with_progress():
    model = ES("LinearPolicy", Ring(), episode_cutoff=200, final_episode_cutoff=800)
    model._total_timesteps = 1000
    for model._start, steps in ((0, 200), (500, 400), (1000, 800)):
        assert model.cutoff == steps
    assert ES("LinearPolicy", Ring()).cutoff is None


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
    count = int(model._seen.counts[0])
    assert count == model.num_timesteps
    scaler = model.policy.features_extractor
    assert isinstance(scaler, NormalizedFlatten)
    mean = (model._seen.total / count)[0]
    assert np.allclose(scaler.mean.numpy(), mean)
    assert 100 <= mean.min() < mean.max() < 115
    row = seen[-1][None].copy()
    assert row[0, 0] == 130  # it ends there, so nobody acted on it: to those who act this number never changed
    row[0, 3] = -1000
    expected = np.clip((row - mean) / np.sqrt(model._seen.squares[0] / count - mean**2 + 1e-8), -5, 5)
    assert expected[0, [0, 3]].tolist() == [5, -5]
    assert np.allclose(scaler(torch.from_numpy(row)).numpy(), expected, atol=1e-4)
    assert np.allclose(scaler.scale(row), expected, atol=1e-4)


@pytest.mark.bits
@pytest.mark.parametrize("policy", ["MlpPolicy", "ActorCriticPolicy"])
def test_scaled_runs_give_the_same_bits_at_any_number_of_slots_and_after_loading(policy, tmp_path):
    def envs(slots):
        return SyncVectorEnv([lambda: gym.make("CartPole-v1")] * slots, autoreset_mode=AutoresetMode.SAME_STEP)

    settings = {"population_size": 6, "seed": 3, "normalize_observations": True, "episodes_per_member": 2}
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
    assert (loaded._seen.total == whole._seen.total).all()


def test_a_file_holds_the_centre_and_not_the_members(tmp_path):
    sizes = []
    for population_size in (2, 64):
        ES("MlpPolicy", Ring(), population_size=population_size, seed=0).save(tmp_path / "m.zip")
        sizes.append((tmp_path / "m.zip").stat().st_size)
    assert sizes[1] < 1.1 * sizes[0]


def test_a_run_goes_on_with_another_number_of_members(tmp_path):
    model = ES("LinearPolicy", "CartPole-v1", population_size=8, seed=0, normalize_observations=True)
    model.learn(500, log_interval=None).save(tmp_path / "m")
    other = ES.load(tmp_path / "m", env="CartPole-v1", population_size=4, optimizer="elitist")
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


def test_a_goal_held_in_several_tests_on_end_stops_any_sb3_algorithm(monkeypatch):
    given = iter(())
    monkeypatch.setattr("popagents.learners.goal.evaluate_policy", lambda *_, **__: (next(given), 0))
    for make in (
        lambda: PPO("MlpPolicy", "CartPole-v1", n_steps=32, device="cpu"),
        lambda: DQN("MlpPolicy", "CartPole-v1", train_freq=20, device="cpu"),
        lambda: ES("LinearPolicy", "CartPole-v1", population_size=2),
    ):
        given = iter((9, 4, 9, 9, 3, 9, 9, 9, 9, 9))
        goal = StopOnGoal(8, 3, eval_env="CartPole-v1")
        model = make().learn(100_000, callback=goal)
        assert goal.tests == [9, 4, 9, 9, 3, 9, 9, 9]
        assert goal.reached
        assert model.num_timesteps == goal.timesteps[-1] + 1 or isinstance(model, ES)
        assert model.num_timesteps < 3000


def test_a_goal_tests_with_the_likeliest_actions_in_an_environment_like_the_models():
    goal = StopOnGoal(500.5, 1, n_eval_episodes=2, every=40)
    ES("LinearPolicy", "popenvs:PopPacman-v0", population_size=2, seed=0).learn(1000, callback=goal)
    assert len(goal.tests) == 5
    assert goal.timesteps == [0, 200, 400, 600, 800]
    assert not goal.reached


def test_the_adaptive_cutoff_is_twice_the_mean_length_of_the_generation_before(tmp_path):
    cutoffs, means = [], []
    whole = ES.tell

    class Watched(ES):
        def tell(self, candidates, lives):
            cutoffs.append(self.cutoff)
            means.append(lives.lengths.mean())
            assert lives.lengths.max() <= self.cutoff
            return whole(self, candidates, lives)

    settings = {"population_size": 8, "seed": 0, "episode_cutoff": 5, "adaptive_cutoff": True}
    model = Watched("LinearPolicy", "CartPole-v1", **settings).learn(2000, log_interval=None)
    assert len(cutoffs) > 5
    assert cutoffs[:2] == [5, 10]
    assert cutoffs[1:] == [round(2 * mean) for mean in means[:-1]]
    ES("LinearPolicy", "CartPole-v1", **settings).learn(300, log_interval=None).save(tmp_path / "m")
    again = ES.load(tmp_path / "m", env="CartPole-v1").learn(2000, log_interval=None, resume=True)
    assert (again.centre == model.centre).all()


def test_an_adaptive_cutoff_needs_a_first_one_and_no_last():
    for settings in ({}, {"episode_cutoff": 5, "final_episode_cutoff": 9}):
        with pytest.raises(ValueError, match="adaptive_cutoff is True, .*; give episode_cutoff, with which it begins"):
            ES("LinearPolicy", Ring(), adaptive_cutoff=True, **settings)


# ---------------------------------------------------------------- steps of a generation


BUDGET = {"population_size": 6, "steps_per_generation": 300, "seed": 3, "episodes_per_member": 2}


def test_rounds_are_played_until_the_steps_of_a_generation_are_taken(monkeypatch):
    rounds = []
    whole = ES.episodes_of

    def played(self, *arguments):
        rounds.append(whole(self, *arguments))
        return rounds[-1]

    monkeypatch.setattr(ES, "episodes_of", played)
    model = ES("LinearPolicy", Ring(), **BUDGET).learn(1, log_interval=None)
    steps = [int(lives.lengths.sum()) for lives in rounds]
    assert len(rounds) > 2
    assert sum(steps[:-1]) < 300 <= sum(steps) == model.num_timesteps
    assert len({lives.returns.tobytes() for lives in rounds}) == len(rounds)  # other episodes in each
    mean = np.mean([lives.fitness(6) for lives in rounds], axis=0)
    assert np.allclose(model.fitness, mean)


def test_a_pair_shares_its_episodes_in_every_round():
    begun = []

    class Seen(Ring):
        def reset(self, *, seed=None, options=None):
            begun.append(seed)
            return super().reset(seed=seed)

    model = ES("LinearPolicy", DummyVecEnv([Seen]), **BUDGET)
    begun.clear()
    model.learn(1, log_interval=None)
    rounds = np.array([seed for seed in begun if seed is not None]).reshape(-1, 3, 2, 2)  # pair, half, episode
    assert len(rounds) > 2
    assert (rounds[:, :, 0] == rounds[:, :, 1]).all()
    assert len(np.unique(rounds)) == rounds.size // 2


@pytest.mark.bits
def test_generations_of_several_rounds_give_the_same_bits_at_any_number_of_slots():
    def run(slots):
        env = SyncVectorEnv([lambda: gym.make("CartPole-v1")] * slots, autoreset_mode=AutoresetMode.SAME_STEP)
        settings = BUDGET | {"normalize_observations": True, "steps_per_generation": 1000}
        return ES("MlpPolicy", env, **settings).learn(4000, log_interval=None)

    one, five = run(1), run(5)
    assert (one.centre == five.centre).all()
    assert one._seen.counts.sum() == one.num_timesteps


def test_a_callback_may_stop_between_rounds():
    stopped = ES("LinearPolicy", Ring(), **BUDGET)
    stopped.learn(900, lambda local, _: stopped.num_timesteps < 200, log_interval=None)
    assert stopped.generation == 0
    stopped.learn(900, log_interval=None, resume=True)
    assert (stopped.centre == ES("LinearPolicy", Ring(), **BUDGET).learn(900, log_interval=None).centre).all()


# ---------------------------------------------------------------- sparse noise


def test_sparse_noise_changes_from_one_parameter_to_a_share_each_order_of_magnitude_as_often():
    model = ES("LinearPolicy", Ring(), population_size=2, seed=0)
    model._stack.set_vector(slice(None), centre := np.full_like(model.centre, 3))
    noise, most = SparseNoise(model._stack, 0.5), len(centre) / 2
    drawn = np.array([noise._drawn(np.uint64(key), 0.5) for key in range(4000)])
    changed = np.count_nonzero(drawn, axis=1)
    assert (changed.min(), changed.max()) == (1, most)
    for below in (2, 4, 8):
        assert np.mean(changed <= below) == pytest.approx(np.log(below + 0.5) / np.log(most), abs=0.03)
    values = drawn[drawn != 0]
    assert abs(values.mean()) < 0.02
    assert values.std() == pytest.approx(0.5, rel=0.03)
    assert np.ptp((drawn != 0).mean(axis=0)) < 0.05  # every parameter as often as another
    noise.scatter([0, 1], np.uint64(7), 0.5)
    assert np.array_equal(model._stack.vector(0), centre + drawn[7])
    assert np.array_equal(model._stack.vector(1), centre - drawn[7])


@pytest.mark.bits
def test_sparse_runs_go_on_from_a_file_bit_for_bit_at_any_number_of_slots(tmp_path):
    def env(slots):
        return SyncVectorEnv([lambda: gym.make("CartPole-v1")] * slots, autoreset_mode=AutoresetMode.SAME_STEP)

    settings = ELITIST | {"noise": "sparse", "density": 0.3, "normalize_observations": True, "seed": 4}
    whole = ES("LinearPolicy", env(8), **settings).learn(3000, log_interval=None)
    begun = ES("LinearPolicy", env(1), **settings)
    begun.learn(3000, lambda local, _: begun.generation < 1, log_interval=None)
    begun.save(tmp_path / "begun")
    loaded = ES.load(tmp_path / "begun", env=env(5))
    assert (loaded.generation, loaded.noise, loaded.density) == (1, "sparse", 0.3)
    loaded.learn(3000, log_interval=None, resume=True)
    assert (loaded.centre == whole.centre).all()
    assert not np.array_equal(loaded.centre, begun.centre)
    assert loaded.num_timesteps == whole.num_timesteps


# ---------------------------------------------------------------- the elitist optimizer


ROUNDS = ES._rounds
ELITIST = {"population_size": 8, "optimizer": "elitist", "sigma": 0.5, "episodes_per_member": 2}


def test_the_better_half_plays_as_many_episodes_again_until_one_challenges_the_centre(monkeypatch):
    rounds, stood = [], []
    whole = ES.sit

    def sit(self, finalists, papers, slots, on_step):
        stood[:] = [self._stack.vector(m) for m in range(8)]
        lives = whole(self, finalists, papers, slots, on_step)
        rounds.append((finalists.tolist(), papers.tolist(), lives))
        return lives

    monkeypatch.setattr(ES, "sit", sit)
    winners = set()
    for seed in range(8):
        model = ES("LinearPolicy", Ring(), seed=seed, **ELITIST)
        before = model.centre.copy()
        first, rounds[:] = [], []
        monkeypatch.setattr(ES, "_rounds", lambda *a, keep=first, **k: keep.append(ROUNDS(*a, **k)) or keep[-1])
        model.learn(1, log_interval=None)
        assert (stood[0] == before).all()
        assert np.allclose(stood[4] - before, np.float32(0.5) * noise_of(model, 0, 4), atol=1e-6)
        (lived,), left = first, list(range(1, 8))
        rank_keys = keys(seed, Purpose.RANK, 0, np.arange(8))
        for (finalists, papers, lives), size, played in zip(rounds, (3, 1), (2, 4), strict=True):
            fitness = lived.fitness(8)
            left = sorted(left, key=lambda m: (-fitness[m], rank_keys[m]))[:size]
            assert finalists == [0, *sorted(left)]
            assert papers == list(range(played, 2 * played))
            lived = lived.joined(lives)
        assert np.bincount(lived.members).max() == 8
        fitness = lived.fitness(8)
        winner = left[0] if fitness[left[0]] > fitness[0] else 0
        winners.add(winner > 0)
        assert (model.centre == stood[winner]).all()
        assert np.array_equal(model.fitness, fitness)
        assert all((model._stack.vector(m) == model.centre).all() for m in range(8))
    assert winners == {False, True}


def test_of_two_members_one_is_the_centre_and_the_other_challenges_it_at_once(monkeypatch):
    monkeypatch.setattr(ES, "sit", None)
    model = ES("LinearPolicy", Ring(), population_size=2, optimizer="elitist", seed=0)
    for returns, winner in (([3, 5], 1), ([5, 3], 0), ([4, 4], 0)):
        model._elect(lives_of(returns), None)
        assert model._elected == [winner]


FAMILY = {"population_size": 24, "optimizer": "elitist", "sigma": 0.5, "parents": 2, "reduction_factor": 4}


def test_several_parents_have_children_in_turn_and_a_quarter_of_those_play_again(monkeypatch):
    stood, sat = [], []
    whole = ES.sit

    def sit(self, finalists, papers, slots, on_step):
        stood.append([self._stack.vector(m) for m in range(24)])
        sat.append((finalists.tolist(), papers.tolist()))
        return whole(self, finalists, papers, slots, on_step)

    monkeypatch.setattr(ES, "sit", sit)
    model = ES("LinearPolicy", Ring(), seed=6, **FAMILY)
    assert (model.breeders == model.centre).all()
    model.learn(1, log_interval=None)
    assert [(len(finalists), papers) for finalists, papers in sat] == [(2 + 5, [0 + 1]), (2 + 2, [2, 3])]
    assert all(finalists[:2] == [0, 1] for finalists, _ in sat)

    before, (episodes, points), generation = model.breeders.copy(), model._past.copy(), model.generation
    assert (episodes == 4).all()
    assert before.shape == (2, len(model.centre))
    assert (before[0] == model.centre).all()
    assert not (before[0] == before[1]).all()
    stood[:], sat[:] = [], []
    model.learn(1, log_interval=None)
    members = stood[0]
    assert (np.stack(members[:2]) == before).all()
    for member in range(2, 24):
        shift = np.float32(0.5 * (-1) ** member) * noise_of(model, generation, member - member % 2)
        assert np.allclose(members[member] - before[member // 2 % 2], shift, atol=1e-5)
    fitness = model.fitness.copy()
    fitness[:2] = (points + 4 * fitness[:2]) / (episodes + 4)  # a parent is judged by all that it played
    order = sorted(sat[-1][0], key=lambda m: -fitness[m])
    assert (model.breeders == [members[m] for m in order[:2]]).all()
    assert model._past[0].tolist() == [8 if m < 2 else 4 for m in order[:2]]
    assert np.allclose(model._past[1] / model._past[0], fitness[order[:2]])


def test_who_played_as_a_fitter_one_did_becomes_a_parent_only_where_there_is_nobody_else(monkeypatch):
    games = []

    def sit(self, finalists, papers, slots, on_step):
        assert finalists.tolist() == [0, 1, 4, 5]
        return replace(lives_of(games), members=finalists)

    monkeypatch.setattr(ES, "sit", sit)
    model = ES("LinearPolicy", Ring(), seed=1, population_size=6, optimizer="elitist", parents=2)
    assert np.argsort(keys(model.run_seed, Purpose.RANK, 0, [4, 5])).tolist() == [0, 1]  # among equals 4 is before 5
    for first, exam, elected in (
        ([5, 5, 1, 1, 6, 6], [3, 3, 3, 3], [4, 5]),  # all of them alike: the fittest two
        ([5, 5, 1, 1, 6, 6], [3, 2, 3, 3], [4, 1]),  # 1 played worse, but otherwise than the others
        ([5, 5, 1, 1, 6, 6], [9, 8, 7, 6], [0, 1]),
    ):
        games[:] = exam
        assert model._elect(lives_of(first), None) is not None
        assert model._elected.tolist() == elected


def test_members_repeat_others_if_returns_and_lengths_on_common_seeds_are_the_same():
    lives = replace(lives_of([1, 2, 3, 4, 5, 5, 5, 5]), members=np.tile(np.arange(4), 2))
    everyone = np.array([2, 0, 1, 3])
    assert repeated(lives, everyone, 1).tolist() == [False, True, True, True]
    assert repeated(lives, everyone, 0).tolist() == [False] * 4
    assert repeated(lives, everyone, 2).tolist() == [False] * 4  # there are no such episodes
    lives.lengths[4] = 9  # member 0's second
    assert repeated(lives, everyone, 1).tolist() == [False, False, True, True]


def test_a_family_goes_on_bit_for_bit_from_a_file(tmp_path):
    whole = ES("LinearPolicy", Ring(), seed=5, **FAMILY)
    whole.learn(2000, log_interval=None)
    begun = ES("LinearPolicy", Ring(), seed=5, **FAMILY)
    begun.learn(2000, lambda local, _: local["self"].generation < 2, log_interval=None)
    begun.save(tmp_path / "m")
    loaded = ES.load(tmp_path / "m", env=Ring())
    assert (loaded.breeders == begun.breeders).all()
    assert not (loaded.breeders == loaded.centre).all()
    loaded.learn(2000, log_interval=None, resume=True)
    assert loaded.generation == whole.generation > 2
    assert (loaded.breeders == whole.breeders).all()
    assert ES.load(tmp_path / "m", env=Ring(), parents=1).breeders.tolist() == [begun.centre.tolist()]
    alone = ES.load(tmp_path / "m", env=Ring(), parents=3)
    assert (alone.breeders == begun.breeders[[0, 1, 0]]).all()


def test_an_exam_is_cut_off_as_the_episodes_before_it():
    model = ES("LinearPolicy", "CartPole-v1", seed=0, episode_cutoff=7, **ELITIST).learn(1, log_interval=None)
    assert model._steps_lived == 7 * (8 * 2 + 4 * 2 + 2 * 4)


def test_a_centre_that_nobody_beats_stays_and_its_exam_counts_as_steps():
    class Same(Ring):
        def step(self, action):
            seen, _, terminated, truncated, info = super().step(action)
            return seen, 0.0, terminated, truncated, info

    model = ES("LinearPolicy", Same(), seed=1, **ELITIST)
    before = model.centre.copy()
    model.learn(200, log_interval=None)
    assert (model.centre == before).all()
    assert model.evaluation_timesteps == 0
    assert model.num_timesteps == model._steps_lived >= 200


def test_a_callback_may_stop_an_exam_and_the_generation_is_played_again():
    seen = []

    def stop(local, _):
        seen.append(1)
        return len(seen) < 100

    settings = {"seed": 2, "normalize_observations": True, **ELITIST}
    whole = ES("LinearPolicy", Ring(), **settings).learn(400, log_interval=None)
    for until in (3, 60, 100):
        seen[:] = [1] * (100 - until)
        stopped = ES("LinearPolicy", Ring(), **settings).learn(400, stop, log_interval=None)
        assert (stopped._stack.vector(3) == stopped.centre).all()
        stopped.learn(400, log_interval=None, resume=True)
        assert (stopped.centre == whole.centre).all()
        assert stopped.num_timesteps == whole.num_timesteps


@pytest.mark.bits
@pytest.mark.parametrize("slots", [1, 5])
def test_elitist_runs_give_the_same_bits_at_any_number_of_slots(slots):
    def run(n):
        env = SyncVectorEnv([lambda: gym.make("CartPole-v1")] * n, autoreset_mode=AutoresetMode.SAME_STEP)
        return ES("MlpPolicy", env, seed=3, normalize_observations=True, **ELITIST).learn(1500, log_interval=None)

    assert (run(slots).centre == run(8).centre).all()


def test_the_elitist_optimizer_keeps_the_scales_that_it_finds():
    model = ES("LinearPolicy", "CartPole-v1", seed=0, normalize_observations=True, **ELITIST)
    model.learn(1, log_interval=None)
    first = model.policy.features_extractor.deviation.clone()
    assert not torch.equal(first, torch.ones(4))
    model.learn(1, log_interval=None)
    assert torch.equal(model.policy.features_extractor.deviation, first)
    model.optimizer = "sgd"
    model.learn(1, log_interval=None)
    assert not torch.equal(model.policy.features_extractor.deviation, first)


def test_the_elitist_optimizers_scales_are_those_of_random_play_before_anybody_is_judged(monkeypatch):
    played = []
    whole = ES.episodes_of

    def episodes_of(self, population, *rest, **options):
        played.append((population, self._scaler.mean.tolist()))
        return whole(self, population, *rest, **options)

    monkeypatch.setattr(ES, "episodes_of", episodes_of)
    model = ES("LinearPolicy", "CartPole-v1", seed=0, normalize_observations=True, **ELITIST)
    model.learn(1, log_interval=None)
    (randomly, before), (members, judged) = played
    assert isinstance(randomly, RandomPlayers)
    assert before == [0] * 4
    assert members is model.population
    assert judged == model.policy.features_extractor.mean.tolist() != before
    random_steps = int(model._seen.counts.sum())
    assert 8 * 2 * 15 < random_steps < 8 * 2 * 35  # 22 a game on average
    assert model.num_timesteps == random_steps + model._steps_lived


def test_lives_are_joined_with_what_was_told_of_either():
    one, other = lives_of([1.0, 2.0]), lives_of([3.0])
    one.told, other.told = {"a": np.array([1.0, 2.0])}, {"a": np.array([5.0]), "b": np.array([7.0])}
    both = one.joined(other)
    assert both.fitness(3).tolist()[:2] == [2.0, 2.0]  # member 0 lived twice
    assert both.lengths.tolist() == [1, 1, 1]
    assert both.told["a"].tolist() == [1, 2, 5]
    assert np.isnan(both.told["b"][:2]).all()
    assert both.told["b"][2] == 7


def test_the_elitist_optimizer_solves_cartpole():
    settings = {"population_size": 16, "sigma": 0.3, "initial_std": 0.0}
    for seed in (0, 2):
        model = ES("LinearPolicy", "CartPole-v1", optimizer="elitist", seed=seed, **settings)
        assert model.learn(50_000, log_interval=None).fitness.max() == 500


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"population_size": 7}, "population_size is 7; .* mirrored sampling needs an even number, for example 8"),
        ({"population_size": 1, "mirrored": False}, "population_size is 1; it must be 2 or more"),
        ({"sigma": 0}, "sigma is 0; it must be above 0"),
        ({"sigma": -1.0}, "sigma is -1.0"),
        ({"final_sigma": 0.0}, "final_sigma is 0.0"),
        ({"learning_rate": 0}, "learning_rate is 0"),
        ({"fitness_shaping": "rank"}, "fitness_shaping is 'rank'; choose one of ranks, zscore; did you mean 'ranks'"),
        ({"density": 0}, "density is 0; it must be above 0"),
        ({"density": 1.5}, "density is 1.5"),
        ({"noise": "sparse"}, "noise is 'sparse' and optimizer 'adam'; .* give optimizer='elitist'"),
        ({"optimizer": "rmsprop"}, "optimizer is 'rmsprop'; choose one of adam, sgd, elitist"),
        ({"parents": 0}, "parents is 0"),
        ({"parents": 3, "population_size": 4, "optimizer": "elitist"}, "parents is 3 and population_size 4; .* give 6"),
        ({"parents": 2}, "parents is 2, optimizer 'adam' and noise 'gaussian'; several parents need"),
        ({"parents": 2, "noise": "low_rank", "optimizer": "elitist"}, "noise 'low_rank'; several parents need"),
        ({"reduction_factor": 1}, "reduction_factor is 1; it must be a whole number of 2 or more"),
        ({"reduction_factor": 2.5}, "reduction_factor is 2.5"),
        ({"weight_decay": -0.1}, "weight_decay is -0.1; it must be at least 0"),
        ({"initial_std": -0.1}, "initial_std is -0.1; it must be at least 0"),
        ({"episodes_per_member": 0}, "episodes_per_member is 0"),
        ({"steps_per_generation": 0}, "steps_per_generation is 0"),
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


@pytest.mark.parametrize("arguments", [(200,), (None, 20)])
def test_a_goal_without_a_window_and_a_window_without_a_goal_are_refused(arguments):
    with pytest.raises(ValueError, match="a goal needs both"):
        StopOnGoal(*arguments)


def test_other_goals_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="reward_goal is nan"):
        StopOnGoal(float("nan"), 3)
    with pytest.raises(ValueError, match="consecutive_goal_stopping is 0"):
        StopOnGoal(3.0, 0)
    with pytest.raises(ValueError, match="no second environment to test in; give it one"):
        ES("LinearPolicy", Ring(), population_size=2).learn(10, callback=StopOnGoal(3.0, 1))
