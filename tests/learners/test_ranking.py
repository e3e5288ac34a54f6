"""Ranks by fitness: worked out by hand, and in runs whose members are all equal."""

import gymnasium as gym
import numpy as np
import pytest

from popagents.common.randomness import Purpose, keys
from popagents.common.ranking import ranked
from popagents.learners.conversation import converse
from popagents.learners.es.sequential_halving import Judged, sequential_halving
from popagents.rollout.jobs import Episodes, Jobs
from registration.learners import load_learner

FITNESS = np.array([3.0, 9.0, 1.0, 9.0, 5.0])


def test_members_stand_from_best_to_worst_and_equals_in_the_order_of_their_keys():
    assert ranked(FITNESS, np.array([1, 2, 3, 4, 5])).tolist() == [1, 3, 4, 0, 2]
    assert ranked(FITNESS, np.array([5, 4, 3, 2, 1])).tolist() == [3, 1, 4, 0, 2]
    assert ranked(np.zeros(4), np.array([30, 10, 2**64 - 1, 20], np.uint64)).tolist() == [1, 3, 0, 2]


def test_nan_comes_last_behind_minus_infinity():
    fitness = np.array([np.nan, -np.inf, 2.0, np.nan, np.inf])
    assert ranked(fitness, np.array([9, 8, 7, 6, 5])).tolist() == [4, 2, 1, 3, 0]


def test_among_equals_every_order_is_as_likely():
    orders = [tuple(ranked(np.zeros(3), keys(0, Purpose.RANK, g, np.arange(3)))) for g in range(6000)]
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 6
    assert np.abs(counts / 1000 - 1).max() < 0.15  # five standard errors


class Flat(gym.Env):
    """Pays nothing, whatever anybody does, for two steps."""

    observation_space = gym.spaces.Box(0, 1, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.steps += 1
        return np.zeros(2, np.float32), 0.0, self.steps == 2, False, {}


@pytest.mark.parametrize("name", ["culture", "genetic"])
def test_among_equals_the_champion_is_not_always_a_low_number(name):
    settings = {"genetic": {"tournament_size": 3, "n_offspring": 6}}.get(name, {})
    model = load_learner(name)("LinearPolicy", Flat(), population_size=12, champion_episodes=1, seed=0, **settings)
    champions = []
    for _ in range(12):
        model.learn(1, reset_num_timesteps=False, log_interval=None)
        champions.append(model.champion)
    assert (model.lineage["fitness"] == 0).all()
    assert len(set(champions)) > 4
    assert max(champions) > 6


def test_among_equals_the_parents_are_others_in_every_generation():
    settings = {"tournament_size": 3, "n_offspring": 6, "n_parents": 20, "replacement": "worst"}
    model = load_learner("genetic")("LinearPolicy", Flat(), population_size=12, seed=0, **settings)
    model.learn(300, log_interval=None)
    born = model.lineage.reshape(-1, 12)
    pools = [set(rows["parent"][rows["parent"] >= 0]) for rows in born]
    places = [set(np.flatnonzero(rows["parent"] >= 0)) for rows in born]
    assert all(len(pool) <= 3 for pool in pools)
    assert all(pool.isdisjoint(taken) for pool, taken in zip(pools, places, strict=True))
    assert set.union(*pools) == set(range(12)) == set.union(*places)


def test_an_equal_challenger_leaves_the_parent_where_it_is_and_equal_challengers_stand_by_their_keys():
    def table(members, numbers):
        member = np.repeat(members, len(numbers))
        return Jobs(member, member, np.zeros((len(member), 1), np.int64), None, np.ones(len(member), bool))

    def equal(jobs):  # nobody plays as another did
        return Episodes(jobs, np.full(len(jobs), 4.0), 1 + jobs.member)

    def answer(jobs):
        played.append(np.unique(jobs.member).tolist())
        return equal(jobs)

    judged = Judged.of(equal(table(np.arange(5), np.arange(1))))
    past = np.zeros(1, np.int64), np.zeros(1)
    for keys_of, rounds in (
        ([0, 3, 1, 4, 2], [[0, 2, 4], [0, 2]]),
        ([9, 1, 2, 3, 4], [[0, 1, 2], [0, 1]]),
    ):
        played = []
        election = converse(sequential_halving(judged, table, np.array(keys_of), *past, 2), answer)
        assert played == rounds
        assert election.best.tolist() == [0]
