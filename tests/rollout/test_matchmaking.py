"""Members who play with each other: groups, seeds, evaluation, and what infos hold of an episode."""

import re

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from popagents.common.now import Now
from popagents.common.randomness import Purpose, episode_seeds
from popagents.common.ranking import ranked
from popagents.learners.culture.culture import Culture
from popagents.learners.es.elitist_es import ElitistES
from popagents.population.members import Members
from popagents.rollout.jobs import Episodes, Request
from popagents.rollout.make_slots import slots_of
from popagents.rollout.matchmaking import Matchmaker, check_seats, seats_of
from popagents.rollout.vec_env import GymVecEnv
from popenvs.social_dilemma_v0 import vector_env
from registration.learners import LEARNERS, load_learner


def dilemma(lanes, game="prisoners_dilemma", players=2, **settings):
    settings = {"max_steps": 10, "autoreset_mode": AutoresetMode.DISABLED} | settings
    return vector_env(num_envs=players * lanes, game=game, **settings)


def culture(env, population_size=8, episodes=2, seed=5, **settings):
    return Culture("LinearPolicy", env, population_size=population_size, episodes=episodes, seed=seed, **settings)


def dealt(run_seed, generation, candidates, episodes, seats, **settings):
    """Return a generation's table in which everybody plays."""
    matchmaker = Matchmaker(Now(run_seed, generation), candidates, seats)
    return matchmaker.jobs(np.arange(candidates), episodes, **settings)


def numbers_of(jobs, now, first=0, each=4):
    """Return the number of each job among its member's: the one whose key it has."""
    own = now.keys(Purpose.ACTION, jobs.member[:, None], first + np.arange(each))
    found = own == jobs.keys
    assert (found.sum(axis=1) == 1).all()
    return found.argmax(axis=1)


def groups_of(jobs):
    return jobs.member.reshape(-1, jobs.seats)


# ---------------------------------------------------------------- groups


def test_everybody_plays_each_of_its_episodes_once_and_nobody_meets_itself():
    jobs = dealt(0, 3, candidates=12, episodes=4, seats=3)
    numbers = numbers_of(jobs, Now(0, 3))
    assert sorted(jobs.member * 4 + numbers) == list(range(48))
    assert np.array_equal(jobs.player, jobs.member)
    for group in groups_of(jobs):
        assert len(set(group)) == 3
    numbers = numbers.reshape(-1, 3)
    assert (numbers == numbers[:, :1]).all()
    assert jobs.judged.all()


def test_groups_are_a_function_of_the_run_seed_and_the_generation():
    one = dealt(7, 2, 16, 2, 2).member
    assert np.array_equal(one, dealt(7, 2, 16, 2, 2).member)
    assert not np.array_equal(one, dealt(7, 3, 16, 2, 2).member)
    assert not np.array_equal(one, dealt(8, 2, 16, 2, 2).member)


def test_in_every_round_of_a_generation_members_meet_others():
    rounds = dealt(5, 0, 8, 4, 2).member.reshape(4, 8)
    assert (np.sort(rounds, axis=1) == np.arange(8)).all()
    assert len({tuple(order) for order in rounds}) == 4


def test_over_the_generations_everybody_meets_everybody_about_equally_often():
    met = np.zeros((6, 6))
    for generation in range(1000):
        for a, b in groups_of(dealt(0, generation, 6, 1, 2)):
            met[a, b] += 1
    rest = met[~np.eye(6, dtype=bool)]  # a pair on given seats: 1 in 6 * 5 of 3 pairs a generation
    assert np.abs(rest - 100).max() < 4 * 10
    assert met.trace() == 0


def test_without_partners_jobs_are_played_as_they_are_numbered():
    jobs = dealt(1, 1, 5, 2, 1)
    assert (jobs.member * 2 + numbers_of(jobs, Now(1, 1), each=2)).tolist() == list(range(10))


