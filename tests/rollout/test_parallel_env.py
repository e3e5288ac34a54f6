"""PettingZoo parallel environments as meeting places: seats, seeds, who leaves early, and what is refused."""

import pickle
import re
import threading

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.wrappers.vector import TransformReward
from pettingzoo.utils.conversions import parallel_to_aec
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecMonitor

from popagents.common.actors import Actors
from popagents.learners.culture.culture import Culture
from popagents.population.actions import Actions
from popagents.rollout.jobs import Jobs
from popagents.rollout.make_slots import slots_of
from popagents.rollout.matchmaking import seats_of
from popagents.rollout.parallel_env import ParallelVectorEnv
from popagents.rollout.play import play
from popagents.rollout.vec_env import GymVecEnv
from tests.rollout.parallels import Camp, Failing, Haunted, Unequal, Vanishing


def lanes_of(lanes, make=Camp):
    return ParallelVectorEnv([make] * lanes)


def alone(seed, actions, make=Camp):
    """Play one camp by hand with actions (steps, 3); return what each step gave."""
    env, steps = make(), []
    steps.append(env.reset(seed=seed))
    for joint in actions:
        steps.append(env.step({agent: joint["abc".index(agent)] for agent in env.agents}))
    return steps


def first_death(after):
    """Return the first seed with which `b` dies after so many steps."""
    env = Camp()
    for seed in range(100):
        env.reset(seed=seed)
        if env.death == after:
            return seed
    raise AssertionError


# ---------------------------------------------------------------- the vector environment


def test_a_lane_is_the_environment_and_who_leaves_waits_for_the_others():
    seed = first_death(2)
    env = lanes_of(2)
    actions = np.random.default_rng(0).integers(2, size=(6, 6))
    env.reset(seed=[seed, None, None, seed + 1, None, None])
    steps = alone(seed, actions[:, :3])
    last = steps[2][0]["b"]
    for t, (seen, paid, _, _, infos) in enumerate(steps[1:], 1):
        observations, rewards, terminated, truncated, told = env.step(actions[t - 1])
        for slot, agent in enumerate("abc"):
            here = agent in seen
            assert (observations[slot] == (seen[agent] if here else last)).all()
            assert rewards[slot] == (paid[agent] if here else 0)
            assert told["_steps"][slot] == here
            assert not here or told["steps"][slot] == infos[agent]["steps"]
        assert terminated[:3].tolist() == [False, t == 6, False]  # told with the others'
        assert truncated[:3].tolist() == [t == 6, False, t == 6]
        assert env.playing[:3].tolist() == [t < 6, t < 2, t < 6]


def test_a_lane_that_has_ended_or_has_not_begun_waits():
    env = lanes_of(2)
    which = np.array([True] * 3 + [False] * 3)
    env.reset(seed=1, options={"reset_mask": which})
    for _ in range(9):
        _, rewards, terminated, truncated, infos = env.step(np.ones(6, int))
    assert [camp.asked for camp in env.envs] == [[{"seed": 1}], []]
    assert env.envs[0].steps == 6
    assert not np.any([rewards, terminated, truncated])
    assert not infos


def test_a_seed_gives_each_lane_one_of_its_own_and_options_go_only_where_there_are_some():
    env = lanes_of(3)
    env.reset(seed=5)
    assert [camp.asked for camp in env.envs] == [[{"seed": 5}], [{"seed": 8}], [{"seed": 11}]]
    env.reset(options={"problem": 7})
    assert all(camp.asked[1] == {"seed": None, "options": {"problem": 7}} for camp in env.envs)
    mask = np.repeat([True, False, True], 3)
    _, infos = env.reset(seed=list(range(9)), options={"problem": np.arange(6), "reset_mask": mask})
    assert [camp.asked[2:] for camp in env.envs] == [
        [{"seed": 0, "options": {"problem": 0}}],
        [],
        [{"seed": 6, "options": {"problem": 3}}],
    ]
    assert infos["problem"].tolist() == [0, 0, 0, 0, 0, 0, 3, 3, 3]
    assert infos["_problem"].tolist() == mask.tolist()


def test_a_part_of_a_lane_does_not_begin():
    with pytest.raises(ValueError, match="the 3 agents of a lane begin together: it must hold all of them or none"):
        lanes_of(2).reset(options={"reset_mask": np.arange(6) < 4})


