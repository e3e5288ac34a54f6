"""Random operations on a vector environment and on as many single ones beside it: they stay the same, bit for bit."""

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache
from multiprocessing import get_context

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from popenvs.engine.state import LaneState
from tests.envs.shells import DISABLED, alone, fields, lanes

GAMES = {
    "PopPacman-v0": {"width": 4, "height": 3, "n_tokens": 2, "max_steps": 9},
    "PopFruitCatch-v0": {"rows": 5, "columns": 4, "basket_width": 1},
    "PopHarlow-v0": {"n_trials": 3},
    "PopPrisonersDilemma-v0": {"memory": 2, "noise": 0.2, "continuation": 0.9, "max_steps": 7},
}
SEEDS = st.integers(0, 2**31 - 1)


@cache
def threads():
    """Return threads that last as long as this process."""
    return ThreadPoolExecutor(5)


@cache
def process():
    """Return another process that lasts as long as this one."""
    return ProcessPoolExecutor(1, get_context("forkserver"))


def stepped(env, action):
    """Step an environment; return it, too."""
    returned = env.step(action)
    return env, returned


class Shells(RuleBasedStateMachine):
    """A vector environment whose episodes begin when they are asked to, and single environments."""

    game, operations = "", 0
    states = Bundle("states")

    @initialize(n=st.integers(1, 4), seed=SEEDS)
    def begin(self, n, seed):
        settings = GAMES[self.game]
        self.vector = lanes(self.game, n, autoreset_mode=DISABLED, **settings).unwrapped
        self.singles = [alone(self.game, **settings) for _ in range(n)]
        seen, _ = self.vector.reset(seed=seed)
        firsts = [env.reset(seed=seed + lane)[0] for lane, env in enumerate(self.singles)]
        np.testing.assert_array_equal(seen, firsts)

    @rule(chance=SEEDS)
    def step(self, chance):
        """Step here, one after the other."""
        self.compare(stepped, chance)

    @rule(chance=SEEDS)
    def step_in_threads(self, chance):
        """Step all environments at once."""
        self.compare(lambda *given: threads().submit(stepped, *given), chance)

    @rule(chance=SEEDS)
    def step_in_another_process(self, chance):
        """Send all environments away to be stepped, and take them back."""
        self.compare(lambda *given: process().submit(stepped, *given), chance)

    @rule(chance=SEEDS, reseeds=st.booleans())
    def reset_some(self, chance, reseeds):
        """Begin some episodes, with new seeds or with the streams as they are."""
        rng = np.random.default_rng(chance)
        which = rng.random(len(self.singles)) < 0.5
        if which.any():
            self.reset(which, rng.integers(2**31, size=len(which)).tolist() if reseeds else None)

    @rule(target=states)
    def clone(self):
        """Keep the states."""
        return self.vector.clone_state(), [env.clone_state() for env in self.singles]

    @rule(states=states)
    def restore(self, states):
        """Go back to states that were kept."""
        whole, parts = states
        self.vector.restore_state(whole)
        for env, part in zip(self.singles, parts, strict=True):
            env.restore_state(part)

    @rule()
    def change_places(self):
        """Give each single environment the state of its lane, and the lanes those of the single environments."""
        whole, parts = self.clone()
        for lane, env in enumerate(self.singles):
            env.restore_state(LaneState(whole.games[lane : lane + 1], whole.over[lane : lane + 1], whole.seeded))
        games, over = (np.concatenate(arrays) for arrays in zip(*[part[:2] for part in parts], strict=True))
        self.vector.restore_state(LaneState(games, over, whole.seeded))

    @rule(how=st.sampled_from([copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))]))
    def replace_by_copies(self, how):
        """Go on with copies."""
        self.vector, self.singles = how(self.vector), [how(env) for env in self.singles]

    @invariant()
    def are_the_same(self):
        """Compare everything that the environments remember, after each operation."""
        type(self).operations += 1
        for lane, env in enumerate(self.singles):
            assert fields(self.vector.games[lane]) == fields(env.games[0])
            assert self.vector.over[lane] == env.over[0]

    def reset(self, which, seeds):
        seen, told = self.vector.reset(seed=seeds, options={"reset_mask": which})
        for lane in np.flatnonzero(which):
            first, info = self.singles[lane].reset(seed=None if seeds is None else seeds[lane])
            np.testing.assert_array_equal(seen[lane], first)
            self.compare_infos(info, told, lane)

    def compare(self, run, chance):
        """Step all environments, in which `run` runs `stepped` or lets it be run, and compare what they return."""
        if self.vector.over.any():
            self.reset(self.vector.over.copy(), None)
        actions = np.random.default_rng(chance).integers(self.vector.single_action_space.n, size=len(self.singles))
        given = [(self.vector, actions), *zip(self.singles, actions.tolist(), strict=True)]
        answers = [run(*pair) for pair in given]
        answers = [answer if isinstance(answer, tuple) else answer.result() for answer in answers]
        (self.vector, (seen, *outcomes, told)), *others = answers
        self.singles = [env for env, _ in others]
        for lane, (_, (board, *outcome, info)) in enumerate(others):
            np.testing.assert_array_equal(seen[lane], board)
            assert [values[lane] for values in outcomes] == outcome
            if self.vector.over[lane]:
                self.compare_infos(info, told, lane)

    def compare_infos(self, info, told, lane):
        """Compare what one environment tells where an episode begins or ends with what is told of its lane."""
        for name in (name for name in told if not name.startswith("_")):
            assert told["_" + name][lane]
            np.testing.assert_array_equal(told[name][lane], info[name])


def machine(game):
    """Return the machine of a game."""
    return type(game, (Shells,), {"game": game})