def test_a_group_shares_the_seed_of_its_first():
    jobs, now = dealt(5, 2, 6, 2, 2), Now(5, 2)
    firsts, numbers = groups_of(jobs)[:, 0], numbers_of(jobs, now, each=2)[::2]
    own = episode_seeds(now.keys(Purpose.EPISODE, firsts, numbers))
    assert jobs.seeds.reshape(-1, 2).tolist() == np.repeat(own[:, None], 2, axis=1).tolist()
    assert len(set(own)) == 6


def test_members_that_do_not_fill_the_groups_are_refused_with_the_remedy():
    says = (
        "population_size is 7, and 3 members play with each other in this environment; choose a multiple of 3, for "
        "example 9"
    )
    with pytest.raises(ValueError, match=re.escape(says)):
        check_seats(7, 3)
    with pytest.raises(ValueError, match="population_size is 9, and 2 members play with each other"):
        culture(dilemma(2), population_size=9)


def test_seats_that_candidates_leave_empty_are_filled_by_others_who_are_not_judged():
    candidates = np.array([6, 1, 4, 7])
    jobs = Matchmaker(Now(0, 0), 9, 3).jobs(candidates, 2)
    members, judged = jobs.member.reshape(2, 6), jobs.judged.reshape(2, 6)
    for row, counts in zip(members, judged, strict=True):
        assert sorted(row[counts]) == sorted(candidates)
        assert len(set(row)) == 6


def test_an_environment_says_how_many_slots_play_with_each_other():
    assert seats_of(GymVecEnv(dilemma(2, "public_goods", 3))) == 3
    alone = gym.make_vec("PopPacman-v0", 2, "vector_entry_point", autoreset_mode=AutoresetMode.DISABLED)
    assert seats_of(GymVecEnv(alone)) == 1


# ---------------------------------------------------------------- learners whose members meet


def test_the_elitist_strategys_finalists_meet_others_too():
    one, four = (ElitistES("LinearPolicy", dilemma(lanes), population_size=8, seed=5) for lanes in (1, 4))
    assert (one.learn(2000).centre == four.learn(2000).centre).all()
    assert one.generation > 2
    assert np.array_equal(one.lineage, four.lineage)


@pytest.mark.parametrize("name", ["es", "genetic"])
def test_other_learners_members_meet_too_at_any_number_of_lanes(name):
    settings = {"tournament_size": 4, "n_offspring": 2} if name == "genetic" else {}
    runs = [
        load_learner(name)("LinearPolicy", dilemma(lanes), population_size=8, seed=5, **settings).learn(400)
        for lanes in (1, 4)
    ]
    assert np.array_equal(runs[0].lineage, runs[1].lineage)
    assert runs[0].generation > 4


@pytest.mark.parametrize(("game", "players", "size"), [("prisoners_dilemma", 2, 8), ("public_goods", 3, 9)])
def test_the_number_of_lanes_never_changes_a_result(game, players, size):
    runs = []
    for lanes in (1, 2, 5):
        env = dilemma(lanes, game, players, continuation=0.8, noise=0.1)
        model = culture(env, population_size=size).learn(size * 2 * 5 * 3)
        state = {name: value.tobytes() for name, value in model.loop.run.state.population[0].items()}
        runs.append((model.lineage.tobytes(), state, model.champion, model.evaluation_timesteps, model.num_timesteps))
    assert runs[0] == runs[1] == runs[2]
    assert runs[0][4] > 0


@pytest.mark.bits
def test_a_stopped_run_goes_on_bit_for_bit(tmp_path):
    whole = culture(dilemma(2)).learn(160 * 4)
    culture(dilemma(2)).learn(160 * 2).save(tmp_path / "half")
    half = Culture.load(tmp_path / "half", env=dilemma(3)).learn(160 * 2, reset_num_timesteps=False)
    assert half.lineage.tobytes() == whole.lineage.tobytes()
    assert half.generation == whole.generation == 4


def lived(model, monkeypatch):
    """Return a list into which all generations' episodes come as they are played."""
    play, answers = model.loop.worker.play, []

    def spied(request, slots, observers=()):
        episodes = play(request, slots, observers)
        if request.record:
            actions = [episodes.record.pairs(np.array([job]))[1].copy() for job in range(len(request.jobs))]
            answers.append((episodes, actions))
        return episodes

    monkeypatch.setattr(model.loop.worker, "play", spied)
    return answers


