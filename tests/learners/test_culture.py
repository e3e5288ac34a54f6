"""Culture: the published algorithm, step by step and by its published numbers."""

from dataclasses import replace

import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.evaluation import evaluate_policy

from popagents.common.lineage import Transmission
from popagents.learners.culture.culture import Culture, draw_teachers
from popagents.learners.updates.imitation import imitate
from popagents.rollout.jobs import Episodes, Record
from popagents.rollout.make_env import native_vec_env
from tests.learners.by_hand import generation_of, in_env
from tests.learners.games import Ring

YARDSTICK_500 = (3.4, 5.0)  # mean of the last 10 of 500 generations, source's settings, three seeds


def test_teachers_are_drawn_uniformly_among_the_betters():
    ranked = np.array([2, 0, 3, 1])  # member 2 is the best
    drawn = np.array([draw_teachers(ranked, 1.0, np.random.default_rng(i)) for i in range(3000)])
    assert (drawn[:, 2] == -1).all()
    assert (drawn[:, 0] == 2).all()
    assert np.allclose([(drawn[:, 3] == m).mean() for m in (2, 0)], 1 / 2, atol=0.04)
    assert np.allclose([(drawn[:, 1] == m).mean() for m in (2, 0, 3)], 1 / 3, atol=0.04)


def test_a_teacher_share_lets_only_the_best_teach():
    ranked = np.arange(20)
    teachers = draw_teachers(ranked, 0.1, np.random.default_rng(0))
    assert set(teachers[2:]) == {0, 1}
    assert teachers[1] == 0
    assert set(draw_teachers(ranked, 0.01, np.random.default_rng(0))[1:]) == {0}


def two_steps(returns, observations, actions):
    """Return what answers a request of three members with episodes of two steps in three slots."""
    spans = np.array([[0, 0, 2], [1, 0, 2], [2, 0, 2]])

    def answer(request):
        assert request.record
        assert request.jobs.member.tolist() == [0, 1, 2]
        record = Record(observations, actions, spans)
        return Episodes(request.jobs, np.array(returns), np.full(3, 2), spans=spans, record=record)

    return answer


def test_one_generation_of_three_members_by_hand():
    """The best stays; the second learns the best's one action; equals stand by number at first."""
    model = Culture("LinearPolicy", Ring(), population_size=3, n_epochs=1, learning_rate=0.1, seed=0)
    state = model.loop.run.state
    blank = {name: np.zeros_like(values) for name, values in state.population[0].items()}
    observations = np.zeros((2, 3, 8), np.float32)  # two steps of three slots
    observations[0, :, 1] = observations[1, :, 2] = 1
    actions = np.array([[0, 1, 1], [0, 1, 0]])
    answer = two_steps([5.0, 9.0, 5.0], observations, actions)
    after, _ = generation_of(model, answer, replace(state, population=[blank]))
    assert after.fitness.tolist() == [5, 9, 5]
    assert after.champion == 1
    assert list(after.parents)[:2] == [1, -1]
    assert after.parents[2] in (0, 1)
    assert after.second_parents is None
    assert after.transmission is Transmission.IMITATION
    assert after.state.order.tolist() == [1, 0, 2]
    (learned,) = after.state.population
    weight, bias = learned["action_net.weight"], learned["action_net.bias"]
    assert (weight[1] == 0).all()
    # Adam's first step moves each parameter that has a gradient by the learning rate against its sign. Member 0 saw its
    # teacher (member 1) choose action 1 in both situations: logits were 0, so error (softmax - one-hot) is (1/2, -1/2).
    assert np.allclose(weight[0][:, 1], [-0.1, 0.1], atol=1e-6)
    assert np.allclose(weight[0][:, 2], [-0.1, 0.1], atol=1e-6)
    assert np.allclose(bias[0], [-0.1, 0.1], atol=1e-6)
    assert (weight[0][:, [0, 3, 4, 5, 6, 7]] == 0).all()


def test_equals_keep_the_order_of_the_generation_before(tmp_path):
    model = Culture("LinearPolicy", Ring(), population_size=3, seed=0)
    observations, actions = np.zeros((2, 3, 8), np.float32), np.zeros((2, 3), np.int64)
    assert model.loop.run.state.order.tolist() == [0, 1, 2]
    for returns, order in (
        ([5.0, 9.0, 9.0], [1, 2, 0]),
        ([5.0, 5.0, 9.0], [2, 1, 0]),  # 1 stood before 0
        ([9.0, 9.0, 9.0], [2, 1, 0]),
        ([9.0, 5.0, 5.0], [0, 2, 1]),
        ([9.0, 9.0, 5.0], [0, 1, 2]),
    ):
        after, _ = generation_of(model, two_steps(returns, observations, actions))
        assert after.state.order.tolist() == order
        assert after.parents[order[0]] == -1
        assert after.parents[order[1]] == order[0]
        model.loop.run = replace(model.loop.run, state=after.state)
        model.save(tmp_path / "m")
        assert Culture.load(tmp_path / "m").loop.run.state.order.tolist() == order


