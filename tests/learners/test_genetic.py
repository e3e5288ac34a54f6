"""The genetic algorithm over lifetimes: what is inherited, how lives go, and what is refused."""

import itertools

import gymnasium as gym
import numpy as np
import pandas
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from popagents.common.lineage import Transmission, by_generation
from popagents.common.randomness import Purpose, keys
from popagents.common.ranking import ranked
from popagents.learners.genetic.genetic import Genetic
from popagents.learners.updates.lifetime import Lifetime, live_again
from popagents.population.recurrent import RecurrentPolicy
from popagents.rollout.make_env import native_vec_env
from popagents.rollout.play import Lives
from tests.learners.games import Ring

HARLOW = "popenvs:PopHarlow-v0"
SMALL = {"population_size": 6, "tournament_size": 3, "n_offspring": 2, "n_tasks": 3, "n_updates": 2}
SMALL |= {"champion_episodes": 2, "seed": 0}
TWENTY = {"n_trials": 20}
LIFE = 3 * (2 * 6 + 20)  # steps of a small lifetime


def harlow(inheritance="baldwin", env=HARLOW, policy="RecurrentPolicy", **settings):
    return Genetic(policy, env, **{"inheritance": inheritance, "evaluation_options": TWENTY} | SMALL | settings)


def arrays(model):
    return {k: v.copy() for k, v in model.population.stacks[0].parameters.items()} | model.learner_arrays()


def same(first, second):
    first, second = arrays(first), arrays(second)
    return first.keys() == second.keys() and all(np.array_equal(first[k], second[k]) for k in first)


# ---------------------------------------------------------------- what is inherited


@pytest.mark.parametrize("inheritance", ["darwin", "baldwin", "lamarck"])
def test_only_under_lamarck_do_lives_change_what_members_pass_on(inheritance):
    model = harlow(inheritance)
    before = arrays(model)
    model.learn(1)
    after = arrays(model)
    changed = [name for name in before if "." in name and (before[name] != after[name]).any()]
    assert bool(changed) == (inheritance == "lamarck")
    if changed:
        assert set(changed) == {name for name in before if "." in name}
        assert all(np.abs(before[name] - after[name]).max() < 0.2 for name in changed)


def test_under_lamarck_a_member_passes_on_the_mean_of_what_it_learned():
    model = harlow("lamarck", mutation_std=0.0)
    learned = []
    kept = model._minds

    def minds(*arguments):
        learned.append(kept(*arguments))
        return learned[-1]

    model._minds = minds
    model.learn(1)
    for name, values in learned[0].learned().items():
        means = values.reshape(6, 3, *values.shape[1:]).mean(axis=1)
        assert np.allclose(model.population.stacks[0].parameters[name], means)


def test_one_tell_on_three_members_by_hand():
    """Members 0 and 2 are the tournament; their child takes the place of member 1, the worst."""
    model = Genetic(
        "LinearPolicy", Ring(), population_size=3, tournament_size=2, n_offspring=1, replacement="worst", seed=0
    )
    model._bear()
    observations = np.zeros((3, 8), np.float32)
    lives = Lives(np.arange(3), np.array([5.0, 1.0, 9.0]), np.full(3, 2), observations)
    first, second, transmission = model.tell(np.arange(3), lives)
    assert transmission is Transmission.BIRTH
    assert first.tolist()[::2] == second.tolist()[::2] == [-1, -1]
    assert {first[1], second[1]} <= {0, 2}
    model.fitness, model.generation = model.scores(lives), 1
    assert model.ask().tolist() == [1]
    model._bear()
    genes, (living,) = model.population.stacks[0].parameters, model._living.stacks
    for name, values in living.parameters.items():  # one layer: it is wholly one parent's
        assert (values[[0, 2]] == genes[name][[0, 2]]).all()
        nearest = min(np.abs(values[1] - genes[name][parent]).max() for parent in (first[1], second[1]))
        assert 0 < nearest < 0.1
        assert not np.array_equal(values[1], genes[name][1])


