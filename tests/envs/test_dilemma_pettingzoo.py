"""The PettingZoo environment, by PettingZoo's own tests and by its docstring."""

import copy
import pickle
import re
import warnings

import numpy as np
import pettingzoo
import pettingzoo.test
import pytest
from gymnasium.error import ResetNeeded

import popenvs  # noqa: F401  (fills the registries)
from popenvs import social_dilemma_v0
from popenvs.dilemmas.against_opponent import DilemmaEnv
from popenvs.dilemmas.catalogue import public_goods, uncertain_dilemma
from popenvs.dilemmas.game import Game
from popenvs.social_dilemma_v0 import env as aec_env
from popenvs.social_dilemma_v0 import parallel_env, vector_env
from registration.environments import MULTI_AGENT

GAMES = ["prisoners_dilemma", "public_goods", "uncertain_dilemma", "rock_paper_scissors"]


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("game", GAMES)
def test_pettingzoos_tests_pass_without_a_warning(game):
    pettingzoo.test.api_test(social_dilemma_v0.env(game=game), num_cycles=150)
    pettingzoo.test.parallel_api_test(parallel_env(game=game), num_cycles=150)
    pettingzoo.test.seed_test(lambda **settings: social_dilemma_v0.env(game=game, **settings), num_cycles=60)
    pettingzoo.test.parallel_seed_test(lambda **settings: parallel_env(game=game, **settings), num_cycles=60)


def test_pettingzoos_tests_of_modules_and_pictures_pass():
    pytest.importorskip("pygame")
    pettingzoo.test.max_cycles_test(social_dilemma_v0)
    pettingzoo.test.render_test(social_dilemma_v0.env)
    pettingzoo.test.test_save_obs(social_dilemma_v0.env())


@pytest.mark.parametrize("env_id", MULTI_AGENT)
@pytest.mark.parametrize("kind", ["aec", "parallel"])
def test_the_registry_makes_it_with_settings(env_id, kind):
    env = pettingzoo.make(kind, env_id, game="public_goods", max_cycles=7)
    env.reset(seed=0)
    assert env.possible_agents == env.agents == ["player_0", "player_1", "player_2"]
    assert env.metadata["name"] == env_id.rpartition("/")[2]


def test_registering_twice_changes_nothing():
    from registration.environments import register_environments

    before = dict(pettingzoo.aec_registry), dict(pettingzoo.parallel_registry)
    register_environments()
    assert (dict(pettingzoo.aec_registry), dict(pettingzoo.parallel_registry)) == before


def test_everybody_sees_the_last_round_from_its_own_side_and_gets_its_own_payoff():
    env = parallel_env()
    seen, infos = env.reset(seed=0)
    assert {agent: int(row.argmax()) for agent, row in seen.items()} == {"player_0": 0, "player_1": 0}
    assert infos == {"player_0": {}, "player_1": {}}
    seen, rewards, terminated, truncated, infos = env.step({"player_1": 1, "player_0": np.int64(0)})
    assert {agent: int(row.argmax()) for agent, row in seen.items()} == {"player_0": 2, "player_1": 3}
    assert rewards == {"player_0": 0.0, "player_1": 5.0}
    assert terminated == truncated == {"player_0": False, "player_1": False}
    assert infos["player_0"]["joint_action"].tolist() == infos["player_1"]["joint_action"].tolist() == [0, 1]
    assert type(rewards["player_0"]) is float
    assert type(truncated["player_0"]) is bool


def test_the_infos_carry_what_was_done_after_slips_of_the_hand():
    env, slips = parallel_env(noise=0.5), 0
    env.reset(seed=0)
    for _ in range(50):
        seen, _, _, _, infos = env.step({"player_0": 0, "player_1": 0})
        joint = infos["player_0"]["joint_action"].tolist()
        assert seen["player_0"].argmax() == 1 + 2 * joint[0] + joint[1]
        slips += sum(joint)
    assert 30 < slips < 70


def test_an_episode_is_the_lane_of_the_vector_environment_with_the_same_seed():
    settings = {"game": "ecological_public_good", "noise": 0.1, "continuation": 0.95}
    env, vector = parallel_env(max_cycles=30, **settings), vector_env(num_envs=2, max_steps=30, **settings)
    seen, rows = env.reset(seed=2**64 - 2)[0], vector.reset(seed=2**64 - 2)[0]
    while env.agents:
        assert np.array_equal(list(seen.values()), rows)
        actions = np.random.default_rng(len(rows)).integers(2, size=2)
        seen, rewards, terminated, truncated, _ = env.step(dict(zip(env.agents, actions, strict=True)))
        rows, paid, ended, cut, _ = vector.step(actions)
        assert list(rewards.values()) == paid.tolist()
        assert [*terminated.values(), *truncated.values()] == [*ended, *cut]


