"""Actions in a Box: our own policies count in units of its bounds, SB3's clip."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy

from popagents.common import model_files
from popagents.population.actions import Actions, at_a_bound
from popagents.population.design import Design
from popagents.population.policies import LinearPolicy, MlpPolicy
from tests.learners.cases import LEARNERS, assert_same, every_learner, new
from tests.learners.games import Ring

BOXES = [
    spaces.Box(5, 10, (1,), np.float32),
    spaces.Box(-1000, 1000, (2,), np.float64),
    spaces.Box(np.array([-1, 0, 3], np.float32), np.array([1, 8, 3], np.float32)),
]
STRATEGY = {"sigma": 0.1, "initial_std": 0.1}  # with one input weights of 1 begin beyond the bounds
UNIT = spaces.Box(-1, 1, (3,), np.float32)
SEEN = spaces.Box(-1, 1, (2,), np.float32)


class Target(gym.Env):
    """Pays minus the distance of the action to the target as a share of the Box, for three steps."""

    observation_space = spaces.Box(0, 1, (1,), np.float32)

    def __init__(self, space, target):
        self.action_space, self.target = space, target

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return np.ones(1, np.float32), {}

    def step(self, action):
        self.steps += 1
        width = self.action_space.high - self.action_space.low
        off = float(np.abs((action - self.target) / width).mean())
        return np.ones(1, np.float32), -off, self.steps == 3, False, {}


@pytest.mark.parametrize("space", BOXES, ids=str)
def test_outputs_of_minus_1_0_and_1_are_the_lower_bound_the_middle_and_the_upper_one(space):
    actions = Actions.of(space, in_bounds=True)
    ones = np.ones((1, actions.n_outputs), np.float32)
    for outputs, expected in ((-ones, space.low), (0 * ones, (space.low + space.high) / 2), (ones, space.high)):
        (chosen,) = actions.choose(outputs)
        assert np.array_equal(chosen, expected)
        assert chosen.dtype == space.dtype
    assert np.array_equal(actions.choose(9 * ones)[0], space.high)
    assert np.array_equal(Actions.of(space).choose(9 * ones)[0], np.clip(9, space.low, space.high))


@pytest.mark.bits
def test_between_minus_1_and_1_nothing_is_done_to_an_output():
    outputs = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    mapped, clipped = Actions.of(UNIT, in_bounds=True), Actions.of(UNIT)
    assert mapped.bounds is None
    assert mapped.choose(outputs).tobytes() == clipped.choose(outputs).tobytes()


def test_the_widest_box_has_finite_bounds():
    most = np.finfo(np.float32).max
    actions = Actions.of(spaces.Box(-most, most, (1,), np.float32), in_bounds=True)
    assert np.isfinite(actions.choose(np.array([[0.5]], np.float32))).all()


@pytest.mark.parametrize("space", BOXES[:2], ids=str)
def test_the_gradient_of_the_likelihood_is_autograds_in_any_box(space):
    actions, rng = Actions.of(space, in_bounds=True), np.random.default_rng(0)
    outputs = rng.normal(size=(6, actions.n_outputs)).astype(np.float32)
    log_std = rng.normal(size=actions.n_outputs).astype(np.float32)
    done = actions.choose(outputs + 0.1 * rng.normal(size=outputs.shape).astype(np.float32))
    given, spread = torch.from_numpy(outputs).requires_grad_(), torch.from_numpy(log_std).requires_grad_()
    (-actions.log_likelihood(given, torch.from_numpy(done), spread).sum()).backward()
    error, by_spread = actions.gradient(outputs, done, log_std)
    assert np.allclose(error, given.grad, atol=1e-4)
    assert np.allclose(by_spread.sum(axis=0), spread.grad, atol=1e-4)


def test_sb3s_classes_clip_and_ours_map_alone_and_in_a_population():
    ours, theirs = (Design(kind(SEEN, BOXES[0], lambda _: 1e-3)) for kind in (MlpPolicy, ActorCriticPolicy))
    assert ours.actions.bounds is not None
    assert theirs.actions.bounds is None
    zeros = {name: 0 * value for name, value in ours.template.state_dict().items()}
    ours.template.load_state_dict(zeros)
    assert ours.template.predict(np.zeros(2, np.float32), deterministic=True)[0] == 7.5


@pytest.mark.parametrize(("space", "target"), [(BOXES[0], 7), (BOXES[1], 400)], ids=str)
@every_learner
def test_every_learner_finds_an_action_inside_a_box_that_does_not_hold_0(name, space, target):
    settings = {"es": STRATEGY, "elitist_es": STRATEGY, "genetic": {"mutation_std": 0.1}}.get(name, {})
    if name == "culture":
        settings = {"learning_rate": 0.02, "policy_kwargs": {"log_std_init": -1.0}}
    model = new(name, Target(space, target), population_size=16, **settings).learn(6000)
    action, _ = model.predict(np.ones(1, np.float32), deterministic=True)
    assert (np.abs(action - target) / (space.high - space.low)).max() < 0.1


@every_learner
def test_a_warning_says_that_all_members_act_alike_at_a_bound(name):
    env = Target(BOXES[0], 7)
    with pytest.warns(UserWarning, match=r"all 6 members act alike in each of \d+ situations, at a bound of Box\(5"):
        new(name, env, "ActorCriticPolicy").learn(1, log_interval=None)
    assert not at_a_bound(np.full((3, 4, 1), 7.0), BOXES[0])
    assert not at_a_bound(np.array([[[5.0], [10.0]]]), BOXES[0])
    assert at_a_bound(np.full((3, 4, 1), 10.0), BOXES[0])


@every_learner
def test_a_file_says_how_outputs_become_actions(name, tmp_path):
    model = new(name, Ring(BOXES[0])).learn(60)
    model.save(tmp_path / "m")
    assert_same(LEARNERS[name].load(tmp_path / "m"), model)
    arrays, description = model_files.read(tmp_path / "m")
    assert description["box_actions"] == ["bounds"]
    model_files.write(tmp_path / "old", arrays, description | {"box_actions": ["clipped"]})
    with pytest.raises(
        ValueError, match=r"actions of a Box by \['clipped'\] when the file was saved, .*\['bounds'\] now"
    ):
        LEARNERS[name].load(tmp_path / "old")
    assert LinearPolicy is model.designs[0][0]
