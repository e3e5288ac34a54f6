"""Maximising functions that somebody brings."""

import sys

import gymnasium as gym
import numpy as np
import pytest
import torch

from popagents import maximize
from popagents.learners.es.ask_tell import AskTell
from popagents.learners.es.gradient_strategy import GradientStrategy

TARGET = np.array([0.5, 0.1, -0.3])
FAST = {"generations": 6, "population_size": 4, "seed": 1}


def quadratic(parameters):
    (point,) = parameters
    return -((point - TARGET) ** 2).sum()


def test_a_quadratic_is_found_within_a_hundredth():
    for seed in range(3):
        start = [np.zeros(3)]
        found = maximize(quadratic, start, generations=150, population_size=20, sigma=0.1, seed=seed)
        assert np.abs(found.parameters[0] - TARGET).max() < 0.01
        assert found.reward == pytest.approx(quadratic(found.parameters))
        assert (start[0] == found.parameters[0]).all()


def test_it_asks_and_tells_and_tests_every_centre():
    judged = []

    def reward(parameters):
        judged.append(parameters[0].copy())
        return quadratic(parameters)

    found = maximize(reward, [np.zeros(3)], generations=2, population_size=4, sigma=0.2, seed=5)
    search, expected = AskTell(GradientStrategy(population_size=4, sigma=0.2), np.zeros(3), seed=5), [np.zeros(3)]
    for _ in range(2):
        members = search.ask()
        search.tell([quadratic([member.astype(float)]) for member in members])
        expected += [*members, search.centre]
    assert np.array_equal(judged, expected)
    assert found.rewards.tolist() == [quadratic([expected[i].astype(float)]) for i in (0, 5, 10)]
    assert not found.reached


def test_the_best_centre_is_returned_and_of_equals_the_last():
    for rewards, best in (([0.0, 3.0, 1.0], 1), ([0.0, 3.0, 3.0], 2), ([4.0, 3.0, 2.0], 0)):
        calls, centres = [], []

        def reward(parameters, rewards=rewards, calls=calls, centres=centres):
            calls.append(float(parameters[0].sum()))
            if len(calls) % 5 != 1:
                return calls[-1]
            centres.append(parameters[0])
            return rewards[len(centres) - 1]

        start = [np.zeros(3)]
        found = maximize(reward, start, generations=2, population_size=4, seed=0)
        assert found.rewards.tolist() == rewards
        assert found.reward == max(rewards)
        assert (found.parameters[0] == centres[best]).all()
        assert (start[0] == centres[best]).all()


def test_a_modules_parameters_are_judged_as_tensors_and_hold_the_best_centre():
    module = torch.nn.Linear(3, 2).to(torch.float64)
    for values in module.parameters():
        torch.nn.init.ones_(values)
    before = [values.detach().clone() for values in module.parameters()]
    kept = []

    def reward(parameters):
        assert isinstance(parameters, list)
        assert [tuple(values.shape) for values in parameters] == [(2, 3), (2,)]
        assert all(values.dtype == torch.float64 and not values.requires_grad for values in parameters)
        assert all((values == first).all() for values, first in zip(module.parameters(), before, strict=True))
        kept.append([values.clone() for values in parameters])
        value = -sum((values**2).sum() for values in parameters)
        for values in parameters:
            values.zero_()  # they are copies: nobody else sees it
        return value

    found = maximize(reward, module.parameters(), learning_rate=0.1, **FAST)
    assert found.rewards[-1] > found.rewards[0]
    for values, best, judged in zip(module.parameters(), found.parameters, kept[-1], strict=True):
        assert values.requires_grad
        assert torch.equal(values.detach(), best)
        assert torch.equal(best, judged)


def test_a_dict_stays_a_dict_and_every_dtype_and_shape_itself():
    start = {
        "weight": np.ones((2, 3), np.float16),
        "scale": np.array(2.0),
        "torch": torch.ones(2, dtype=torch.bfloat16),
    }
    kinds = {name: (type(values), values.shape, values.dtype) for name, values in start.items()}

    def reward(parameters):
        assert {name: (type(values), values.shape, values.dtype) for name, values in parameters.items()} == kinds
        return -sum(float((values**2).sum()) for values in parameters.values())

    found = maximize(reward, start, **FAST)
    for name, values in start.items():
        assert (values == found.parameters[name]).all()
        assert (values != 1).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_reward_may_change_what_it_gets(dtype):
    def reward(parameters):
        value = quadratic(parameters)
        parameters[0][:] = 99
        return value

    found, expected = (maximize(judge, [np.zeros(3, dtype)], **FAST) for judge in (reward, quadratic))
    assert found.rewards.tolist() == expected.rewards.tolist()
    assert (found.parameters[0] == expected.parameters[0]).all()


