"""What follows from a learner's row in the table: its name in popagents, and a sampler of its own arguments."""

import pytest

import popagents
from registration.learners import LEARNERS, load_learner, load_sampler


class Trial:
    """Stands for Optuna's: suggests the first or the last of everything."""

    def __init__(self, place):
        self.place = place

    def suggest_float(self, name, low, high, log=False):
        return (low, high)[self.place]

    def suggest_int(self, name, low, high):
        return (low, high)[self.place]

    def suggest_categorical(self, name, choices):
        return choices[self.place]


@pytest.mark.parametrize("place", [0, -1])
@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_takes_the_settings_that_its_sampler_draws(name, place):
    settings = load_sampler(name)(Trial(place), n_actions=2, n_envs=1, additional_args={})
    model = load_learner(name)("LinearPolicy", "CartPole-v1", **settings)
    assert model.population_size == settings["population_size"]


def test_every_name_of_popagents_can_be_imported():
    assert all(getattr(popagents, name).__name__.rpartition(".")[2] == name for name in popagents.__all__)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_is_a_name_of_popagents(name):
    assert getattr(popagents, load_learner(name).__name__) is load_learner(name)


def test_an_unknown_name_of_popagents_is_answered_by_all_there_are():
    with pytest.raises(AttributeError, match="has no attribute 'Cultur'; it has Culture, ES"):
        popagents.Cultur  # noqa: B018