def test_an_agent_that_is_gone_without_a_word_has_ended():
    env, seed = lanes_of(1, Vanishing), first_death(3)
    env.reset(seed=seed)
    for t in range(1, 7):
        _, _, terminated, truncated, _ = env.step(np.zeros(3, int))
        assert env.playing.tolist() == [t < 6, t < 3, t < 6]
    assert (terminated | truncated).tolist() == [True] * 3


def test_what_is_told_of_the_dead_is_not_heard():
    env, seed = lanes_of(1, Haunted), first_death(3)
    env.reset(seed=seed)
    steps = [env.step(np.zeros(3, int)) for _ in range(6)]
    for seen, rewards, _, _, infos in steps[3:]:
        assert (seen[1] == steps[2][0][1]).all()
        assert rewards[1] == 0
        assert infos["_steps"].tolist() == [True, False, True]
    _, _, terminated, truncated, _ = steps[-1]
    assert truncated.all()  # as the dead was told once
    assert not terminated.any()


def test_a_copy_in_mid_episode_goes_on_alike_and_pictures_are_the_lanes():
    env = lanes_of(2)
    env.reset(seed=3)
    env.step(np.ones(6, int))
    other = pickle.loads(pickle.dumps(env))
    for one, two in zip(env.step(np.zeros(6, int))[:4], other.step(np.zeros(6, int))[:4], strict=True):
        assert (one == two).all()
    assert env.render() == ("step 2",) * 6
    env.close()


# ---------------------------------------------------------------- play


class Deciding(Actors):
    """Player p does at each step what its number and what it sees say."""

    actions = Actions.of(spaces.Discrete(2))

    def act(self, who, observations, noise):
        return ((np.round(observations.sum(axis=1) * 100).astype(int) + who) % 2).astype(np.int64)


def table(groups, seats=3, **settings):
    players, seeds = np.arange(groups * seats), np.repeat(100 + np.arange(groups), seats)[:, None]
    return Jobs(players, players, seeds, None, np.ones(len(players), bool), seats, **settings)


def by_hand(group):
    """Return the returns and lengths of three players in a camp of their own."""
    env, act = Camp(), Deciding().act
    seen, _ = env.reset(seed=100 + group)
    returns, lengths = np.zeros(3), np.zeros(3)
    while env.agents:
        here = [("abc".index(agent), agent) for agent in env.agents]
        actions = {agent: act(np.array([3 * group + p]), seen[agent][None], None)[0] for p, agent in here}
        seen, paid, *_ = env.step(actions)
        for p, agent in here:
            returns[p] += paid[agent]
            lengths[p] += 1
    return returns, lengths


@pytest.mark.parametrize("lanes", [1, 2, 5])
def test_each_group_plays_as_in_a_camp_of_its_own_at_any_number_of_lanes(lanes):
    steps = []
    played = play(Deciding(), slots_of(GymVecEnv(lanes_of(lanes))), table(7), [steps.append])
    returns, lengths = (np.concatenate(rows) for rows in zip(*map(by_hand, range(7)), strict=True))
    assert (played.returns == returns).all()
    assert (played.lengths == lengths).all()
    assert len(set(lengths[1::3])) > 1  # they die at different steps
    assert (played.infos["steps"] == lengths).all()
    assert sum(len(step.live) for step in steps) == lengths.sum()  # who waits does not play
    begun = played.spans[:, 1].reshape(7, 3)
    assert (begun == begun[:, :1]).all()  # the next begins when all have ended


def test_lanes_without_jobs_are_left_alone():
    lanes = lanes_of(3)
    play(Deciding(), slots_of(GymVecEnv(lanes)), table(1))
    assert [camp.asked for camp in lanes.envs] == [[{"seed": 100}], [], []]


def test_wrapped_lanes_are_played_alike():
    plain = play(Deciding(), slots_of(GymVecEnv(lanes_of(2))), table(5))
    doubled = TransformReward(lanes_of(2), lambda rewards: 2 * rewards)
    for env in (GymVecEnv(doubled), VecMonitor(GymVecEnv(doubled))):
        played = play(Deciding(), slots_of(env), table(5))
        assert seats_of(env) == 3
        assert (played.returns == 2 * plain.returns).all()
        assert (played.lengths == plain.lengths).all()