def test_cartpole_is_solved_in_a_loop_of_ones_own():
    env = gym.make("CartPole-v1")

    def reward(parameters):
        weight, steps = parameters[0], 0
        for seed in range(3):
            (observation, _), over = env.reset(seed=seed), False
            while not over:
                observation, _, terminated, truncated, _ = env.step(int(weight @ observation > 0))
                steps, over = steps + 1, terminated or truncated
        return steps / 3

    settings = {"population_size": 12, "sigma": 0.2, "learning_rate": 0.05, "optimizer": "sgd"}
    settings |= {"fitness_shaping": "zscore", "reward_goal": 475, "consecutive_goal_stopping": 1}
    found = maximize(reward, [np.zeros(4)], generations=30, seed=0, **settings)
    assert found.reached
    assert 475 <= found.reward == reward(found.parameters)


def test_a_goal_must_be_held_in_several_tests_on_end():
    given = (9, 4, 9, 9, 3, 9, 9, 9, 9, 9)
    calls = []

    def reward(parameters):
        calls.append(0)
        return given[len(calls) // 3] if len(calls) % 3 == 1 else parameters[0].sum()

    goal = {"reward_goal": 8, "consecutive_goal_stopping": 3}
    found = maximize(reward, [np.zeros(2)], generations=9, population_size=2, seed=0, **goal)
    assert found.rewards.tolist() == [9, 4, 9, 9, 3, 9, 9, 9]
    assert found.reached
    short = maximize(lambda p: 7.0, [np.zeros(2)], generations=4, population_size=2, seed=0, **goal)
    assert (len(short.rewards), short.reached) == (5, False)
    already = maximize(
        lambda p: 8.0, [np.zeros(2)], generations=4, population_size=2, reward_goal=8, consecutive_goal_stopping=1
    )
    assert (len(already.rewards), already.reached) == (1, True)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    ("call", "whose"), [(0, "the centre in generation 0"), (3, "member 2 in generation 0"), (5, "the centre")]
)
def test_rewards_that_are_not_finite_are_refused_and_named(bad, call, whose):
    calls = []

    def reward(parameters):
        calls.append(0)
        return bad if len(calls) == call + 1 else 1.0

    start = [np.ones(3)]
    with pytest.raises(ValueError, match=f"reward returned {bad} for {whose}"):
        maximize(reward, start, **FAST)
    assert (start[0] == 1).all()


def test_a_reward_that_is_no_number_is_refused():
    for value in (None, "high", np.ones(2)):
        with pytest.raises(TypeError, match="for the centre in generation 0; it must return one number"):
            maximize(lambda p, value=value: value, [np.zeros(2)], **FAST)


def frozen():
    values = np.zeros(3)
    values.flags.writeable = False
    return values


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ([], ValueError, "parameters holds no number"),
        ([np.zeros((0, 3))], ValueError, "parameters holds no number"),
        (np.zeros(3), TypeError, r"parameters is a ndarray; give a list or a dict of tensors or arrays"),
        (torch.nn.Linear(2, 2), TypeError, r"parameters is a Linear; .* module\.parameters\(\)"),
        ([[1.0, 2.0]], TypeError, r"parameters\[0\] is a list; give torch tensors or NumPy arrays"),
        ({"w": np.zeros(3, int)}, TypeError, r"parameters\['w'\] is of int64; give floating-point numbers"),
        ([torch.zeros(2, dtype=torch.int32)], TypeError, r"parameters\[0\] is of torch\.int32"),
        ([frozen()], ValueError, r"parameters\[0\] is read-only"),
    ],
)
def test_parameters_that_are_none_are_refused(parameters, error, message):
    with pytest.raises(error, match=message):
        maximize(quadratic, parameters, **FAST)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"generations": 0}, "generations is 0; it must be a whole number, 1 or more"),
        ({"population_size": 7}, "population_size is 7; .* needs an even number"),
        ({"sigma": 0}, "sigma is 0; it must be above 0"),
        ({"optimizer": "rmsprop"}, "optimizer is 'rmsprop'; choose one of adam, sgd"),
        ({"reward_goal": 5.0}, "a goal needs both"),
        ({"consecutive_goal_stopping": 5}, "a goal needs both"),
        ({"reward_goal": float("nan"), "consecutive_goal_stopping": 5}, "reward_goal is nan"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        maximize(quadratic, [np.zeros(3)], **FAST | settings)


def test_a_bar_counts_generations_and_without_tqdm_there_is_one_error(monkeypatch, capsys):
    maximize(quadratic, [np.zeros(3)], progress_bar=True, **FAST)
    assert "6/6" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match=r'^tqdm is not installed; run `pip install "\.\[zoo\]"` in '):
        maximize(quadratic, [np.zeros(3)], progress_bar=True, **FAST)
    maximize(quadratic, [np.zeros(3)], **FAST)
