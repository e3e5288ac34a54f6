"""Episodes are jobs: their results depend on the job alone, wherever and beside whatever they are played."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecFrameStack, VecMonitor, VecNormalize

from popagents.common.randomness import Purpose, keys
from popagents.population.actions import Actions
from popagents.population.policies import LinearPolicy
from popagents.population.population import Population
from popagents.rollout.make_env import native_vec_env
from popagents.rollout.play import RandomPlayers, Recorder, play
from popagents.rollout.slots import LONGEST, SharedSlots, SyncSlots, VectorSlots, slots_of
from popagents.rollout.vec_env import GymVecEnv
from tests.learners.games import Ring

JOBS = 11


def ring_population():
    env = Ring()
    population = Population([LinearPolicy(env.observation_space, env.action_space)], 4)
    population.stacks[0].randomize(np.random.default_rng(0), 1.0)
    return population


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


def played(slots, sample=True, **kwargs):
    members = np.arange(JOBS) % 4
    where = (0, members, np.arange(JOBS) // 4)
    action_keys = keys(0, Purpose.ACTION, *where) if sample else None
    return play(ring_population(), slots, members, np.arange(100, 100 + JOBS), action_keys, **kwargs)


@pytest.fixture(scope="module")
def alone():
    """Each job played by itself in one slot."""
    return played(ring_slots("DummyVecEnv", 1), recorder=Recorder())


def test_an_episode_is_what_a_plain_gymnasium_loop_plays(alone):
    population = ring_population()
    for job in range(JOBS):
        env, total, steps = Ring(), 0.0, 0
        observation, _ = env.reset(seed=100 + job)
        over = False
        key = keys(0, Purpose.ACTION, 0, [job % 4], [job // 4])
        while not over:
            noise = population.actions.noise(key, np.array([steps]))
            action = population.act(np.array([job % 4]), observation[None], noise)[0]
            observation, reward, terminated, truncated, _ = env.step(action)
            total, steps, over = total + reward, steps + 1, terminated or truncated
        assert alone.returns[job] == pytest.approx(total, abs=1e-6)  # SB3 rounds rewards to float32
        assert alone.lengths[job] == steps


@pytest.mark.parametrize("n", [1, 3, 4, 16])
@pytest.mark.parametrize(
    "kind",
    ["SyncVectorEnv, disabled", "SyncVectorEnv, same step", "SyncVectorEnv, wrapped", "monitored", "DummyVecEnv"],
)
@pytest.mark.bits
def test_slots_never_change_a_result(alone, kind, n):
    lives = played(ring_slots(kind, n), recorder=Recorder())
    assert np.allclose(lives.returns, alone.returns, atol=1e-6)
    assert (lives.lengths == alone.lengths).all()
    for job in range(JOBS):
        ours, theirs = lives.record.pairs(np.array([job])), alone.record.pairs(np.array([job]))
        assert (ours[0] == theirs[0]).all()
        assert (ours[1] == theirs[1]).all()


@pytest.mark.parametrize("kind", ["AsyncVectorEnv", "SubprocVecEnv"])
def test_slots_in_processes_never_change_a_result(alone, kind):
    slots = ring_slots(kind, 2)
    lives = played(slots)
    slots.env.close()
    assert np.allclose(lives.returns, alone.returns, atol=1e-6)


def test_slots_can_play_again_and_again(alone):
    slots = ring_slots("SyncVectorEnv, disabled", 5)
    assert all((played(slots).lengths == alone.lengths).all() for _ in range(3))


def test_the_record_keeps_what_was_seen_and_done_in_order(alone):
    observations, actions = alone.record.pairs(np.array([2, 0]))
    first = alone.lengths[2]
    assert len(observations) == len(actions) == alone.lengths[2] + alone.lengths[0]
    assert (observations[:first] == alone.record.pairs(np.array([2]))[0]).all()
    cells = observations[:first].argmax(axis=1)
    moves = np.where(actions[: first - 1] > 0, 1, -1)
    assert (cells[1:] == (cells[:-1] + moves) % 8).all()


def test_on_step_counts_every_step_once_and_can_stop_at_once(alone):
    counted, seen = [], []

    def watch(step):
        counted.append(len(step.live))
        seen.extend(info["episode"]["l"] for info in step.infos if "episode" in info)
        return True

    lives = played(ring_slots("SyncVectorEnv, disabled", 4), on_step=watch)
    assert sum(counted) == lives.lengths.sum() == alone.lengths.sum()
    assert sorted(seen) == sorted(alone.lengths)
    calls = []
    stopped = played(ring_slots("DummyVecEnv", 2), on_step=lambda step: calls.append(1) or len(calls) < 3)
    assert stopped is None
    assert len(calls) == 3


def test_the_probe_is_what_was_seen_before_the_last_actions(alone):
    lasts = [alone.record.pairs(np.array([job]))[0][-1] for job in range(JOBS)]
    assert (alone.probe == lasts).all()


def test_fitness_is_the_mean_return_of_each_member(alone):
    fitness = alone.fitness(5)
    assert fitness[1] == pytest.approx(alone.returns[[1, 5, 9]].mean())
    assert np.isnan(fitness[4])


def test_a_nan_reward_names_the_member_and_the_seed():
    slots = slots_of(DummyVecEnv([lambda: Ring(flaw="nan")]))
    with pytest.raises(RuntimeError, match=r"member 0 got a return of nan in the episode seeded 100.*NaN or infinity"):
        played(slots)


def test_an_environment_that_raises_is_named_with_step_members_and_seeds():
    slots = slots_of(DummyVecEnv([lambda: Ring(flaw="raises")] * 2))
    with pytest.raises(
        RuntimeError, match=r"raised KeyError: 'a wheel came off' at step \d+ while members .*resume=True"
    ):
        played(slots)


def test_an_environment_of_a_sync_vector_env_is_stepped_only_while_an_episode_lasts():
    steps = []

    class Counted(Ring):
        def step(self, action):
            steps.append(action)
            return *super().step(action)[:4], {"cell": self.cell}

    cells = []
    lives = played(
        slots_of(GymVecEnv(SyncVectorEnv([Counted] * 16, autoreset_mode=AutoresetMode.DISABLED))),
        on_step=lambda step: cells.append(sum("cell" in info for info in step.infos)) or True,
    )
    assert len(steps) == sum(cells) == lives.lengths.sum()


def test_an_episode_without_end_is_refused_and_a_limit_asked_for():
    slots = ring_slots("SyncVectorEnv, disabled", 2)
    slots.longest = int(np.max(played(slots).lengths))  # an episode may be as long as that
    played(slots)
    slots.longest -= 1
    message = rf"member \d's episode seeded 1\d\d has not ended after {slots.longest} steps; .*max_episode_steps"
    with pytest.raises(RuntimeError, match=message):
        played(slots)


def test_a_limit_that_an_environment_names_may_be_higher_than_ours():
    makers = [lambda: gym.make("CartPole-v1", max_episode_steps=2 * LONGEST)]
    assert slots_of(GymVecEnv(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED))).longest == 2 * LONGEST
    assert slots_of(DummyVecEnv(makers)).longest == 2 * LONGEST
    assert slots_of(native_vec_env("popenvs:PopPacman-v0", 2)).longest == LONGEST


def test_each_environment_gets_its_slots_and_shared_ones_say_that_they_are():
    assert isinstance(slots_of(native_vec_env("popenvs:PopPacman-v0", 2)), VectorSlots)
    assert isinstance(ring_slots("monitored", 2), SyncSlots)
    assert isinstance(ring_slots("SyncVectorEnv, wrapped", 2), VectorSlots)
    assert isinstance(slots_of(make_vec_env("CartPole-v1", 2)), SyncSlots)
    for wrap in (VecNormalize, lambda env: VecFrameStack(env, 2)):
        with pytest.warns(UserWarning, match="can be repeated only with 2 slots"):
            assert isinstance(slots_of(wrap(make_vec_env("CartPole-v1", 2))), SharedSlots)


@pytest.mark.filterwarnings("ignore:episodes in a VecNormalize")
def test_behind_vecnormalize_returns_are_the_environments_own_and_repeat():
    def run():
        slots = slots_of(VecNormalize(make_vec_env("CartPole-v1", 3)))
        space = gym.make("CartPole-v1")
        population = Population([LinearPolicy(space.observation_space, space.action_space)], 4)
        population.stacks[0].randomize(np.random.default_rng(0), 1.0)
        return play(population, slots, np.arange(4), np.arange(4), keys(0, Purpose.ACTION, 0, np.arange(4)))

    first, second = run(), run()
    assert (first.returns == first.lengths).all()  # CartPole pays 1 a step
    assert (first.returns == second.returns).all()


def test_random_players_take_discrete_actions_equally_often_and_those_of_a_box_from_a_clipped_normal():
    key, steps = np.arange(30_000, dtype=np.uint64) * np.uint64(7919), np.zeros(30_000, np.int64)
    members, seen = np.zeros(30_000, np.int64), np.zeros((30_000, 1))

    def acts(space):
        players = RandomPlayers(Actions.of(space))
        return players.act(members, seen, players.actions.noise(key, steps))

    assert np.bincount(acts(spaces.Discrete(3))) / 30_000 == pytest.approx(np.full(3, 1 / 3), abs=0.015)
    box = acts(spaces.Box(-1, 1, (2,)))
    assert np.mean(abs(box) < 1) == pytest.approx(0.6827, abs=0.015)
    assert abs(box.mean()) < 0.02
