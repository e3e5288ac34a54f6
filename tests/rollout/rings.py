"""Eleven jobs on the ring, for four members: what the tests of play and of slots have played."""

import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecMonitor

from popagents.common.randomness import Purpose, keys
from popagents.population.design import Design
from popagents.population.members import Members
from popagents.population.policies import LinearPolicy
from popagents.population.population import Population
from popagents.population.workspace import Workspace
from popagents.rollout.jobs import Jobs, Request
from popagents.rollout.make_slots import slots_of
from popagents.rollout.vec_env import GymVecEnv
from popagents.rollout.worker import Worker
from tests.learners.games import Ring

JOBS = 11


def population_of(env, size=4):
    design = Design(LinearPolicy(env.observation_space, env.action_space))
    return Population([design], [design.normal(np.random.default_rng(0), size, 1.0)])


def ring_jobs(sample=True):
    members = np.arange(JOBS) % 4
    action_keys = keys(0, Purpose.ACTION, 0, members, np.arange(JOBS) // 4)[:, None] if sample else None
    return Jobs(members, members, np.arange(100, 100 + JOBS)[:, None], action_keys, np.ones(JOBS, bool))


def ring_slots(kind, n):
    makers = [Ring] * n
    return slots_of(
        {
            "SyncVectorEnv, disabled": lambda: GymVecEnv(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)),
            "SyncVectorEnv, same step": lambda: GymVecEnv(
                SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)
            ),
            "SyncVectorEnv, wrapped": lambda: GymVecEnv(
                RecordEpisodeStatistics(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED))
            ),
            "AsyncVectorEnv": lambda: GymVecEnv(AsyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)),
            "monitored": lambda: VecMonitor(GymVecEnv(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED))),
            "DummyVecEnv": lambda: DummyVecEnv(makers),
            "SubprocVecEnv": lambda: SubprocVecEnv(makers),
        }[kind]()
    )


def played(slots, observers=(), record=False, env=None):
    population = population_of(env or Ring())
    request = Request(Members(population.parameters), ring_jobs(), record=record)
    return Worker(Workspace(population.designs)).play(request, slots, observers)
