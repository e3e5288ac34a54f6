"""What every learner refuses, and what its message says."""

import gymnasium as gym
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from popenvs.dilemmas.catalogue import public_goods
from popenvs.social_dilemma_v0 import vector_env
from registration.learners import LEARNERS as TABLE
from registration.learners import load_learner
from tests.learners.cases import every_learner, new
from tests.learners.games import Ring


@every_learner
def test_unknown_names_suggest_the_nearest(name):
    with pytest.raises(ValueError, match="policy is 'LinerPolicy'; .* did you mean 'LinearPolicy'"):
        new(name, Ring(), "LinerPolicy")
    with pytest.raises(gym.error.NameNotFound, match="PopPacman"):
        new(name, "popenvs:PopPackman-v0")


@pytest.mark.parametrize("name", TABLE)
def test_an_unknown_learner_suggests_the_nearest(name):
    with pytest.raises(ValueError, match=f"did you mean .?{name}"):
        load_learner(name[:-1])


@every_learner
@pytest.mark.parametrize(
    ("setting", "value"), [("population_size", 0), ("population_size", 2.5), ("episodes", 0), ("champion_episodes", -1)]
)
def test_settings_out_of_range_are_named(name, setting, value):
    if setting == "champion_episodes" and name in ("es", "elitist_es"):
        pytest.skip(f"{name} has no {setting}")
    with pytest.raises(ValueError, match=f"{setting} is {value}"):
        new(name, Ring(), **{setting: value})


@pytest.mark.parametrize(
    ("name", "instead"), [("genetic", r"hyperparameters=\{'learning_rate': \.\.\.\}"), ("elitist_es", "set sigma")]
)
def test_a_learning_rate_is_refused_where_there_is_none_with_what_there_is_instead(name, instead):
    with pytest.raises(ValueError, match=f"learning_rate is 0.002; .*{instead}"):
        new(name, Ring(), learning_rate=0.002)


@every_learner
def test_spaces_that_cannot_be_served_are_named(name):
    with pytest.raises(ValueError, match=r"the action space is MultiBinary\(\(2, 3\)\); policies serve"):
        new(name, Ring(spaces.MultiBinary([2, 3])))
    env = Ring()
    env.observation_space = spaces.Discrete(2, start=1)
    with pytest.raises(ValueError, match="FlattenObservation"):
        new(name, env)


@every_learner
def test_a_vector_environment_that_resets_at_the_next_step_is_refused(name):
    with pytest.raises(ValueError, match="NEXT_STEP.*SAME_STEP or DISABLED"):
        new(name, SyncVectorEnv([Ring] * 2))


def public_goods_of(players):
    settings = {"game": public_goods(players), "memory": 0, "max_steps": 5}
    return vector_env(num_envs=2 * players, autoreset_mode=AutoresetMode.DISABLED, **settings)


@every_learner
def test_a_population_that_does_not_fill_the_seats_is_refused_at_once_with_the_remedy(name):
    says = "population_size is 8, and 3 members play with each other .* choose a multiple of 3, for example 9"
    with pytest.raises(ValueError, match=says):
        new(name, public_goods_of(3), population_size=8)
    model = new(name, public_goods_of(2), population_size=8)
    before = model.env
    with pytest.raises(ValueError, match=says):
        model.set_env(public_goods_of(3))
    assert model.env is before