def test_all_agents_leave_together_and_a_reset_goes_on_with_the_stream():
    env = parallel_env(max_cycles=2, noise=0.5)
    env.reset(seed=0)
    runs = []
    for _ in range(12):
        joints = [env.step({"player_0": 0, "player_1": 0})[4]["player_0"]["joint_action"].tolist() for _ in range(2)]
        assert env.agents == []
        with pytest.raises(ResetNeeded, match="call reset"):
            env.step({"player_0": 0, "player_1": 0})
        env.reset()
        runs.append(str(joints))
    assert len(set(runs)) > 3


def test_an_unseeded_reset_is_the_same_after_the_same_seed():
    logs = []
    for _ in range(2):
        env = parallel_env(noise=0.5, max_cycles=30)
        env.reset(seed=4)
        env.reset()
        logs.append([env.step({"player_0": 0, "player_1": 0})[1] for _ in range(30)])
    assert logs[0] == logs[1]


def test_unseeded_first_resets_differ():
    streams = set()
    for _ in range(3):
        env = parallel_env(noise=0.5)
        env.reset()
        streams.add(str([env.step({"player_0": 0, "player_1": 0})[1] for _ in range(40)]))
    assert len(streams) == 3


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"])
def test_a_copy_in_mid_episode_goes_on_identically(copied):
    env = parallel_env(noise=0.5, continuation=0.9)
    env.reset(seed=3)
    env.step({"player_0": 0, "player_1": 0})
    twin = copied(env)
    while env.agents:
        one, other = (e.step({"player_0": 0, "player_1": 1}) for e in (env, twin))
        assert one[1:4] == other[1:4]
    assert twin.agents == []


def test_observations_are_kept_by_whoever_got_them():
    env = parallel_env()
    first, _ = env.reset(seed=0)
    kept = {agent: row.copy() for agent, row in first.items()}
    env.step({"player_0": 0, "player_1": 1})
    assert all(np.array_equal(first[agent], kept[agent]) for agent in kept)


