"""Culture: the published algorithm, step by step and by its published numbers."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3.common.evaluation import evaluate_policy
from torch import nn

from popagents.common.lineage import Transmission
from popagents.common.randomness import keys, shuffles
from popagents.learners.culture.culture import Culture, draw_teachers
from popagents.learners.updates.adam import Adam
from popagents.learners.updates.imitation import imitate, stacked
from popagents.learners.updates.linear_imitation import linear
from popagents.population.policies import CnnPolicy, LinearPolicy, MlpPolicy
from popagents.population.population import Stack
from popagents.rollout.make_env import native_vec_env
from popagents.rollout.play import Lives, Record
from tests.learners.games import Ring
from tests.learners.test_population import ARM, BOARD, FIVE, GRID, PAIR, policy, seen

YARDSTICK_500 = (3.4, 5.0)  # mean of the last 10 of 500 generations, source's settings, three seeds


def lesson(space, action_space, pairs, seed):
    action_space.seed(seed)
    return seen(space, pairs, seed), np.stack([action_space.sample() for _ in range(pairs)])


def learned_by_torch(template, genes, given, key, learning_rate, n_epochs, batch_size):
    """Imitate one lesson as one would with SB3's policy and torch.optim.Adam."""
    weights = dict(template.named_parameters())
    with torch.no_grad():
        for name, values in genes.items():
            weights[name].copy_(torch.from_numpy(values))
    optimizer = torch.optim.Adam([weights[name] for name in genes], lr=learning_rate)
    observations, actions = (torch.from_numpy(x) for x in given)
    for order in shuffles(key, len(actions), n_epochs):
        for batch in torch.from_numpy(order).split(batch_size):
            outputs = template.outputs(observations[batch])
            if isinstance(template.action_space, gym.spaces.Box):
                spread = torch.distributions.Normal(outputs, template.log_std.exp())
                loss = -spread.log_prob(actions[batch]).sum(dim=1).mean()
            else:
                parts = torch.split(outputs, list(template.actions.sizes), dim=1)
                chosen = actions[batch].reshape(len(batch), -1)
                loss = sum(nn.functional.cross_entropy(part, chosen[:, i]) for i, part in enumerate(parts))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {name: weights[name].detach().numpy() for name in genes}


@pytest.mark.parametrize(
    ("policy_class", "space", "actions"),
    [
        (LinearPolicy, BOARD, FIVE),
        (MlpPolicy, BOARD, FIVE),
        (MlpPolicy, BOARD, PAIR),
        (LinearPolicy, BOARD, ARM),
        (CnnPolicy, GRID, FIVE),
    ],
)
def test_imitation_is_cross_entropy_by_torchs_adam(policy_class, space, actions):
    stack = Stack(policy(policy_class, space, actions), 5)
    stack.randomize(np.random.default_rng(0), 0.1)
    before = {k: v.copy() for k, v in stack.parameters.items()}
    rows = np.array([4, 1, 2])
    lessons = [lesson(space, actions, pairs, pairs) for pairs in (40, 33, 7)]  # full, ragged and short batches
    orders = keys(0, 0, 0, rows)
    parameters, state = imitate(stack, Adam.blank(stack), rows, lessons, orders, 1e-2, 3, 16)
    for row, given, key in zip(rows, lessons, orders, strict=True):
        genes = {name: values[row] for name, values in before.items()}
        expected = learned_by_torch(policy(policy_class, space, actions), genes, given, key, 1e-2, 3, 16)
        for name, values in expected.items():  # a few gradients are rounding alone, and Adam gives those any sign
            assert np.quantile(np.abs(parameters[name][row] - values), 0.999) < 5e-5
    assert list(state.steps) == [0, 9, 3, 0, 9]
    for row in (0, 3):
        assert all((parameters[name][row] == values[row]).all() for name, values in before.items())
    assert all((stack.parameters[name] == values).all() for name, values in before.items())


def test_the_compiled_linear_form_agrees_with_the_general_one_and_keeps_adams_memory():
    stack = Stack(policy(LinearPolicy), 3)
    rows, orders = np.arange(3), keys(0, 0, 0, np.arange(3))
    results = []
    for learn in (linear, stacked):
        parameters, state = {k: v.copy() for k, v in stack.parameters.items()}, Adam.blank(stack)
        for round_ in range(2):
            lessons = [lesson(BOARD, FIVE, 50, 10 * round_ + i) for i in range(3)]
            learn(stack, parameters, state, rows, lessons, orders, 1e-2, 4, 16)
        results.append(
            parameters | {f"m{k}": v for k, v in state.first.items()} | {f"v{k}": v for k, v in state.second.items()}
        )
    assert all(np.allclose(results[0][k], results[1][k], atol=1e-4) for k in results[0])


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