def test_an_episode_that_is_cut_off_ends_for_all():
    lanes = lanes_of(2)
    slots = slots_of(GymVecEnv(lanes))
    played = play(Deciding(), slots, table(2, cutoff=2))
    assert (played.lengths <= 2).all()
    assert (played.lengths[::3] == 2).all()
    acted = lanes.envs[1].acted
    after = play(Deciding(), slots, table(1))
    assert (after.returns == by_hand(0)[0]).all()
    assert lanes.envs[1].acted == acted  # nobody goes on with what was cut off there


def test_what_fails_names_those_who_met_there_and_their_seed():
    slots = slots_of(GymVecEnv(lanes_of(4, Failing)))
    says = "KeyError: 'a wheel came off' at step 2 while members 0, .*2 played, seeded 100, "
    with pytest.raises(RuntimeError, match=says):
        play(Deciding(), slots, table(4))


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (np.zeros((1, 4)), r"member 2 got an observation of shape \(1, 4\).*the space's is \(4,\), at step 3"),
        (np.full(4, np.nan), "member 2 got the observation .*nan.* it must hold finite numbers, at step 3"),
    ],
)
def test_what_is_no_observation_names_who_got_it(seen, says):
    with pytest.raises(RuntimeError, match=says):
        play(Deciding(), slots_of(GymVecEnv(lanes_of(2, lambda: Failing(seen)))), table(2))


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("seen", r"the observation_space of 'a' is Box.*\(4,\).* and that of 'b' is Box.*\(5,\).*pad_observations_v0"),
        ("done", r"the action_space of 'a' is Discrete\(2\) and that of 'b' is Discrete\(3\); .*pad_action_space_v0"),
    ],
)
def test_agents_of_different_spaces_are_refused_with_the_remedy(kind, says):
    with pytest.raises(ValueError, match=says):
        Culture("LinearPolicy", Unequal(kind), population_size=3)


def test_agents_who_take_turns_are_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"in which agents take turns; .* pettingzoo.utils.aec_to_parallel\(env\)"):
        Culture("LinearPolicy", parallel_to_aec(Camp()), population_size=3)


def test_an_environment_that_names_no_agents_is_refused():
    env = Camp()
    env.possible_agents = []
    with pytest.raises(ValueError, match="has no possible_agents; they must name all agents"):
        Culture("LinearPolicy", env, population_size=3)


def test_an_environment_that_cannot_be_copied_is_refused_with_the_remedy():
    env = Camp()
    env.lock = threading.Lock()
    says = r"cannot be copied \(TypeError: .*popagents.ParallelVectorEnv\(\[make\] \* lanes\)"
    with pytest.raises(ValueError, match=says):
        Culture("LinearPolicy", env, population_size=6)
    Culture("LinearPolicy", env, population_size=3)  # one is enough for them


def test_an_agent_that_comes_late_is_refused():
    class Late(Camp):
        def reset(self, **keywords):
            seen, infos = super().reset(**keywords)
            return {agent: seen[agent] for agent in "ac"}, infos

    with pytest.raises(ValueError, match=re.escape("['b'] saw nothing at the reset; all of ['a', 'b', 'c'] must play")):
        lanes_of(1, Late).reset(seed=1)


# ---------------------------------------------------------------- Stable-Baselines3


def test_stable_baselines3_plays_whole_episodes_with_one_policy_in_all_seats():
    env = GymVecEnv(lanes_of(2))
    model = PPO("MlpPolicy", env, n_steps=12, batch_size=72, n_epochs=1, seed=0, device="cpu").learn(72)
    env.seed(4)
    returns, lengths = evaluate_policy(model, env, 6, return_episode_rewards=True)
    assert lengths == [6] * 6  # the dead wait
    expected = []
    for lane in range(2):
        camp = Camp()
        seen, _ = camp.reset(seed=4 + 3 * lane)
        total = dict.fromkeys("abc", 0.0)
        while camp.agents:
            actions = {agent: model.predict(seen[agent], deterministic=True)[0] for agent in camp.agents}
            seen, paid, *_ = camp.step(actions)
            total = {agent: total[agent] + paid.get(agent, 0) for agent in "abc"}
        expected += total.values()
    assert sorted(returns) == sorted(expected)
