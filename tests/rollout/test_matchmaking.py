"""Members who play with each other: groups, seeds, exams, and what is told of an episode."""

import re

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from popagents.common.randomness import Purpose, keys
from popagents.common.ranking import ranked
from popagents.learners.culture.culture import Culture
from popagents.learners.es.es import ES
from popagents.rollout.matchmaking import examiners, meetings, of_finalists, seats_of, shared
from popagents.rollout.play import Lives, note
from popagents.rollout.vec_env import GymVecEnv
from popenvs.social_dilemma_v0 import vector_env
from registration.learners import load_learner


def dilemma(lanes, game="prisoners_dilemma", players=2, **settings):
    settings = {"max_steps": 10, "autoreset_mode": AutoresetMode.DISABLED} | settings
    return vector_env(num_envs=players * lanes, game=game, **settings)


def culture(env, population_size=8, episodes=2, seed=5, **settings):
    return Culture("LinearPolicy", env, population_size=population_size, episodes=episodes, seed=seed, **settings)


def test_the_elitist_optimizers_exams_are_meetings_too():
    one, four = (ES("LinearPolicy", dilemma(lanes), population_size=8, seed=5, optimizer="elitist") for lanes in (1, 4))
    assert (one.learn(2000).centre == four.learn(2000).centre).all()
    assert one.generation > 2
    assert np.array_equal(one.lineage, four.lineage)


def test_in_every_round_of_a_generation_members_meet_others(monkeypatch):
    from popagents.learners import base

    dealt = []
    monkeypatch.setattr(base, "meetings", lambda *where: dealt.append(meetings(*where)) or dealt[-1])
    model = ES("LinearPolicy", dilemma(4), population_size=8, seed=5, steps_per_generation=300)
    model.learn(1, log_interval=None)
    assert model._steps_lived == 320
    assert len({tuple(order) for order in dealt}) == len(dealt) == 4


@pytest.mark.parametrize("name", ["es", "genetic"])
def test_other_learners_members_meet_too_at_any_number_of_lanes(name):
    settings = {"tournament_size": 4, "n_offspring": 2} if name == "genetic" else {}
    runs = [
        load_learner(name)("LinearPolicy", dilemma(lanes), population_size=8, seed=5, **settings).learn(400)
        for lanes in (1, 4)
    ]
    assert np.array_equal(runs[0].lineage, runs[1].lineage)
    assert runs[0].generation > 4


# ---------------------------------------------------------------- groups


