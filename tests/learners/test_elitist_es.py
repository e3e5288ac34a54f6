"""The elitist evolution strategy, generation by generation."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from popagents.common.randomness import Purpose, episode_seeds, keys
from popagents.learners.es.elitist_es import ElitistES
from popagents.population.noise import Perturbed
from popagents.population.random_players import RandomPlayers
from popagents.rollout.make_slots import slots_of
from tests.learners.games import Ring
from tests.learners.strategies import lived, noise_of, seated, succession

ELITIST = {"population_size": 8, "sigma": 0.5, "episodes": 2}
FAMILY = {"population_size": 24, "sigma": 0.5, "n_parents": 2, "reduction_factor": 4}


def seeds_of(seed, generation, numbers):
    """Return the environment's seeds in evaluation jobs of these numbers."""
    return episode_seeds(keys(seed, Purpose.EVALUATION, generation, 0, np.array(numbers))).tolist()


def test_the_better_half_plays_as_many_episodes_again_until_one_challenges_the_centre():
    winners = set()
    for seed in range(8):
        model = ElitistES("LinearPolicy", Ring(), seed=seed, **ELITIST)
        before = model.centre.copy()
        ((request, episodes), *rounds), following = lived(model, slots_of(model.env))
        stood = seated(model, request.players)
        assert (stood[0] == before).all()
        assert np.allclose(stood[4] - before, np.float32(0.5) * noise_of(model, 0, 4), atol=1e-6)
        members, returns, left = episodes.jobs.member, episodes.returns, list(range(1, 8))
        rank_keys = keys(seed, Purpose.RANK, 0, np.arange(8))

        def fitness():
            return np.bincount(members, returns, 8) / np.bincount(members)  # noqa: B023

        for (exam, played), size, number in zip(rounds, (3, 1), (2, 4), strict=True):
            left = sorted(left, key=lambda m: (-fitness()[m], rank_keys[m]))[:size]
            assert exam.jobs.member.tolist() == np.repeat([0, *sorted(left)], number).tolist()
            assert exam.jobs.seeds[:, 0].tolist() == (size + 1) * seeds_of(seed, 0, range(number, 2 * number))
            members, returns = np.append(members, exam.jobs.member), np.append(returns, played.returns)
        assert np.bincount(members).max() == 8
        winner = left[0] if fitness()[left[0]] > fitness()[0] else 0
        winners.add(winner > 0)
        model.learn(1, log_interval=None)
        assert (model.centre == stood[winner]).all()
        assert (model.centre == following.state.strategy.parents[0]).all()
        assert np.array_equal(model.fitness, fitness())
    assert winners == {False, True}


def test_of_two_members_the_winner_is_the_next_centre():
    model = ElitistES("LinearPolicy", Ring(), population_size=2, seed=0)
    players = next(model.next_generation(model.loop.run.state, model.now)).players
    members = seated(model, players)
    for returns, winner in (([3, 5], 1), ([5, 3], 0), ([4, 4], 0)):
        assert (succession(model, returns).state.strategy.parents == members[winner]).all()