@pytest.mark.parametrize(
    ("actions", "says"),
    [
        ({"player_0": 0}, "actions miss ['player_1'] and name [], who do not play; they must be a dict with an action"),
        ({"player_0": 0, "player_2": 0}, "actions miss ['player_1'] and name ['player_2'], who do not play"),
        ({"player_0": 0, "player_1": 0, "judge": 0}, "actions miss [] and name ['judge'], who do not play"),
        ({}, "actions miss ['player_0', 'player_1']"),
        ({"player_0": 0, "player_1": 2}, "the action of player_1 is 2; it must be a whole number from 0 to 1"),
        ({"player_0": -1, "player_1": 0}, "the action of player_0 is -1; it must be"),
        ({"player_0": 0.0, "player_1": 0}, "the action of player_0 is 0.0; it must be"),
        ({"player_0": None, "player_1": 0}, "the action of player_0 is None; it must be"),
    ],
)
def test_bad_actions_are_refused_with_the_name_of_the_player_and_change_nothing(actions, says):
    env, twin = parallel_env(noise=0.5), parallel_env(noise=0.5)
    for e in (env, twin):
        e.reset(seed=0)
    with pytest.raises(ValueError, match=re.escape(says)):
        env.step(actions)
    for _ in range(20):
        assert env.step({"player_0": 0, "player_1": 0})[1] == twin.step({"player_0": 0, "player_1": 0})[1]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"game": "stag"}, "there is no game 'stag'; did you mean 'stag_hunt'?"),
        ({"noise": 0.6}, "noise is 0.6; it must lie between 0 and 0.5"),
        ({"render_mode": "neon"}, "render_mode is 'neon'; choose one of 'ansi', 'rgb_array', 'human'"),
        ({"max_cycles": 0}, "max_cycles is 0; it must be a whole number from 1"),
    ],
)
def test_bad_settings_are_refused(settings, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        parallel_env(**settings)


@pytest.mark.parametrize("seed", [-1, 1.5, 2**64])
def test_bad_seeds_are_refused(seed):
    with pytest.raises(ValueError, match=re.escape(f"seed is {seed!r}; it must be a whole number from 0 to")):
        parallel_env().reset(seed=seed)


def test_a_step_before_the_first_reset_is_refused():
    with pytest.raises(ResetNeeded, match="call reset"):
        parallel_env().step({"player_0": 0, "player_1": 0})


def test_ansi_is_the_history_and_rgb_array_the_table():
    pytest.importorskip("pygame")
    env = parallel_env(render_mode="ansi")
    env.reset(seed=0)
    for actions in ((0, 1), (1, 1), (0, 0)):
        env.step(dict(zip(env.agents, actions, strict=True)))
    assert env.render() == "player_0 CDC\nplayer_1 DDC\nround 3   score 4 : 9   cooperate 67 : 33 %"
    drawn = parallel_env(render_mode="rgb_array", game=public_goods(3))
    drawn.reset(seed=0)
    before = drawn.render()
    drawn.step(dict.fromkeys(drawn.agents, 0))
    assert (before != drawn.render()).any()
    assert before.dtype == np.uint8


def test_render_without_a_mode_warns():
    env = parallel_env()
    env.reset(seed=0)
    with pytest.warns(UserWarning, match="render_mode"):
        assert env.render() is None


def test_after_the_last_round_nobody_is_left_to_step():
    env = parallel_env(max_cycles=1)
    with pytest.raises(ResetNeeded):
        env.step({})
    env.reset(seed=1)
    with pytest.raises(ValueError, match="actions miss"):
        env.step({})
    env.step({"player_0": 0, "player_1": 0})
    assert env.step({}) == ({}, {}, {}, {}, {})
    with pytest.raises(ResetNeeded):
        env.step({"player_0": 0, "player_1": 0})


@pytest.mark.parametrize("memory", [0, 1, 2])
def test_the_state_is_the_true_one_where_players_see_it_through_noise(memory):
    env = parallel_env(game=uncertain_dilemma(noise=0.3), memory=memory, max_cycles=9)
    env.reset(seed=3)
    places = set()
    for _ in range(9):
        joint = env.step({"player_0": 0, "player_1": 1})[4]["player_0"]["joint_action"]
        assert joint.tolist() == [0, 1]
        state = env.state()
        assert env.state_space.contains(state)
        assert state.sum() == 1
        places.add(int(state.argmax()) // (len(state) // 2))
    assert places == {0, 1}  # the contract is drawn anew in each round


def test_the_state_of_a_game_of_one_state_is_what_player_0_sees():
    env = parallel_env(memory=2)
    observations, _ = env.reset(seed=3)
    for actions in ((0, 1), (1, 1), (1, 0)):
        assert (env.state() == observations["player_0"]).all()
        observations = env.step(dict(zip(env.agents, actions, strict=True)))[0]
    env = aec_env()
    env.reset(seed=1)
    assert env.state_space.contains(env.state())


def test_a_generator_comes_with_the_environment_and_follows_its_seed():
    env, twin = parallel_env(), parallel_env()
    for e in (env, twin):
        e.reset(seed=5)
    assert env.np_random.random() == twin.np_random.random()


def test_games_of_many_joint_actions_are_played_and_drawn():
    game = Game.from_payoffs(np.zeros((2, 200, 200)))
    env = parallel_env(game=game, memory=0, render_mode="ansi")
    env.reset(seed=1)
    info = env.step({"player_0": 199, "player_1": 150})[4]
    assert info["player_0"]["joint_action"].tolist() == [199, 150]
    assert env.render().splitlines()[0] == "player_0 199"


def test_a_game_of_unequal_actions_says_what_it_can_play():
    game = Game.from_payoffs(np.zeros((2, 2, 3)))
    with pytest.raises(ValueError, match=r"the players have \(2, 3\) actions; .*parallel_env.*function.*dynamics"):
        vector_env(game=game)
    with pytest.raises(ValueError, match="seat 1 has 3 actions; .* let a function .* or agents of .*parallel_env"):
        DilemmaEnv(game=game)
    DilemmaEnv(game=game, opponent=lambda seen, rng: 2).reset(seed=1)
    parallel_env(game=game).reset(seed=1)


def test_a_game_that_has_no_payoffs_of_its_own_says_so():
    with pytest.raises(ValueError, match=r"'matrix_game' has no payoffs of its own .* popenvs.dilemmas.matrix_game"):
        parallel_env(game="matrix_game")
