"""Learners whose members play with each other: nobody meets itself, and whoever fills an empty seat is not judged."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from popagents.learners.genetic.genetic import Genetic
from popenvs.social_dilemma_v0 import vector_env
from tests.learners.by_hand import generation_of, in_env
from tests.learners.cases import assert_same, every_learner, new


def dilemma(lanes, game="stag_hunt", players=2):
    return vector_env(num_envs=players * lanes, game=game, max_steps=10, autoreset_mode=AutoresetMode.DISABLED)


def groups_of(jobs):
    return jobs.member.reshape(-1, jobs.seats)


def assert_nobody_meets_itself(jobs, seats):
    assert jobs.seats == seats
    assert all(len(set(group)) == seats for group in groups_of(jobs).tolist())


def assert_a_group_shares_its_seeds(jobs):
    grouped = jobs.seeds.reshape(-1, jobs.seats, jobs.episodes)
    assert (grouped == grouped[:, :1]).all()


@every_learner
@pytest.mark.parametrize(("game", "players", "size"), [("stag_hunt", 2, 8), ("public_goods", 3, 12)])
def test_members_of_every_learner_meet_others_at_any_number_of_lanes(name, game, players, size):
    settings = {"tournament_size": 4, "n_offspring": 5} if name == "genetic" else {}
    runs = [new(name, dilemma(lanes, game, players), population_size=size, **settings) for lanes in (1, 4)]
    for model in runs:
        model.learn(10 * size * 20)
    assert runs[0].generation > 2
    assert_same(*runs)
    _, (request, *_) = generation_of(runs[0], in_env(runs[0]), number=runs[0].generation)
    assert_nobody_meets_itself(request.jobs, players)
    assert_a_group_shares_its_seeds(request.jobs)


LIVES = {"inheritance": "baldwin", "n_tasks": 2, "n_updates": 3}


def genetic(policy="LinearPolicy", lanes=2, **settings):
    settings = {"population_size": 8, "tournament_size": 4, "champion_episodes": 2, "seed": 5} | settings
    return Genetic(policy, dilemma(lanes), **settings)


@pytest.mark.parametrize("n_offspring", [2, 3, 5, 7])
@pytest.mark.parametrize("inheritance", ["darwin", "baldwin", "lamarck"])
def test_members_who_live_several_lifetimes_never_play_against_themselves(inheritance, n_offspring):
    settings = LIVES | {"inheritance": inheritance, "n_offspring": n_offspring}
    model = genetic("RecurrentPolicy", **settings)
    for generation in range(3):
        assert model.generation == generation
        after, (request,) = generation_of(model, in_env(model), number=generation)
        assert_nobody_meets_itself(request.jobs, 2)
        assert_a_group_shares_its_seeds(request.jobs)
        lived = len(set(request.jobs.member[request.jobs.judged].tolist()))
        assert lived == (8 if generation == 0 else n_offspring)
        assert np.count_nonzero(request.jobs.judged) == 2 * lived
        assert np.isfinite(after.fitness).all()
        model.learn(1, reset_num_timesteps=False)


def test_lives_of_groups_are_the_same_at_any_number_of_lanes():
    runs = [genetic("RecurrentPolicy", lanes, **LIVES).learn(3000) for lanes in (1, 3)]
    assert runs[0].generation > 2
    assert_same(*runs)


@pytest.mark.parametrize("policy", ["LinearPolicy", "RecurrentPolicy"])
def test_an_odd_number_of_children_is_filled_up_by_opponents_who_are_not_judged(policy):
    model = genetic(policy, **(LIVES if policy == "RecurrentPolicy" else {}))
    assert model.n_offspring == 5  # the default
    model.learn(1)
    state = model.loop.run.state
    after, (request,) = generation_of(model, in_env(model), number=1)
    jobs, children = request.jobs, state.births.places
    assert len(children) == 5
    assert set(jobs.member[jobs.judged].tolist()) == set(children.tolist())
    (opponent,) = set(jobs.member[~jobs.judged].tolist())
    assert opponent not in children
    others = np.setdiff1d(np.arange(8), children)
    assert (after.fitness[others] == state.fitness[others]).all()
    assert (after.state.judged[others] == state.judged[others]).all()
    assert (after.state.judged[children] == 1).all()


def test_a_genetic_algorithm_with_its_own_settings_evolves_where_two_play():
    model = Genetic("LinearPolicy", dilemma(5), seed=0)
    assert (model.population_size, model.n_offspring) == (50, 5)
    model.learn(500 + 3 * 60)  # fifty live, then three times five children and an opponent
    assert model.generation == 4
    assert np.isfinite(model.fitness).all()