def test_fitness_is_the_payoff_of_the_games_that_were_met(monkeypatch):
    model, table = culture(dilemma(3), population_size=6, episodes=1), np.array([[3, 0], [5, 1]])
    answers = lived(model, monkeypatch)
    model.learn(60)
    ((episodes, actions),) = answers
    assert groups_of(episodes.jobs).tolist() == groups_of(dealt(5, 0, 6, 1, 2)).tolist()
    assert len(episodes.jobs) == 2 * 3
    for a, b in np.arange(6).reshape(-1, 2):
        assert episodes.returns[a] == table[actions[a], actions[b]].sum()
        assert episodes.returns[b] == table[actions[b], actions[a]].sum()
    assert (model.fitness[episodes.jobs.member] == episodes.returns).all()


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


def test_the_logged_rate_is_the_share_of_cooperative_actions_of_the_generation(monkeypatch):
    model = culture(dilemma(3), population_size=6, episodes=1)
    answers = lived(model, monkeypatch)
    rates = cooperation_rates(model, 60 * 3)
    assert all(episodes.infos["cooperation"].shape == (6,) for episodes, _ in answers)
    assert rates == pytest.approx([float((np.concatenate(actions) == 0).mean()) for _, actions in answers])
    assert len(rates) == 3


# ---------------------------------------------------------------- evaluation


def test_every_finalist_of_an_evaluation_meets_the_same_others_but_itself():
    matchmaker, finalists = Matchmaker(Now(3, 4), 10, 3), np.array([2, 5])

    def others(numbers):
        groups = groups_of(matchmaker.evaluation_jobs(finalists, numbers)).reshape(2, len(numbers), 3)
        assert groups[:, :, 0].tolist() == [[2] * len(numbers), [5] * len(numbers)]
        return groups[:, :, 1:]

    met = others(np.arange(200))
    assert set(np.unique(met)) == set(range(10))
    would = {finalist: (met[1 - i] == finalist).any(axis=1) for i, finalist in enumerate(finalists)}
    same = (met[0] == met[1]).all(axis=1)
    assert np.array_equal(same, ~(would[2] | would[5]))
    assert 0.5 < same.mean() < 0.75  # neither is among two of ten in 8 * 7 of 10 * 9 cases
    for one, other in zip(met[0][~same], met[1][~same], strict=True):
        assert len(set(one) & set(other)) == 1  # the other seat is a substitute's
    assert np.array_equal(met[:, 6:9], others(np.arange(6, 9)))


@pytest.mark.parametrize(("players", "seats"), [(2, 2), (3, 3), (6, 2), (9, 3)])
def test_nobody_meets_itself_in_an_evaluation_and_everybody_meets_all_others_equally_often(players, seats):
    everyone, met = np.arange(players), np.zeros((players, players))
    for group in groups_of(Matchmaker(Now(1, 2), players, seats).evaluation_jobs(everyone, np.arange(4000))):
        assert len(set(group)) == seats
        met[group[0], group[1:]] += 1
    expected = 4000 * (seats - 1) / (players - 1)
    assert np.abs(met[~np.eye(players, dtype=bool)] - expected).max() < 5 * np.sqrt(expected)


@pytest.mark.parametrize(("game", "players", "size"), [("prisoners_dilemma", 2, 4), ("public_goods", 3, 6)])
@pytest.mark.parametrize("name", LEARNERS)
def test_whatever_a_learner_asks_for_nobody_meets_itself(name, game, players, size, monkeypatch):
    own = {"tournament_size": 3, "n_offspring": 1} if name == "genetic" else {}
    evaluates = {"champion_episodes": 20} if name in ("culture", "genetic") else {}
    model = load_learner(name)(
        "LinearPolicy", dilemma(2, game, players), population_size=size, seed=5, **own, **evaluates
    )
    play, groups = model.loop.worker.play, []

    def spied(request, slots, observers=()):
        groups.extend(groups_of(request.jobs).tolist())
        return play(request, slots, observers)

    monkeypatch.setattr(model.loop.worker, "play", spied)
    model.learn(600)
    assert len(groups) >= 20
    assert all(len(set(group)) == players for group in groups)