def test_everybody_plays_each_of_its_episodes_once_and_nobody_meets_itself():
    order = meetings(0, 3, candidates=12, episodes=4, seats=3)
    assert sorted(order) == list(range(48))
    for group in (order // 4).reshape(-1, 3):
        assert len(set(group)) == 3
    numbers = (order % 4).reshape(-1, 3)
    assert (numbers == numbers[:, :1]).all()


def test_groups_are_a_function_of_the_run_seed_and_the_generation():
    one = meetings(7, 2, 16, 2, 2)
    assert np.array_equal(one, meetings(7, 2, 16, 2, 2))
    assert not np.array_equal(one, meetings(7, 3, 16, 2, 2))
    assert not np.array_equal(one, meetings(8, 2, 16, 2, 2))
    assert not np.array_equal(one, meetings(7, 2, 16, 2, 2, first=2))  # the second round of one generation


def test_over_the_generations_everybody_meets_everybody_about_equally_often():
    met = np.zeros((6, 6))
    for generation in range(1000):
        for a, b in meetings(0, generation, 6, 1, 2).reshape(-1, 2):
            met[a, b] += 1
    rest = met[~np.eye(6, dtype=bool)]  # a pair on given seats: 1 in 6 * 5 of 3 pairs a generation
    assert np.abs(rest - 100).max() < 4 * 10
    assert met.trace() == 0


def test_without_partners_jobs_are_played_as_they_are_numbered():
    assert meetings(1, 1, 5, 2, 1).tolist() == list(range(10))


def test_a_group_shares_the_seed_of_its_first():
    order = np.array([3, 0, 2, 1])
    assert shared(np.array([10, 11, 12, 13]), order, 2).tolist() == [13, 12, 12, 13]


def test_members_that_do_not_fill_the_groups_are_refused_with_the_remedy():
    says = "7 members cannot meet in groups of 3; choose a population_size that is a multiple of 3"
    with pytest.raises(ValueError, match=re.escape(says)):
        meetings(0, 0, 7, 1, 3)
    with pytest.raises(ValueError, match="9 members cannot meet in groups of 2"):
        culture(dilemma(2), population_size=9).learn(1)


def test_an_environment_says_how_many_slots_play_with_each_other():
    import gymnasium as gym

    assert seats_of(GymVecEnv(dilemma(2, "public_goods", 3))) == 3
    alone = gym.make_vec("PopPacman-v0", 2, "vector_entry_point", autoreset_mode=AutoresetMode.DISABLED)
    assert seats_of(GymVecEnv(alone)) == 1


# ---------------------------------------------------------------- a culture whose members meet


@pytest.mark.parametrize(("game", "players", "size"), [("prisoners_dilemma", 2, 8), ("public_goods", 3, 9)])
def test_the_number_of_lanes_never_changes_a_result(game, players, size):
    runs = []
    for lanes in (1, 2, 5):
        env = dilemma(lanes, game, players, continuation=0.8, noise=0.1)
        model = culture(env, population_size=size).learn(size * 2 * 5 * 3)
        state = {name: value.tobytes() for name, value in model.population.stacks[0].parameters.items()}
        runs.append((model.lineage.tobytes(), state, model.champion, model.evaluation_timesteps, model.num_timesteps))
    assert runs[0] == runs[1] == runs[2]
    assert runs[0][4] > 0


def test_a_stopped_run_goes_on_bit_for_bit(tmp_path):
    whole = culture(dilemma(2)).learn(160 * 4)
    culture(dilemma(2)).learn(160 * 2).save(tmp_path / "half")
    half = Culture.load(tmp_path / "half", env=dilemma(3)).learn(160 * 2, reset_num_timesteps=False)
    assert half.lineage.tobytes() == whole.lineage.tobytes()
    assert half.generation == whole.generation == 4


def test_fitness_is_the_payoff_of_the_games_that_were_met():
    model, order = culture(dilemma(3), population_size=6, episodes=1), meetings(5, 0, 6, 1, 2)
    table, tell, met = np.array([[3, 0], [5, 1]]), model.tell, []

    def spied(candidates, lives):
        for a, b in order.reshape(-1, 2):
            mine, theirs = (lives.record.pairs(np.array([job]))[1] for job in (a, b))
            assert lives.returns[a] == table[mine, theirs].sum()
            assert lives.returns[b] == table[theirs, mine].sum()
            met.append((a, b))
        return tell(candidates, lives)

    model.tell = spied
    model.learn(60)
    assert len(met) == 3


def test_imitation_of_the_better_ends_cooperation_in_a_one_shot_dilemma():
    env = dilemma(8, max_steps=1, memory=0)
    model = culture(env, population_size=16, episodes=4, learning_rate=0.05)
    rates = cooperation_rates(model, 16 * 4 * 60)
    assert len(rates) == 60
    assert rates[0] == pytest.approx(0.5, abs=0.12)
    assert np.mean(rates[-5:]) < 0.15


def cooperation_rates(model, steps):
    """Learn, and return what is logged of every generation."""
    from stable_baselines3.common.logger import KVWriter, Logger

    rates = []

    class Keep(KVWriter):
        def write(self, key_values, key_excluded, step=0):
            rates.append(key_values["rollout/cooperation"])

        def close(self):
            pass

    model.set_logger(Logger(None, [Keep()]))
    model.learn(steps)
    return rates


def test_the_logged_rate_is_the_share_of_cooperative_actions_of_the_generation():
    model = culture(dilemma(3), population_size=6, episodes=1)
    shares = []
    tell = model.tell

    def spied(candidates, lives):
        shares.append(float((lives.record.pairs(np.arange(6))[1] == 0).mean()))
        assert lives.told["cooperation"].shape == (6,)
        return tell(candidates, lives)

    model.tell = spied
    rates = cooperation_rates(model, 60 * 3)
    assert rates == pytest.approx(shares)
    assert len(rates) == 3


# ---------------------------------------------------------------- exams


def test_every_finalist_of_an_exam_meets_the_same_others():
    others = examiners(3, 4, population_size=10, papers=np.arange(20), seats=3)
    assert others.shape == (20, 2)
    assert set(np.unique(others)) <= set(range(10))
    assert np.array_equal(others, examiners(3, 4, 10, np.arange(20), 3))
    assert np.array_equal(others[6:9], examiners(3, 4, 10, np.arange(6, 9), 3))


def test_only_finalists_are_marked_but_all_steps_are_counted():
    lives = Lives(np.array([4, 1, 4, 2]), np.array([1.0, 9.0, 3.0, 9.0]), np.array([5, 5, 7, 7]), np.zeros((1, 1)))
    marked = of_finalists(lives, 2)
    assert marked.members.tolist() == [4, 4]
    assert marked.fitness(6)[4] == 2
    assert marked.lengths.tolist() == [10, 14]


def test_the_champion_of_a_meeting_population_is_the_finalist_that_earns_most_by_argmax():
    model = culture(dilemma(4), population_size=8, episodes=1, champion_episodes=3)
    model.learn(80)
    rank_keys = keys(model.run_seed, Purpose.RANK, model.generation - 1, np.arange(8))
    finalists = ranked(model.fitness, rank_keys)[:2]
    lives = model.sit(finalists, np.arange(3), model._training_slots())
    assert lives.members.tolist() == np.repeat(finalists, 3).tolist()
    assert model.champion == finalists[np.argmax([lives.returns[:3].mean(), lives.returns[3:].mean()])]
    assert model.evaluation_timesteps == 2 * 3 * 2 * 10


def test_a_group_that_sits_an_exam_shares_its_papers_seed_and_finalists_share_the_papers(monkeypatch):
    from popagents.learners import base

    model, asked, play = culture(dilemma(2), champion_episodes=3), [], base.play

    def spied(population, slots, members, seeds, *rest, **named):
        asked.append((members.reshape(-1, 2), seeds.reshape(-1, 2)))
        return play(population, slots, members, seeds, *rest, **named)

    monkeypatch.setattr(base, "play", spied)
    model.sit(np.array([6, 1, 4]), np.arange(3), model._training_slots())
    ((members, seeds),) = asked
    assert members[:, 0].tolist() == [6, 6, 6, 1, 1, 1, 4, 4, 4]
    assert np.array_equal(members[:3, 1], members[6:, 1])
    assert np.array_equal(seeds[:, 0], seeds[:, 1])
    assert np.array_equal(seeds[:6], seeds[3:])
    assert len(set(seeds[:3, 0])) == 3


# ---------------------------------------------------------------- what infos tell


def test_floats_in_the_infos_of_a_last_step_are_kept_and_nothing_else():
    told = {}
    infos = [
        {"cooperation": 0.25, "TimeLimit.truncated": True, "problem": np.arange(2), "lives": 3},
        {},
        {"speed": 2.0},
    ]
    note(told, infos, np.array([0, 2]), np.array([1, 0]), 3)
    assert told.keys() == {"cooperation", "speed"}
    np.testing.assert_array_equal(told["cooperation"], [np.nan, 0.25, np.nan])
    np.testing.assert_array_equal(told["speed"], [2.0, np.nan, np.nan])
