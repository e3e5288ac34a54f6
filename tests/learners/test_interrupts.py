"""An interrupt at any line of ours, in any generation: nothing has changed, or everything."""

import sys
from pathlib import Path

import numpy as np

import popagents
from tests.learners.cases import differences, every_learner, new, state
from tests.learners.games import Ring

OURS, MOMENTS = str(Path(popagents.__file__).parent), 50  # of each of the four learners


class Interrupt:
    """Raises KeyboardInterrupt at one of the lines of ours that are run; None counts them alone."""

    def __init__(self, at=None):
        self.at, self.lines = at, 0

    def __call__(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        if event == "line":
            self.lines += 1
            if self.lines == self.at:
                raise KeyboardInterrupt
        return self


def generation(model, interrupt, before):
    """Live one generation from the run `before`; return whether it was interrupted."""
    model.loop.run, model.num_timesteps = before, before.timesteps
    model.show_champion()
    sys.settrace(interrupt)
    try:
        model.learn(before.timesteps + 1, log_interval=None, resume=True)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False


@every_learner
def test_an_interrupt_at_any_line_changes_nothing_or_everything(name):
    interrupted_anywhere(name, MOMENTS)


def interrupted_anywhere(name, moments):
    """Interrupt a generation at so many random lines, and at its last ones."""
    model = new(name, Ring()).learn(200)
    before = model.loop.run
    unchanged = state(model)
    for counted in (Interrupt(), Interrupt()):  # the second finds buffers grown, as those that follow do
        assert not generation(model, counted, before)
    evaluated = state(model)
    stages, rng = set(), np.random.default_rng(0)
    for at in [*rng.integers(1, counted.lines + 1, moments), *range(counted.lines - 25, counted.lines)]:
        assert generation(model, Interrupt(at), before)
        found, run = state(model), model.loop.run
        _, parameters = model.policy_of(run.state, run.champion)
        own = model.policy.state_dict()
        assert all(np.array_equal(own[key].numpy(), values) for key, values in parameters.items())
        if model.generation == before.generation:
            assert set(differences(unchanged, found)) <= {"num_timesteps"}
            stages.add("nothing")
        else:
            champion = [k for k in found if k.startswith("policy/") or k in ("champion", "evaluation_timesteps")]
            assert set(differences(evaluated, found)) <= set(champion)
            stages.add("everything")
    assert stages == {"nothing", "everything"}
