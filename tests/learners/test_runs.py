"""Every learner's run is a function of its seed: whatever the slots, and whatever stopped it on its way."""

import gymnasium as gym
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from popagents.common.lineage import Lineage
from popagents.rollout.make_env import native_vec_env
from tests.learners.cases import (
    LEARNERS,
    PACMAN,
    PLAYED,
    StopAt,
    assert_same,
    differences,
    every_learner,
    new,
    state,
)
from tests.learners.games import Ring

mixing = [name for name in LEARNERS if LEARNERS[name].several_designs]


@pytest.mark.bits
@every_learner
@pytest.mark.parametrize("slots", [1, 5, 6, 17])
@pytest.mark.parametrize("kind", ["native", "dummy", "sync"])
def test_slots_and_kinds_of_environment_never_change_a_result(name, slots, kind):
    makers = [lambda: gym.make(PACMAN, max_steps=30)] * slots
    env = {
        "native": lambda: native_vec_env(PACMAN, slots, max_steps=30),
        "dummy": lambda: DummyVecEnv(makers),
        "sync": lambda: SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP),
    }[kind]()
    steps = 4 * 30 * PLAYED[name]
    reference = new(name, native_vec_env(PACMAN, 6, max_steps=30)).learn(steps)
    assert reference.generation == 4
    assert_same(new(name, env).learn(steps), reference)


@every_learner
@pytest.mark.filterwarnings("ignore:episodes in a VecNormalize")
def test_a_run_behind_wrappers_is_repeated_with_the_same_slots(name):
    envs = [VecNormalize(DummyVecEnv([lambda: gym.make("CartPole-v1")] * 7)) for _ in range(2)]
    models = [new(name, env).learn(200) for env in envs]
    assert_same(*models)
    assert (envs[0].obs_rms.mean == envs[1].obs_rms.mean).all()


@pytest.mark.bits
@pytest.mark.parametrize(
    ("name", "policy"),
    [(name, policy) for name in LEARNERS for policy in ("LinearPolicy", "MlpPolicy", "ActorCriticPolicy")]
    + [(name, ["LinearPolicy", "MlpPolicy"]) for name in mixing],
)
def test_a_stopped_saved_and_loaded_run_goes_on_bit_for_bit(name, policy, tmp_path):
    makers = [Ring] * 3
    whole = new(name, DummyVecEnv(makers), policy).learn(600)
    stopped = new(name, DummyVecEnv(makers), policy).learn(600, callback=StopAt(333))
    assert 333 <= stopped.num_timesteps < 340  # at once
    stopped.save(tmp_path / "stopped")
    loaded = LEARNERS[name].load(tmp_path / "stopped", env=DummyVecEnv([Ring] * 5), seed=99)
    assert loaded.num_timesteps <= 333
    loaded.learn(600, resume=True)
    stopped.learn(600, resume=True)
    for model in (loaded, stopped):
        assert_same(model, whole, but=["evaluation_timesteps"])  # their champions were chosen once more


@every_learner
@pytest.mark.parametrize("flaw", ["nan", "raises"])
def test_a_failing_environment_leaves_the_population_as_it_was(name, flaw, tmp_path):
    env = Ring()
    model = new(name, env).learn(200)
    model.save(tmp_path / "before")
    before = state(model)
    env.flaw = flaw
    with pytest.raises(RuntimeError, match="nan|wheel"):
        model.learn(10_000, reset_num_timesteps=False)
    env.flaw = None
    assert set(differences(before, state(model))) <= {"num_timesteps"}
    model.save(tmp_path / "after")
    assert LEARNERS[name].load(tmp_path / "after").generation == model.generation


# ---------------------------------------------------------------- interrupts


@every_learner
def test_an_interrupt_loses_nothing(name):
    class Interrupt(StopAt):
        def _on_step(self):
            if not super()._on_step():
                raise KeyboardInterrupt
            return True

    whole = new(name, Ring()).learn(600)
    model = new(name, Ring())
    with pytest.raises(KeyboardInterrupt):
        model.learn(600, callback=Interrupt(333))
    model.learn(600, resume=True)
    assert_same(model, whole)


