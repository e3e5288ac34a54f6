"""Episodes are jobs: their results depend on the job alone, wherever and beside whatever they are played."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

from popagents.common.randomness import Purpose, keys
from popagents.population.actions import Actions
from popagents.population.random_players import RandomActors
from popagents.rollout.jobs import Jobs
from popagents.rollout.make_slots import slots_of
from popagents.rollout.observers import Probe
from popagents.rollout.play import play
from popagents.rollout.step import Stopped
from popagents.rollout.vec_env import GymVecEnv
from tests.learners.games import Ring
from tests.rollout.rings import JOBS, played, population_of, ring_slots

DISABLED = {"autoreset_mode": AutoresetMode.DISABLED}


@pytest.fixture(scope="module")
def alone():
    """Each job played by itself in one slot."""
    return played(ring_slots("DummyVecEnv", 1), record=True)


def test_an_episode_is_what_a_plain_gymnasium_loop_plays(alone):
    population = population_of(Ring())
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
    episodes = played(ring_slots(kind, n), record=True)
    assert np.allclose(episodes.returns, alone.returns, atol=1e-6)
    assert (episodes.lengths == alone.lengths).all()
    for job in range(JOBS):
        ours, theirs = episodes.record.pairs(np.array([job])), alone.record.pairs(np.array([job]))
        assert (ours[0] == theirs[0]).all()
        assert (ours[1] == theirs[1]).all()


@pytest.mark.parametrize("kind", ["AsyncVectorEnv", "SubprocVecEnv"])
def test_slots_in_processes_never_change_a_result(alone, kind):
    slots = ring_slots(kind, 2)
    episodes = played(slots)
    slots.env.close()
    assert np.allclose(episodes.returns, alone.returns, atol=1e-6)


def test_slots_can_play_again_and_again(alone):
    slots = ring_slots("SyncVectorEnv, disabled", 5)
    assert all((played(slots).lengths == alone.lengths).all() for _ in range(3))


@pytest.mark.parametrize(
    "space",
    [spaces.Discrete(3), spaces.MultiDiscrete([2, 3], dtype=np.int32), spaces.MultiBinary(2), spaces.Box(-1, 1, (2,))],
    ids=str,
)
def test_the_record_keeps_actions_of_every_dtype_while_slots_fall_idle(space):
    one, three = (
        played(slots_of(DummyVecEnv([lambda: Ring(space)] * n)), record=True, env=Ring(space)).record for n in (1, 3)
    )
    for job in range(JOBS):
        ours, theirs = (record.pairs(np.array([job]))[1] for record in (one, three))
        assert ours.dtype == theirs.dtype == space.dtype
        assert (ours == theirs).all()


def test_the_record_keeps_what_was_seen_and_done_in_order(alone):
    observations, actions = alone.record.pairs(np.array([2, 0]))
    first = alone.lengths[2]
    assert len(observations) == len(actions) == alone.lengths[2] + alone.lengths[0]
    assert (observations[:first] == alone.record.pairs(np.array([2]))[0]).all()
    cells = observations[:first].argmax(axis=1)
    moves = np.where(actions[: first - 1] > 0, 1, -1)
    assert (cells[1:] == (cells[:-1] + moves) % 8).all()


def test_observers_count_every_step_once_and_can_stop_at_once(alone):
    counted, seen = [], []

    def watch(step):
        counted.append(len(step.live))
        seen.extend(info["episode"]["l"] for info in step.infos if "episode" in info)

    episodes = played(ring_slots("SyncVectorEnv, disabled", 4), [watch])
    assert sum(counted) == episodes.lengths.sum() == alone.lengths.sum()
    assert sorted(seen) == sorted(alone.lengths)
    calls = []
    with pytest.raises(Stopped):
        played(ring_slots("DummyVecEnv", 2), [lambda step: calls.append(1) or len(calls) < 3])
    assert len(calls) == 3


@pytest.mark.parametrize("n", [1, 4])
def test_the_probe_is_what_was_seen_before_the_last_actions(alone, n):
    played(ring_slots("DummyVecEnv", n), [probe := Probe()])
    lasts = [alone.record.pairs(np.array([job]))[0][-1] for job in range(JOBS)]
    assert (probe.situations() == lasts).all()


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
        RuntimeError,
        match=r"wheel came off' at step \d+ while member \d played, seeded 10\d; .*resume=True",
    ):
        played(slots)


class Fragile(Ring):
    """Breaks in the episodes of one seed, at their first step or at their reset."""

    where = "step"

    def reset(self, *, seed=None, options=None):
        self.breaks = seed == 106
        if self.breaks and self.where == "reset":
            raise OSError("no such disk")
        return super().reset(seed=seed)

    def step(self, action):
        if self.breaks:
            raise OSError("no such disk")
        return super().step(action)


@pytest.mark.parametrize("where", ["step", "reset"])
def test_where_environments_are_stepped_one_by_one_the_error_names_the_one_that_failed(where, monkeypatch):
    monkeypatch.setattr(Fragile, "where", where)
    with pytest.raises(RuntimeError, match="no such disk at .*while member 2 played, seeded 106"):
        played(slots_of(DummyVecEnv([Fragile] * 9)))


class StretchedOnce(Ring):
    """Shows its first step in another shape."""

    whole = False

    def step(self, action):
        observation, *rest = super().step(action)
        was_whole, self.whole = self.whole, True
        return observation if was_whole else observation[None], *rest


def test_a_refused_observation_leaves_no_answer_of_another_process_behind(alone):
    env = SubprocVecEnv([Ring, StretchedOnce, Ring], start_method="fork")
    slots = slots_of(env)
    with pytest.raises(RuntimeError, match=r"member 1 got an observation of shape \(1, 8\)"):
        played(slots)
    assert (played(slots).returns == alone.returns).all()
    env.close()


def test_an_error_lists_three_members_and_counts_the_others():
    slots = slots_of(GymVecEnv(RecordEpisodeStatistics(SyncVectorEnv([Fragile] * 9, **DISABLED))))
    with pytest.raises(RuntimeError, match="while members 0, 1, 2 and 6 more played, seeded 100, 101, 102 and 6 more"):
        played(slots)


def test_an_environment_of_a_sync_vector_env_is_stepped_only_while_an_episode_lasts():
    steps = []

    class Counted(Ring):
        def step(self, action):
            steps.append(action)
            return *super().step(action)[:4], {"cell": self.cell}

    cells = []
    episodes = played(
        slots_of(GymVecEnv(SyncVectorEnv([Counted] * 16, autoreset_mode=AutoresetMode.DISABLED))),
        [lambda step: cells.append(sum("cell" in info for info in step.infos))],
    )
    assert len(steps) == sum(cells) == episodes.lengths.sum()


def test_an_episode_without_end_is_refused_and_a_limit_asked_for():
    slots = ring_slots("SyncVectorEnv, disabled", 2)
    slots.longest = int(np.max(played(slots).lengths))  # an episode may be as long as that
    played(slots)
    slots.longest -= 1
    message = rf"member \d's episode seeded 1\d\d has not ended after {slots.longest} steps; .*max_episode_steps"
    with pytest.raises(RuntimeError, match=message):
        played(slots)


class Talker(gym.Env):
    """Its seed says how many steps an episode lasts; infos of last steps are its `LAST` words, of others its pace."""

    LAST = (
        {},
        {"cooperation": 0.25, "TimeLimit.truncated": True, "problem": np.arange(2), "lives": 3},
        {"speed": 2.0},
    )
    observation_space = spaces.Box(0, 1, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        self.seed, self.left = seed, seed
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.left -= 1
        info = {"pace": 1.0} if self.left else self.LAST[self.seed - 1]
        return np.zeros(1, np.float32), 0.0, self.left == 0, False, info


def test_floats_in_the_infos_of_a_last_step_are_kept_and_nothing_else():
    jobs = Jobs(np.arange(3), np.arange(3), np.array([[3], [2], [1]]), None, np.ones(3, bool))
    infos = play(population_of(Talker()), slots_of(DummyVecEnv([Talker] * 2)), jobs).infos
    assert infos.keys() == {"cooperation", "speed"}
    np.testing.assert_array_equal(infos["cooperation"], [np.nan, 0.25, np.nan])
    np.testing.assert_array_equal(infos["speed"], [2.0, np.nan, np.nan])


def test_random_players_take_discrete_actions_equally_often_and_those_of_a_box_from_a_clipped_normal():
    key, steps = np.arange(30_000, dtype=np.uint64) * np.uint64(7919), np.zeros(30_000, np.int64)
    members, seen = np.zeros(30_000, np.int64), np.zeros((30_000, 1))

    def acts(space):
        players = RandomActors(Actions.of(space))
        return players.act(members, seen, players.actions.noise(key, steps))

    assert np.bincount(acts(spaces.Discrete(3))) / 30_000 == pytest.approx(np.full(3, 1 / 3), abs=0.015)
    box = acts(spaces.Box(-1, 1, (2,)))
    assert np.mean(abs(box) < 1) == pytest.approx(0.6827, abs=0.015)
    assert abs(box.mean()) < 0.02