def test_lives_of_an_evaluation_meet_others_too():
    settings = {"inheritance": "baldwin", "tournament_size": 3, "n_offspring": 1, "n_tasks": 1, "n_updates": 1}
    env = dilemma(2, "prisoners_dilemma")
    model = load_learner("genetic")("ActorCriticPolicy", env, population_size=4, seed=5, **settings).learn(1)
    jobs = next(model.choose_champion(model.loop.run)).jobs
    assert jobs.episodes == 2
    assert all(len(set(group)) == 2 for group in groups_of(jobs))


def test_a_table_that_would_fill_the_memory_is_refused_with_the_remedy():
    says = "100000000 episodes are to be played at once, and 16777216 are the most; choose fewer members, episodes"
    matchmaker, some = Matchmaker(Now(0, 0), 10, 1), np.arange(10)
    for ask in (
        lambda: matchmaker.jobs(some, 10**7),
        lambda: matchmaker.jobs(some, 10, episodes=10**6),
        lambda: matchmaker.evaluation_jobs(some, np.arange(100), episodes=10**5),
        lambda: Matchmaker(Now(0, 0), 10, 5).evaluation_jobs(some, np.arange(2), episodes=10**6),
    ):
        with pytest.raises(ValueError, match=says):
            ask()


def test_only_finalists_are_judged_but_all_steps_are_counted():
    jobs = Matchmaker(Now(0, 0), 6, 2).evaluation_jobs(np.array([4]), np.arange(2))
    assert jobs.judged.tolist() == [True, False, True, False]
    episodes = Episodes(jobs, np.array([1.0, 9.0, 3.0, 9.0]), np.array([5, 5, 7, 7]))
    assert jobs.member[jobs.judged].tolist() == [4, 4]
    fitness = episodes.fitness(6)
    assert fitness[4] == 2
    assert np.isnan(np.delete(fitness, 4)).all()
    assert episodes.lengths.reshape(-1, 2).sum(axis=1).tolist() == [10, 14]


def test_the_champion_of_a_meeting_population_is_the_finalist_that_earns_most_by_argmax():
    model = culture(dilemma(4), population_size=8, episodes=1, champion_episodes=3)
    model.learn(80)
    finalists = ranked(model.fitness, Now(model.run_seed, model.generation - 1).rank_keys(8))[:2]
    jobs = model.matchmaker(Now(model.run_seed, model.generation)).evaluation_jobs(finalists, np.arange(3))
    assert jobs.keys is None
    request = Request(Members(model.loop.run.state.population), jobs)
    returns = model.loop.worker.play(request, slots_of(model.env)).returns[::2].reshape(2, 3)
    assert jobs.member[::2].tolist() == np.repeat(finalists, 3).tolist()
    assert model.champion == finalists[np.argmax(returns.mean(axis=1))]
    assert model.evaluation_timesteps == 2 * 3 * 2 * 10


def test_a_group_of_an_evaluation_shares_its_seed_and_finalists_share_the_seeds():
    jobs = culture(dilemma(2)).matchmaker(Now(5, 0)).evaluation_jobs(np.array([6, 1, 4]), np.arange(3))
    members, seeds = groups_of(jobs), jobs.seeds.reshape(-1, 2)
    assert members[:, 0].tolist() == [6, 6, 6, 1, 1, 1, 4, 4, 4]
    assert np.array_equal(seeds[:, 0], seeds[:, 1])
    assert np.array_equal(seeds[:6], seeds[3:])
    assert len(set(seeds[:3, 0])) == 3


def test_a_culture_asks_for_that_evaluation_of_its_fittest_quarter():
    model = culture(dilemma(2), champion_episodes=3).learn(160)
    request = next(model.choose_champion(model.loop.run))
    finalists = ranked(model.fitness, Now(5, 0).rank_keys(8))[:2]
    expected = model.matchmaker(Now(5, 1)).evaluation_jobs(finalists, np.arange(3))
    assert np.array_equal(request.jobs.member, expected.member)
    assert np.array_equal(request.jobs.seeds, expected.seeds)
