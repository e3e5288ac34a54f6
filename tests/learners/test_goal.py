"""Goals that stop a run."""

import pytest
from stable_baselines3 import DQN, PPO

from popagents.learners.es.es import ES
from popagents.learners.goal import StopOnGoal
from tests.learners.games import Ring


def test_a_goal_held_in_several_tests_on_end_stops_any_sb3_algorithm(monkeypatch):
    given = iter(())
    monkeypatch.setattr("popagents.learners.goal.evaluate_policy", lambda *_, **__: (next(given), 0))
    for make in (
        lambda: PPO("MlpPolicy", "CartPole-v1", n_steps=32, device="cpu"),
        lambda: DQN("MlpPolicy", "CartPole-v1", train_freq=20, device="cpu"),
        lambda: ES("LinearPolicy", "CartPole-v1", population_size=2),
    ):
        given = iter((9, 4, 9, 9, 3, 9, 9, 9, 9, 9))
        goal = StopOnGoal(8, 3, eval_env="CartPole-v1")
        model = make().learn(100_000, callback=goal)
        assert goal.tests == [9, 4, 9, 9, 3, 9, 9, 9]
        assert goal.reached
        assert model.num_timesteps == goal.timesteps[-1] + 1 or isinstance(model, ES)
        assert model.num_timesteps < 3000


def test_a_goal_tests_with_the_likeliest_actions_in_an_environment_like_the_models():
    goal = StopOnGoal(500.5, 1, n_eval_episodes=2, every=40)
    ES("LinearPolicy", "popenvs:PopPacman-v0", population_size=2, seed=0).learn(1000, callback=goal)
    assert len(goal.tests) == 5
    assert goal.timesteps == [0, 200, 400, 600, 800]
    assert not goal.reached


@pytest.mark.parametrize("arguments", [(200,), (None, 20)])
def test_a_goal_without_a_window_and_a_window_without_a_goal_are_refused(arguments):
    with pytest.raises(ValueError, match="a goal needs both"):
        StopOnGoal(*arguments)


def test_other_goals_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="reward_goal is nan"):
        StopOnGoal(float("nan"), 3)
    with pytest.raises(ValueError, match="consecutive_goal_stopping is 0"):
        StopOnGoal(3.0, 0)
    with pytest.raises(ValueError, match="no second environment to test in; give it one"):
        ES("LinearPolicy", Ring(), population_size=2).learn(10, callback=StopOnGoal(3.0, 1))
