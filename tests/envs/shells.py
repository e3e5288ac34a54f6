"""What tests of the shells share: environments by id, random play, and states as values that can be compared."""

import os
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

import popenvs  # noqa: F401  (fills the registry)

NEXT_STEP, SAME_STEP, DISABLED = AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED
STEPS = 330  # enough for several episodes of any game in the table
ROOT = Path(__file__).parents[2]


def alone(env_id, **settings):
    return gym.make(env_id, disable_env_checker=True, **settings).unwrapped


def lanes(env_id, num_envs=3, **settings):
    return gym.make_vec(env_id, num_envs, "vector_entry_point", **settings)


def random_actions(env_id, *shape, seed=0):
    return np.random.default_rng(seed).integers(alone(env_id).action_space.n, size=shape)


def snapshot(env):
    """Return the whole state as plain values that can be compared."""
    games, over, seeded = env.clone_state()
    return [fields(game) for game in games], over.tolist(), seeded


def fields(game):
    """Return a record as plain values (its bytes hold padding, which no copy keeps)."""
    return {name: game[name].tolist() for name in game.dtype.names}


def fresh_python(*arguments):
    """Run an interpreter that has imported nothing."""
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, env=os.environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


def played_by_lanes(vector, actions, mode):
    """Yield what each step returned and the boards after it; lane 1 is reset early, so that the lanes end apart."""
    vector.reset(seed=11)
    for time, action in enumerate(actions):
        returned = vector.step(action)
        boards, mask = returned[0], returned[2] | returned[3]
        if time == 2:
            mask = np.arange(vector.num_envs) == 1
        if mask.any() and (mode is DISABLED or time == 2):
            boards, _ = vector.reset(options={"reset_mask": mask.copy()})
        yield returned, boards


def played_alone(env, seed, actions, mode, early):
    """Yield the same of one lane, from a single environment: the step, its last observation and the board after it."""
    env.reset(seed=seed)
    over = False
    for time, action in enumerate(actions):
        waiting = over and mode is NEXT_STEP
        returned = (env.reset()[0], 0.0, False, False) if waiting else env.step(action)[:4]
        over, last, board = returned[2] or returned[3], None, returned[0]
        if over and mode is SAME_STEP:
            last, board = board, env.reset()[0]
            returned = board, *returned[1:]
        elif (over and mode is DISABLED) or (early and time == 2):
            board = env.reset()[0]
        yield returned, last, board


def ends_of(vector, env_id, steps):
    vector.reset(seed=0)
    returned = [vector.step(action) for action in random_actions(env_id, steps, vector.num_envs)]
    return [(step[2].tolist(), step[3].tolist()) for step in returned]


def count_calls(calls):
    from popenvs.drawing import Window

    show = Window.show

    def counted(window, picture, fps):
        calls.append((picture, fps))
        show(window, picture, fps)

    return counted


def told_at_resets(theirs, ours):
    """Leave out the problems that single environments tell in every step and lanes only where an episode begins."""
    if "problem" not in theirs:
        return theirs
    which = ours.get("_problem", np.zeros(len(theirs["problem"]), bool))
    kept = {**theirs, "problem": theirs["problem"] * which[:, None], "_problem": theirs["_problem"] & which}
    if not which.any():
        del kept["problem"], kept["_problem"]
    if "final_info" in kept:
        kept["final_info"] = {key: value for key, value in kept["final_info"].items() if "problem" not in key}
    return kept