def test_children_are_copies():
    """In the source mutating a child moves its parent; here only the newborn and lamarckian learners change."""
    model = harlow("baldwin", replacement="worst").learn(1)
    for _ in range(4):
        before = arrays(model)
        births = model._births(model.fitness, model.generation)
        model.learn(1, reset_num_timesteps=False)
        after = arrays(model)
        others = np.setdiff1d(np.arange(6), births.places)
        for name in (n for n in before if "." in n):
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
    live = model.live

    def kept(candidates, hook):
        lives = live(candidates, hook)
        for member in np.flatnonzero(model._newborn):
            seen[member] = []
        for member, score in zip(lives.members, lives.returns, strict=True):
            seen[member].append(score)
        return lives

    model.live = kept
    model.learn(12 * 60 * 6)
    assert model.fitness == pytest.approx([np.mean(scores) for scores in seen])
    assert max(map(len, seen)) > 2
    assert model._judged.tolist() == list(map(len, seen))


def test_the_elite_keeps_its_place():
    model = Genetic("LinearPolicy", Ring(), population_size=5, tournament_size=2, n_offspring=4, elites=1, seed=0)
    best = -np.inf
    for _ in range(12):
        model.learn(1, reset_num_timesteps=False)
        assert model.fitness.max() >= best
        best = model.fitness.max()


# ---------------------------------------------------------------- lifetimes


def test_a_life_keeps_its_problem_and_meets_its_evaluation_last():
    met = []

    class Watched(gym.Wrapper):
        def reset(self, **given):
            observation, info = super().reset(**given)
            if given.get("seed") is not None:  # SB3 resets once, when a run begins
                met.append((tuple(info["problem"]), (given.get("options") or {}).get("n_trials", 6)))
            return observation, info

    model = harlow(env=DummyVecEnv([lambda: Watched(gym.make(HARLOW))]))
    model.learn(1)
    lives = 6 * 3
    training, last = met[: 2 * lives], met[2 * lives : 3 * lives]
    problems = [problem for problem, _ in training[:lives]]
    assert len(set(problems)) > 9
    assert training == [(problem, 6) for problem in problems] * 2
    assert last == [(problem, 20) for problem in problems]


def test_problems_that_are_not_pinned_change():
    model = harlow(pin_problems=False, n_tasks=8)
    problems = []
    lifetime = Lifetime(2, False, {})
    slots = model._training_slots()
    live = lifetime.live

    class Kept:
        def __getattr__(self, name):
            return getattr(lifetime, name)

        def live(self, minds, slots, *rest):
            shuffle = slots.deck.shuffle
            slots.deck.shuffle = lambda options: (problems.append(slots.deck.problems), shuffle(options))[1]
            return live(minds, slots, *rest)

    model._lifetime = Kept()
    model.learn(1)
    assert slots.n == 2 * 8  # a slot for each child and problem
    first, second = (np.array(p) for p in problems[1:3])
    assert (first != second).any(axis=1).mean() > 0.7


@pytest.mark.bits
@pytest.mark.parametrize("inheritance", ["darwin", "lamarck"])
def test_slots_and_kinds_of_environment_never_change_a_lifetime(inheritance):
    reference = harlow(inheritance).learn(9 * LIFE)
    makers = [lambda: gym.make(HARLOW)] * 4
    envs = [native_vec_env(HARLOW, 5), native_vec_env(HARLOW, 40), DummyVecEnv(makers)]
    envs.append(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED))
    for env in envs:
        assert same(harlow(inheritance, env).learn(9 * LIFE), reference)


@pytest.mark.bits
@pytest.mark.parametrize("policy", ["RecurrentPolicy", "ActorCriticPolicy"])
def test_a_stopped_saved_and_loaded_lifetime_goes_on_bit_for_bit(policy, tmp_path):
    whole = harlow("lamarck", policy=policy, reevaluate=True).learn(12 * LIFE)
    stopped = harlow("lamarck", policy=policy, reevaluate=True)
    stopped.learn(12 * LIFE, callback=lambda local, _: local["self"].num_timesteps < 7 * LIFE)
    stopped.save(tmp_path / "model")
    loaded = Genetic.load(tmp_path / "model", env=HARLOW)
    assert loaded.generation == stopped.generation > 0
    assert same(loaded.learn(12 * LIFE, resume=True), whole)
    assert (loaded.lineage == whole.lineage).all()