class Fuse:
    """Burns down by one at each touch, and interrupts at the end; until it is lit it does nothing."""

    left = -1

    def touch(self):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= self.left > 0


class InterruptedCallback(BaseCallback):
    def __init__(self, fuse):
        super().__init__()
        self.fuse = fuse

    def _on_step(self):
        self.fuse.touch()
        return True


class InterruptedRing(Ring):
    def __init__(self, fuse):
        super().__init__()
        self.fuse = fuse

    def reset(self, **keywords):
        self.fuse.touch()
        return super().reset(**keywords)

    def step(self, action):
        self.fuse.touch()
        return super().step(action)


@every_learner
@pytest.mark.parametrize("where", ["callback", "environment"])
def test_an_interrupt_at_any_step_of_a_generation_leaves_the_run_as_it_was(name, where):
    """Interrupt the second generation at its first step, go on, interrupt at the second step, and so on to its end."""
    fuse, slots = Fuse(), 2
    makers = [lambda: InterruptedRing(fuse) if where == "environment" else Ring()] * slots
    callback = InterruptedCallback(fuse) if where == "callback" else None
    model = new(name, DummyVecEnv(makers)).learn(1)
    assert model.generation == 1
    before, touches = state(model), 0
    while model.generation == 1:
        fuse.left, touches = touches, touches + 1
        try:
            model.learn(model.loop.run.timesteps + 1, callback=callback, resume=True)
        except KeyboardInterrupt:
            interrupted_in_evaluation = model.generation > 1
            assert interrupted_in_evaluation or set(differences(before, state(model))) <= {"num_timesteps"}
    assert touches > PLAYED[name] / slots
    fuse.left = -1
    model.learn(600, resume=True)
    whole = new(name, DummyVecEnv([Ring] * slots)).learn(1).learn(600, resume=True)
    assert_same(model, whole, but=["evaluation_timesteps"])


INSIDE = {  # what is called after the last request of a generation, in this order
    "the learner's own arithmetic": {
        "culture": "popagents.learners.culture.culture.imitate",
        "es": "popagents.learners.es.gradient_strategy.GradientStrategy.updated",
        "elitist_es": "popagents.learners.es.elitist_strategy.ElitistStrategy.updated",
        "genetic": "popagents.learners.genetic.genetic.mean_scores",
    },
    "the comparison of members": dict.fromkeys(LEARNERS, "popagents.learners.loop.disagreement"),
    "the rows of the lineage": dict.fromkeys(LEARNERS, "popagents.learners.loop.lineage_rows"),
    "the lineage's table, after it was written": dict.fromkeys(LEARNERS, "popagents.common.lineage.Lineage.write"),
}


@every_learner
@pytest.mark.parametrize("inside", INSIDE)
def test_an_interrupt_after_the_last_request_leaves_the_run_as_it_was(name, inside, monkeypatch, tmp_path):
    model = new(name, Ring()).learn(200)
    before, generation = state(model), model.generation
    target = INSIDE[inside][name]
    write = Lineage.write

    def interrupted(*arguments, **keywords):
        if target.endswith("Lineage.write"):
            write(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(target, interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            model.learn(600, resume=True)
        assert set(differences(before, state(model))) <= {"num_timesteps"}
        assert model.generation == generation
    model.save(tmp_path / "m")
    monkeypatch.undo()
    whole = new(name, Ring()).learn(200).learn(600, resume=True)
    assert_same(LEARNERS[name].load(tmp_path / "m", env=Ring()).learn(600, resume=True), whole)
    assert_same(model.learn(600, resume=True), whole)


@every_learner
def test_an_interrupt_while_the_champion_is_chosen_leaves_the_run_as_it_was(name, monkeypatch):
    model = new(name, Ring()).learn(200)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("popagents.learners.loop.Loop.choose_champion", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.learn(400, resume=True)
    monkeypatch.undo()
    assert_same(model.learn(600, resume=True), new(name, Ring()).learn(200).learn(600, resume=True))
