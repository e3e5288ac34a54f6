"""The genetic algorithm: what is inherited, who lives, what is kept of it, and what is refused."""

import itertools

import numpy as np
import pandas
import pytest
from stable_baselines3.common.logger import configure

from popagents.common.lineage import Transmission, by_generation
from popagents.common.randomness import Purpose, keys
from popagents.common.ranking import ranked
from popagents.learners.genetic.genetic import Genetic
from popagents.learners.genetic.scores import lifetime_scores
from popagents.rollout.jobs import Episodes, Jobs
from tests.learners.by_hand import by_member, generation_of, in_env
from tests.learners.games import Ring
from tests.learners.harlow import HARLOW, LIFE, TWENTY, genes, harlow

# ---------------------------------------------------------------- what is inherited


@pytest.mark.parametrize("inheritance", ["darwin", "baldwin", "lamarck"])
def test_only_under_lamarck_do_lives_change_what_members_pass_on(inheritance):
    model = harlow(inheritance)
    before = genes(model)
    model.learn(1)
    after = genes(model)
    changed = [name for name in before if (before[name] != after[name]).any()]
    assert bool(changed) == (inheritance == "lamarck")
    if changed:
        assert set(changed) == set(before)
        assert all(np.abs(before[name] - after[name]).max() < 0.2 for name in changed)


def test_under_lamarck_a_member_passes_on_the_mean_of_what_it_learned():
    model = harlow("lamarck", mutation_std=0.0)
    answer, answers = in_env(model), []

    def kept(request):
        answers.append(answer(request))
        return answers[-1]

    succession, (request,) = generation_of(model, kept)
    assert request.learned
    assert answers[0].learned.keys() == succession.state.parameters.keys()
    for name, values in answers[0].learned.items():
        means = values.reshape(6, 3, *values.shape[1:]).mean(axis=1)
        assert np.allclose(succession.state.parameters[name], means)


def test_one_generation_of_three_members_by_hand():
    """Members 0 and 2 are the tournament; their child takes the place of member 1, the worst."""
    model = Genetic(
        "LinearPolicy", Ring(), population_size=3, tournament_size=2, n_offspring=1, replacement="worst", seed=0
    )
    succession, (request,) = generation_of(model, by_member([5.0, 1.0, 9.0]))
    first, second = succession.parents, succession.second_parents
    assert request.jobs.member.tolist() == [0, 1, 2]
    assert succession.transmission is Transmission.BIRTH
    assert succession.fitness.tolist() == [5, 1, 9]
    assert succession.champion == 2
    assert first.tolist()[::2] == second.tolist()[::2] == [-1, -1]
    assert {first[1], second[1]} <= {0, 2}
    _, (request,) = generation_of(model, by_member([5.0, 1.0, 9.0]), succession.state, number=1)
    assert request.jobs.member.tolist() == [1]
    (living,) = request.players.parameters
    for name, values in living.items():  # one layer: it is wholly one parent's
        passed_on = succession.state.parameters[name]
        assert (values[[0, 2]] == passed_on[[0, 2]]).all()
        nearest = min(np.abs(values[1] - passed_on[parent]).max() for parent in (first[1], second[1]))
        assert 0 < nearest < 0.1
        assert not np.array_equal(values[1], passed_on[1])


def test_children_are_copies():
    """In the source mutating a child moves its parent; here only the newborn and lamarckian learners change."""
    model = harlow("baldwin", replacement="worst").learn(1)
    for _ in range(4):
        before, births = genes(model), model.loop.run.state.births
        model.learn(1, reset_num_timesteps=False)
        after = genes(model)
        others = np.setdiff1d(np.arange(6), births.places)
        for name in before:
            assert (before[name][others] == after[name][others]).all()
            assert (before[name][births.places] != after[name][births.places]).any()


def test_the_lineage_names_both_parents_and_keeps_the_scores_of_who_did_not_live():
    model = harlow("darwin").learn(1200)
    table = by_generation(model.lineage)
    assert len(table) > 3
    for generation, (now, then) in enumerate(itertools.pairwise(table)):
        born = now["transmission"] == Transmission.BIRTH
        assert born.sum() == 2
        assert ((now["parent"] >= 0) == born).all()
        assert ((now["second_parent"] >= 0) == born).all()
        pool = ranked(now["fitness"], keys(model.run_seed, Purpose.RANK, generation, np.arange(6)))[:3]
        assert set(now["parent"][born]) | set(now["second_parent"][born]) <= set(pool)
        assert (now["fitness"][~born] == then["fitness"][~born]).all()


def test_re_evaluated_scores_are_means_over_lives():
    model = harlow("darwin", reevaluate=True, replacement="worst")
    seen = [[] for _ in range(6)]
    answer, state = in_env(model), model.loop.run.state

    def kept(request):
        episodes = answer(request)
        sums = np.bincount(episodes.jobs.member, episodes.returns, 6)  # over the problems of a lifetime
        for member in np.unique(episodes.jobs.member):
            seen[member].append(sums[member])
        return episodes

    for generation in range(16):
        for member in state.births.places:
            seen[member] = []
        succession, _ = generation_of(model, kept, state, generation)
        state = succession.state
    assert succession.fitness == pytest.approx([np.mean(scores) for scores in seen])
    assert max(map(len, seen)) > 2
    assert state.judged.tolist() == list(map(len, seen))