def test_members_play_several_episodes_and_teach_all_of_them():
    model = Culture("LinearPolicy", Ring(), population_size=4, episodes=3, seed=0).learn(100)
    assert model.lineage["fitness"].shape == (4 * model.generation,)
    answers = []

    def kept(request):
        answers.append(in_env(model)(request))
        return answers[-1]

    after, (request,) = generation_of(model, kept)
    (episodes,) = answers
    jobs = np.flatnonzero(request.jobs.player == 2)
    assert list(jobs) == [6, 7, 8]
    assert after.fitness[2] == episodes.returns[jobs].mean()
    observations, actions = episodes.record.pairs(jobs)
    assert len(observations) == len(actions) == episodes.lengths[jobs].sum() >= 3  # all three, one after the other
    alone = np.concatenate([episodes.record.pairs(np.array([job]))[0] for job in jobs])
    assert (observations == alone).all()


def test_the_lineage_says_who_learned_from_whom():
    model = Culture("LinearPolicy", Ring(), population_size=5, seed=0).learn(400)
    rows = model.lineage.reshape(-1, 5)
    assert (rows["member"] == np.arange(5)).all()
    assert (rows["second_parent"] == -1).all()
    assert (rows["generation"] == np.arange(len(rows))[:, None]).all()
    order = np.arange(5)
    for generation in rows:
        order = order[np.argsort(-generation["fitness"][order], kind="stable")]
        best = order[0]
        assert list(np.flatnonzero(generation["parent"] == -1)) == [best]
        learners = np.flatnonzero(generation["parent"] >= 0)
        teachers = generation["parent"][learners]
        assert (generation["fitness"][teachers] >= generation["fitness"][learners]).all()
        assert (generation["transmission"][learners] == Transmission.IMITATION).all()
        assert generation["transmission"][best] == Transmission.NONE


def test_initial_weights_are_normal_and_biases_zero():
    model = Culture("LinearPolicy", "popenvs:PopPacman-v0", population_size=64, seed=0)
    (members,) = model.loop.run.state.population
    weight, bias = members.values()
    assert weight.std() == pytest.approx(0.05, rel=0.02)
    assert abs(weight.mean()) < 0.001
    assert (bias == 0).all()
    arm = spaces.Box(-2, 2, (2,), np.float32)
    continuous = Culture("LinearPolicy", Ring(arm), policy_kwargs={"log_std_init": -0.5}, seed=0)
    assert (continuous.loop.run.state.population[0]["log_std"] == -0.5).all()  # the design's, not drawn


def test_the_learning_rate_falls_geometrically_with_progress(monkeypatch):
    rates = []

    def watched(*what, learning_rate, **settings):
        rates.append(learning_rate)
        return imitate(*what, learning_rate=learning_rate, **settings)

    monkeypatch.setattr("popagents.learners.culture.culture.imitate", watched)
    lanes = native_vec_env("popenvs:PopPacman-v0", 4, max_steps=25)
    settings = {"learning_rate": 0.1, "final_learning_rate": 0.001, "population_size": 4}
    model = Culture("LinearPolicy", lanes, seed=0, **settings)
    model.learn(400)  # 4 generations of 100 steps
    assert rates == pytest.approx([0.1, 0.1 * 10**-0.5, 0.01, 0.01 * 10**-0.5])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_with_the_sources_settings_it_follows_the_yardstick(seed):
    model = Culture("LinearPolicy", "popenvs:PopPacman-v0", seed=seed, champion_episodes=1)
    model.learn(500 * 1700, log_interval=None)
    fitness = model.lineage["fitness"].reshape(500, 17).mean(axis=1)
    assert YARDSTICK_500[0] < fitness[-10:].mean() < YARDSTICK_500[1]
    assert 0.8 < fitness[:10].mean() < 1.6


def test_it_learns_to_walk_the_ring():
    model = Culture("MlpPolicy", Ring(), population_size=16, learning_rate=0.01, teacher_share=0.25, seed=0)
    before, _ = evaluate_policy(model, Ring(), n_eval_episodes=50, warn=False)
    model.learn(8_000)
    after, _ = evaluate_policy(model, Ring(), n_eval_episodes=50, warn=False)
    assert before < 0.2
    assert after > 0.75  # the shortest way round pays 0.83 on average


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("learning_rate", 0, "learning_rate is 0; it must be above 0"),
        ("learning_rate", lambda progress: progress, "give a number, and final_learning_rate"),
        ("final_learning_rate", -1, "final_learning_rate is -1"),
        ("teacher_share", 1.5, "teacher_share is 1.5; it must be above 0 and at most 1"),
        ("n_epochs", 0, "n_epochs is 0"),
        ("batch_size", 0, "batch_size is 0"),
        ("population_size", 1, "a culture needs 2 members"),
        ("policy_kwargs", [{}, {}], "policy names 1 designs, policy_kwargs 2"),
    ],
)
def test_settings_out_of_range_are_named(setting, value, message):
    with pytest.raises(ValueError, match=message):
        Culture("LinearPolicy", Ring(), **{setting: value})


def test_a_constant_schedule_counts_as_a_number():
    assert Culture("LinearPolicy", Ring(), learning_rate=lambda progress: 0.02).learning_rate == 0.02