@pytest.mark.parametrize("space", [spaces.Discrete(2), spaces.MultiDiscrete([2, 2]), spaces.Box(-1, 1, (1,))], ids=str)
@pytest.mark.parametrize("policy", ["RecurrentPolicy", "ActorCriticPolicy"])
def test_members_learn_in_an_ordinary_environment(policy, space):
    model = Genetic(policy, Ring(space), inheritance="baldwin", **SMALL).learn(500)
    assert model.num_timesteps == model.lineage["timesteps"][-1]
    assert np.isfinite(model.fitness).all()


def test_a_lifetime_of_learning_raises_the_score_on_an_ordinary_environment():
    settings = SMALL | {"n_tasks": 5, "n_updates": 60, "hyperparameters": {"learning_rate": (1e-2, 0, 0, 1)}}
    fitness = {
        inheritance: Genetic("RecurrentPolicy", DummyVecEnv([Ring] * 20), inheritance=inheritance, **settings).learn(1)
        for inheritance in ("darwin", "baldwin")
    }
    assert fitness["baldwin"].fitness.mean() > fitness["darwin"].fitness.mean() + 1.5


def test_newcomers_score_what_the_source_measured():
    """49.5 in the source; 60 newcomers have a standard error of 2.6."""
    import torch

    torch.manual_seed(1)
    env = native_vec_env(HARLOW, 250)
    policies = [RecurrentPolicy(env.observation_space, env.action_space) for _ in range(60)]
    scores = live_again(policies, env, (7.5e-4, 0.91, 0.4, 1e-3), Lifetime(evaluation_options=TWENTY), 10, seed=1)
    assert scores.shape == (60, 10)
    assert 42 < scores.sum(axis=1).mean() < 57


def test_evolution_makes_learners_better():
    model = Genetic(
        "RecurrentPolicy", HARLOW, inheritance="baldwin", n_tasks=4, n_updates=10, evaluation_options=TWENTY,
        hyperparameters={"learning_rate": (3e-3, 5e-4, 1e-4, 5e-2)}, champion_episodes=1, seed=1,
    )  # fmt: skip
    model.learn(60 * 5 * 4 * 80, log_interval=None)
    means = by_generation(model.lineage)["fitness"].mean(axis=1)
    assert means[-1] > means[0] + 8


def test_a_recurrent_champion_remembers_in_evaluate_policy():
    model = harlow("darwin").learn(200)
    mean, _ = evaluate_policy(model, native_vec_env(HARLOW, 4), n_eval_episodes=8, warn=False)
    assert -6 <= mean <= 6
    _, memory = model.predict(np.zeros(5, np.float32))
    assert memory[0].shape == (1, 20)


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


def test_a_life_that_diverges_gets_the_worst_score_is_counted_and_the_run_goes_on(tmp_path):
    model = harlow("lamarck", hyperparameters={"learning_rate": (1e-3, 0, 0, 1)})
    model.population.stacks[0].parameters["value_net.bias"][2] = np.inf
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
    model.population.stacks[0].parameters["value_net.bias"][:] = np.nan
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


def test_problems_asked_for_where_there_are_none_are_refused():
    with pytest.raises(ValueError, match=r"pin_problems is True, but reset\(\) returned no info\[\"problem\"\]"):
        harlow(env=Ring(), pin_problems=True, evaluation_options=None).learn(1)
    with pytest.raises(ValueError, match="pin_problems is True .*nobody lives a lifetime"):
        Genetic("LinearPolicy", Ring(), pin_problems=True)
    with pytest.raises(ValueError, match="cannot be reset one by one"), pytest.warns(UserWarning, match="seeded"):
        harlow(env=VecNormalize(DummyVecEnv([Ring])), evaluation_options=None).learn(1)


@pytest.mark.parametrize("flaw", ["nan", "raises"])
def test_an_environment_that_fails_in_a_lifetime_leaves_the_population_as_it_was(flaw):
    env = Ring()
    model = Genetic("RecurrentPolicy", env, inheritance="lamarck", **SMALL).learn(1)
    before, generation = arrays(model), model.generation
    env.flaw = flaw
    with pytest.raises(RuntimeError, match="nan|wheel"):
        model.learn(1, reset_num_timesteps=False)
    after = arrays(model)
    assert all(np.array_equal(before[k], after[k]) for k in before)
    assert model.generation == generation