def test_the_elite_keeps_its_place():
    model = Genetic("LinearPolicy", Ring(), population_size=5, tournament_size=2, n_offspring=4, elites=1, seed=0)
    best = -np.inf
    for _ in range(12):
        model.learn(1, reset_num_timesteps=False)
        assert model.fitness.max() >= best
        best = model.fitness.max()


def test_evolution_makes_learners_better():
    model = Genetic(
        "RecurrentPolicy", HARLOW, inheritance="baldwin", n_tasks=4, n_updates=10, evaluation_options=TWENTY,
        hyperparameters={"learning_rate": (3e-3, 5e-4, 1e-4, 5e-2)}, champion_episodes=1, seed=1,
    )  # fmt: skip
    model.learn(60 * 5 * 4 * 80, log_interval=None)
    means = by_generation(model.lineage)["fitness"].mean(axis=1)
    assert means[-1] > means[0] + 8


def test_hyperparameters_drift_and_are_logged(tmp_path):
    model = harlow(hyperparameters={"discount": (0.5, 0.1, 0.4, 0.6)})
    model.set_logger(configure(str(tmp_path), ["csv"]))
    model.learn(14 * LIFE)
    table = pandas.read_csv(tmp_path / "progress.csv")
    assert model.drift.shape == (model.generation, 4, 3)
    assert np.allclose(model.drift[0], model.drift[0, :, :1])  # newcomers are alike
    mean, low, high = model.drift[-1, 1]
    assert 0.4 <= low < mean < high <= 0.6
    assert np.allclose(table["population/discount"], model.drift[:, 1, 0])
    assert (table["population/diverged"] == 0).all()


# ---------------------------------------------------------------- bad input


def test_a_lifetime_is_worth_the_sum_of_its_problems_or_the_worst_that_is_known():
    """Members 4 and 7 live two lifetimes of two problems; member 7 diverged in the second problem of its first."""
    member, nothing = np.repeat([7, 4], 4), np.zeros((8, 1), np.int64)
    jobs = Jobs(member, np.arange(8), nothing, None, np.ones(8, bool))
    returns, finite = np.array([1.0, 99, 3, 4, 5, 6, 7, 8]), np.arange(8) != 1
    episodes = Episodes(jobs, returns, np.ones(8), finite=finite, learned={"bias": np.arange(8.0)[:, None]})
    scores = lifetime_scores(episodes, 2, 2, 1, known=np.array([-3.0, np.nan]))
    assert scores.members.tolist() == [4, 7]
    assert scores.fitness.tolist() == [(5 + 6 + 7 + 8) / 2, (-3 + 3 + 4) / 2]
    assert scores.learned["bias"].tolist() == [[5.5], [1.5]]
    assert scores.diverged == 1


def test_a_life_that_diverges_gets_the_worst_score_is_counted_and_the_run_goes_on(tmp_path):
    model = harlow("lamarck", hyperparameters={"learning_rate": (1e-3, 0, 0, 1)})
    model.loop.run.state.parameters["value_net.bias"][2] = np.inf
    model.set_logger(configure(str(tmp_path), ["csv"]))
    model.learn(6 * LIFE)
    assert model.generation == 1
    assert model.fitness[2] == model.fitness.min()
    assert model.diverged == 3  # each of its lives
    assert np.isfinite(model.fitness).all()
    model.learn(4 * LIFE, reset_num_timesteps=False)
    assert model.generation == 3
    model.logger.close()  # or the file is collected, with a warning, in some later test
    table = pandas.read_csv(tmp_path / "progress.csv")
    assert table["population/diverged"].iloc[0] == 3


def test_where_everybody_diverges_the_run_goes_on():
    model = harlow("baldwin")
    model.loop.run.state.parameters["value_net.bias"][:] = np.nan
    model.learn(6 * LIFE)
    assert (model.fitness == 0).all()
    assert model.diverged == 18


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("inheritance", "baldwn", "inheritance is 'baldwn'; choose one of darwin, baldwin, lamarck; did you mean"),
        ("inheritance", None, "choose one of darwin, baldwin, lamarck"),
        ("tournament_size", 7, "tournament_size is 7, and population_size 6"),
        ("n_offspring", 7, "n_offspring is 7 and elites 0, and population_size 6"),
        ("elites", 5, "n_offspring is 2 and elites 5, and population_size 6"),
        ("n_tasks", 0, "n_tasks is 0"),
        ("n_updates", 1.5, "n_updates is 1.5"),
        ("n_parents", 0, "n_parents is 0"),
        ("mutation_std", -0.1, "mutation_std is -0.1"),
        ("replacement", "best", "replacement is 'best'; choose one of random, worst"),
        (
            "hyperparameters",
            {"learning_rate": (1e-3, 0, 1e-2, 1e-4)},
            r"hyperparameters\['learning_rate'\] is .*smalles",
        ),
        ("hyperparameters", {"discount": (0.5, 0.1, 0.6, 0.9)}, "smallest <= first <= largest"),
        ("hyperparameters", {"discount": (0.5, 0.1)}, "it must be .first, deviation, smallest, largest."),
        ("hyperparameters", {"gamma": (0.5, 0.1, 0.4, 0.9)}, "hyperparameters is 'gamma'; choose one of learning_rate"),
        ("policy", "MlpPolicy", "MlpPolicy has no critic, .*take RecurrentPolicy or ActorCriticPolicy"),
        ("policy", ["RecurrentPolicy", "ActorCriticPolicy"], "policy names 2 designs; Genetic evolves one"),
    ],
)
def test_settings_out_of_range_are_named(setting, value, message):
    with pytest.raises(ValueError, match=message):
        harlow(**{setting: value})
