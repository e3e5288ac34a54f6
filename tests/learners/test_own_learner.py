"""The example of a learner of one's own: it is short, learns, and does what the package's own learners do."""

import ast
import inspect
import re

import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv

from examples import own_learner
from examples.own_learner import OwnLearner
from popagents.common.lineage import Transmission, by_generation
from popagents.learners.algorithm import PopulationAlgorithm
from popagents.learners.snapshot import flat
from tests.learners.by_hand import by_member, generation_of
from tests.learners.games import Ring

SMALL = {"population_size": 5, "n_parents": 2, "seed": 0}


def same(first, second):
    first, second = (flat(model.loop.run.state, "state") | {"fitness": model.fitness} for model in (first, second))
    return first.keys() == second.keys() and all(np.array_equal(first[k], second[k]) for k in first)


def test_it_takes_sixty_lines():
    """Its state and class, without blank lines, docstrings and comments."""
    tree = ast.parse(inspect.getsource(own_learner))
    lines = set()
    for node in ast.walk(ast.Module([n for n in tree.body if not isinstance(n, ast.FunctionDef | ast.If)], [])):
        if isinstance(node, ast.stmt) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            body = getattr(node, "body", None)
            lines |= set(range(node.lineno, (body[0].lineno if body else node.end_lineno + 1)))
    assert 30 < len(lines) <= 60


def test_it_learns_with_every_argument_at_its_default(capsys):
    own_learner.main(["--seed", "0"])
    assert float(re.search(r"generations: (\d+) steps", capsys.readouterr().out)[1]) > 100  # newcomers have 22


def test_a_generation_by_hand():
    """Of five members the fittest two, 3 and 1, have children, who take turns."""
    model = OwnLearner("LinearPolicy", Ring(), mutation_std=0.5, **SMALL)
    succession, (request,) = generation_of(model, by_member([1.0, 4.0, 2.0, 9.0, 3.0]))
    assert request.jobs.member.tolist() == [0, 1, 2, 3, 4]
    assert succession.parents.tolist() == [3, 1, 3, 1, 3]
    assert succession.champion == 3
    _, (request,) = generation_of(model, by_member(np.zeros(5)), succession.state, number=1)
    (children,), members = request.players.parameters, succession.state.members
    noise = np.concatenate([(children[k] - members[k][[3, 1, 3, 1, 3]]).ravel() for k in children])
    assert 0.4 < noise.std() < 0.6
    assert len(np.unique(noise)) > 0.99 * len(noise)  # each has noise of its own


@pytest.mark.bits
def test_a_stopped_saved_and_loaded_run_goes_on_bit_for_bit(tmp_path):
    whole = OwnLearner("LinearPolicy", Ring(), **SMALL).learn(600)
    stopped = OwnLearner("LinearPolicy", Ring(), **SMALL)
    stopped.learn(600, callback=lambda local, _: local["self"].num_timesteps < 300)
    stopped.save(tmp_path / "model")
    loaded = OwnLearner.load(tmp_path / "model", env=Ring())
    assert loaded.generation == stopped.generation > 0
    assert (loaded.n_parents, loaded.mutation_std) == (2, 0.5)
    observations = np.eye(8, dtype=np.float32)
    first, second = (model.predict(observations, deterministic=True)[0] for model in (loaded, stopped))
    assert (first == second).all()
    assert same(loaded.learn(600, resume=True), whole)
    assert (loaded.lineage == whole.lineage).all()


@pytest.mark.bits
def test_the_number_of_slots_never_changes_a_run():
    reference = OwnLearner("LinearPolicy", Ring(), **SMALL).learn(300)
    assert same(OwnLearner("LinearPolicy", DummyVecEnv([Ring] * 7), **SMALL).learn(300), reference)


def test_the_lineage_names_each_childs_parent():
    model = OwnLearner("LinearPolicy", Ring(), **SMALL).learn(600)
    for rows in by_generation(model.lineage):
        best = np.argsort(-rows["fitness"])[:2]
        assert (rows["transmission"] == Transmission.BIRTH).all()
        assert rows["fitness"][rows["parent"]].min() >= rows["fitness"][best].min()
        assert len(np.unique(rows["parent"])) == 2


def test_members_begin_with_the_weights_of_a_trained_policy():
    trained = OwnLearner("LinearPolicy", Ring(), **SMALL).learn(300)
    model = OwnLearner("LinearPolicy", Ring(), **SMALL)
    model.start_from(trained.policy)
    weights = dict(trained.policy.named_parameters())
    for name, values in model.loop.run.state.members.items():
        assert (values == weights[name].detach().numpy()).all()


def test_an_argument_that_is_not_kept_is_refused_before_a_run():
    class Forgetful(PopulationAlgorithm):
        initial_state = next_generation = policy_of = started_from = None

        def __init__(self, policy, env, *, strength=2.0, population_size=4, **kwargs):
            super().__init__(policy, env, population_size=population_size, **kwargs)

    with pytest.raises(AttributeError, match="Forgetful takes 'strength', .*; set self.strength in its __init__"):
        Forgetful("LinearPolicy", Ring())