def test_several_parents_have_children_in_turn_and_a_quarter_of_those_play_again():
    model = ElitistES("LinearPolicy", Ring(), seed=6, **FAMILY)
    slots = slots_of(model.env)
    assert (model.loop.run.state.strategy.parents == model.centre).all()
    (_, *rounds), first = lived(model, slots)
    assert [len(exam.jobs) for exam, _ in rounds] == [2 + 5, 2 * (2 + 2)]
    assert [exam.jobs.seeds[:n, 0].tolist() for (exam, _), n in zip(rounds, (1, 2), strict=True)] == [
        seeds_of(6, 0, [1]),
        seeds_of(6, 0, [2, 3]),
    ]
    assert all(np.unique(exam.jobs.member)[:2].tolist() == [0, 1] for exam, _ in rounds)

    before = first.state.strategy
    assert (before.episodes == 4).all()
    assert before.parents.shape == (2, len(model.centre))
    assert not (before.parents[0] == before.parents[1]).all()
    model.loop.run = replace(model.loop.run, state=first.state, generation=1)
    assert (before.parents[0] == model.centre).all()
    ((request, _), *rounds), second = lived(model, slots)
    members = seated(model, request.players)
    assert (np.stack(members[:2]) == before.parents).all()
    for member in range(2, 24):
        shift = np.float32(0.5 * (-1) ** member) * noise_of(model, 1, member - member % 2)
        assert np.allclose(members[member] - before.parents[member // 2 % 2], shift, atol=1e-5)
    fitness = second.fitness.copy()
    fitness[:2] = (before.points + 4 * fitness[:2]) / (before.episodes + 4)  # a parent is judged by all that it played
    order = sorted(set(rounds[-1][0].jobs.member.tolist()), key=lambda m: -fitness[m])
    after = second.state.strategy
    assert (after.parents == [members[m] for m in order[:2]]).all()
    assert after.episodes.tolist() == [8 if m < 2 else 4 for m in order[:2]]
    assert np.allclose(after.points / after.episodes, fitness[order[:2]])


def test_a_family_goes_on_bit_for_bit_from_a_file(tmp_path):
    def parents(model):
        return model.loop.run.state.strategy.parents

    whole = ElitistES("LinearPolicy", Ring(), seed=5, **FAMILY)
    whole.learn(2000, log_interval=None)
    begun = ElitistES("LinearPolicy", Ring(), seed=5, **FAMILY)
    begun.learn(2000, lambda local, _: local["self"].generation < 2, log_interval=None)
    begun.save(tmp_path / "m")
    loaded = ElitistES.load(tmp_path / "m", env=Ring())
    assert (parents(loaded) == parents(begun)).all()
    assert not (parents(loaded) == loaded.centre).all()
    loaded.learn(2000, log_interval=None, resume=True)
    assert loaded.generation == whole.generation > 2
    assert (parents(loaded) == parents(whole)).all()
    remedy = "load it with the settings it was saved with, or train anew"
    for n_parents in (1, 3):
        with pytest.raises(ValueError, match=rf"parents' is float32 \(2, 18\); .* \({n_parents}, 18\): {remedy}"):
            ElitistES.load(tmp_path / "m", env=Ring(), n_parents=n_parents)


def test_a_centre_that_nobody_beats_stays_and_its_evaluation_counts_as_steps():
    class Same(Ring):
        def step(self, action):
            seen, _, terminated, truncated, info = super().step(action)
            return seen, 0.0, terminated, truncated, info

    model = ElitistES("LinearPolicy", Same(), seed=1, **ELITIST)
    before = model.centre.copy()
    model.learn(200, log_interval=None)
    assert (model.centre == before).all()
    assert model.evaluation_timesteps == 0
    assert model.num_timesteps == model.loop.run.steps_lived >= 200


def test_a_callback_may_stop_an_evaluation_and_the_generation_is_played_again():
    seen = []

    def stop(local, _):
        seen.append(1)
        return len(seen) < 100

    settings = {"seed": 2, "normalize_observations": True, **ELITIST}
    whole = ElitistES("LinearPolicy", Ring(), **settings).learn(400, log_interval=None)
    first = ElitistES("LinearPolicy", Ring(), **settings).centre
    for until in (3, 60, 100):
        seen[:] = [1] * (100 - until)
        stopped = ElitistES("LinearPolicy", Ring(), **settings).learn(400, stop, log_interval=None)
        assert stopped.generation == 0
        assert (stopped.centre == first).all()
        assert not stopped.loop.run.state.moments.counts.any()
        stopped.learn(400, log_interval=None, resume=True)
        assert (stopped.centre == whole.centre).all()
        assert stopped.num_timesteps == whole.num_timesteps


@pytest.mark.bits
@pytest.mark.parametrize("slots", [1, 5])
def test_elitist_runs_give_the_same_bits_at_any_number_of_slots(slots):
    def run(n):
        env = SyncVectorEnv([lambda: gym.make("CartPole-v1")] * n, autoreset_mode=AutoresetMode.SAME_STEP)
        model = ElitistES("MlpPolicy", env, seed=3, normalize_observations=True, **ELITIST)
        return model.learn(1500, log_interval=None)

    assert (run(slots).centre == run(8).centre).all()


def test_the_scales_that_it_finds_are_kept():
    model = ElitistES("LinearPolicy", "CartPole-v1", seed=0, normalize_observations=True, **ELITIST)
    model.learn(1, log_interval=None)
    first = model.policy.features_extractor.deviation.clone()
    assert not torch.equal(first, torch.ones(4))
    model.learn(1, log_interval=None)
    assert torch.equal(model.policy.features_extractor.deviation, first)


def test_scales_are_those_of_random_play_before_anybody_is_judged():
    model = ElitistES("LinearPolicy", "CartPole-v1", seed=0, normalize_observations=True, **ELITIST)
    assert model.design.scaler.mean.tolist() == [0] * 4
    ((randomly, unscaled), (members, _), *rounds), following = lived(model, slots_of(model.env))
    assert isinstance(randomly.players, RandomPlayers)
    assert isinstance(members.players, Perturbed)
    assert all(exam.players is members.players for exam, _ in rounds)
    judged = model.design.scaler.mean.tolist()
    model.learn(1, log_interval=None)
    assert judged == model.policy.features_extractor.mean.tolist() != [0] * 4
    random_steps = int(model.loop.run.state.moments.counts.sum())
    assert random_steps == unscaled.lengths.sum() == following.state.moments.counts.sum()
    assert 8 * 2 * 15 < random_steps < 8 * 2 * 35  # 22 a game on average
    assert model.num_timesteps == model.loop.run.steps_lived > random_steps


def test_it_solves_cartpole():
    settings = {"population_size": 16, "sigma": 0.3, "initial_std": 0.0}
    for seed in (0, 2):
        model = ElitistES("LinearPolicy", "CartPole-v1", seed=seed, **settings)
        assert model.learn(50_000, log_interval=None).fitness.max() == 500


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"population_size": 7}, "population_size is 7; .* needs an even number, for example 8"),
        ({"sigma": 0}, "sigma is 0; it must be above 0"),
        ({"final_sigma": 0.0}, "final_sigma is 0.0"),
        ({"n_parents": 0}, "n_parents is 0"),
        ({"n_parents": 3, "population_size": 4}, "n_parents is 3 and population_size 4; .* give 6"),
        ({"reduction_factor": 1}, "reduction_factor is 1; it must be a whole number of 2 or more"),
        ({"reduction_factor": 2.5}, "reduction_factor is 2.5"),
        ({"initial_std": -0.1}, "initial_std is -0.1; it must be at least 0"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        ElitistES("LinearPolicy", Ring(), **settings)


def test_several_designs_are_refused():
    with pytest.raises(ValueError, match="policy names 2 designs; ElitistES evolves one: name one"):
        ElitistES(["LinearPolicy", "MlpPolicy"], Ring(), population_size=4)