def test_one_tell_on_three_candidates_by_hand():
    """The best stays; the second learns the best's one action; equals stand by number at first."""
    model = Culture("LinearPolicy", Ring(), population_size=3, n_epochs=1, learning_rate=0.1, seed=0)
    model._total_timesteps = 100
    (stack,) = model.population.stacks
    for values in stack.parameters.values():
        values[:] = 0
    observations = np.zeros((2, 3, 8), np.float32)  # two steps of three slots
    observations[0, :, 1] = observations[1, :, 2] = 1
    actions = np.array([[0, 1, 1], [0, 1, 0]])
    spans = np.array([[0, 0, 2], [1, 0, 2], [2, 0, 2]])
    lives = Lives(
        np.arange(3), np.array([5.0, 9.0, 5.0]), np.full(3, 2), observations[0], Record(observations, actions, spans)
    )
    parents, second, transmission = model.tell(np.arange(3), lives)
    assert list(parents)[:2] == [1, -1]
    assert parents[2] in (0, 1)
    assert list(second) == [-1, -1, -1]
    assert transmission is Transmission.IMITATION
    assert model.order.tolist() == [1, 0, 2]
    weight, bias = stack.parameters["action_net.weight"], stack.parameters["action_net.bias"]
    assert (weight[1] == 0).all()
    # Adam's first step moves each parameter that has a gradient by the learning rate against its sign. Member 0 saw its
    # teacher (member 1) choose action 1 in both situations: logits were 0, so error (softmax - one-hot) is (1/2, -1/2).
    assert np.allclose(weight[0][:, 1], [-0.1, 0.1], atol=1e-6)
    assert np.allclose(weight[0][:, 2], [-0.1, 0.1], atol=1e-6)
    assert np.allclose(bias[0], [-0.1, 0.1], atol=1e-6)
    assert (weight[0][:, [0, 3, 4, 5, 6, 7]] == 0).all()


def test_equals_keep_the_order_of_the_generation_before(tmp_path):
    model = Culture("LinearPolicy", Ring(), population_size=3, seed=0)
    model._total_timesteps = 100
    observations, actions = np.zeros((2, 3, 8), np.float32), np.zeros((2, 3), np.int64)
    record = Record(observations, actions, np.array([[0, 0, 2], [1, 0, 2], [2, 0, 2]]))
    assert model.order.tolist() == [0, 1, 2]
    for returns, order in (
        ([5.0, 9.0, 9.0], [1, 2, 0]),
        ([5.0, 5.0, 9.0], [2, 1, 0]),  # 1 stood before 0
        ([9.0, 9.0, 9.0], [2, 1, 0]),
        ([9.0, 5.0, 5.0], [0, 2, 1]),
        ([9.0, 9.0, 5.0], [0, 1, 2]),
    ):
        lives = Lives(np.arange(3), np.array(returns), np.full(3, 2), observations[0], record)
        parents, _, _ = model.tell(np.arange(3), lives)
        assert model.order.tolist() == order
        assert parents[order[0]] == -1
        assert parents[order[1]] == order[0]
        model.save(tmp_path / "m")
        assert Culture.load(tmp_path / "m").order.tolist() == order


def test_members_play_several_episodes_and_teach_all_of_them():
    model = Culture("LinearPolicy", Ring(), population_size=4, episodes=3, seed=0).learn(100)
    jobs = model._jobs(2)
    assert list(jobs) == [6, 7, 8]
    assert model.lineage["fitness"].shape == (4 * model.generation,)
    assert len(model._recorder.observations) >= 3  # a member's three episodes follow one another in its slots


def test_the_lineage_says_who_learned_from_whom():
    model = Culture("LinearPolicy", Ring(), population_size=5, seed=0).learn(400)
    rows = model.lineage.reshape(-1, 5)
    assert (rows["member"] == np.arange(5)).all()
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
    weight, bias = model.population.stacks[0].parameters.values()
    assert weight.std() == pytest.approx(0.05, rel=0.02)
    assert abs(weight.mean()) < 0.001
    assert (bias == 0).all()
    continuous = Culture("LinearPolicy", Ring(ARM), policy_kwargs={"log_std_init": -0.5}, seed=0)
    assert (continuous.population.stacks[0].parameters["log_std"] == -0.5).all()  # the design's, not drawn


def test_the_learning_rate_falls_geometrically_with_progress(monkeypatch):
    rates = []

    def watched(stack, adam, rows, lessons, shuffle_keys, rate, n_epochs, batch_size):
        rates.append(rate)
        return imitate(stack, adam, rows, lessons, shuffle_keys, rate, n_epochs, batch_size)

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
