"""Play a table of jobs in slots, step by step, with exact step counts.

Jobs go to slots in the order of the table; a slot whose episode ends takes the next one, where several meet once all of
them have ended. What becomes of a job is a function of its row and its player alone (of the rows and players of its
group where several meet).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from popagents.common.actors import Actors
from popagents.common.compiling import njit
from popagents.rollout.jobs import Episodes, Jobs, Options
from popagents.rollout.seating import Seating
from popagents.rollout.slots import Slots, refuse_options
from popagents.rollout.step import Observer, Stopped


def play(actors: Actors, slots: Slots, jobs: Jobs, observers: Sequence[Observer] = ()) -> Episodes:
    """Play jobs to their end.

    Args:
        actors: who plays.
        slots: where; any number.
        jobs: what.
        observers: see every step, in this order.

    Returns:
        Returns, lengths, infos and spans, one row a job; what observers kept is theirs.

    Raises:
        Stopped: an observer returned False.
        RuntimeError: the environment failed, or a return is not finite; it names the member and the seed.
        ValueError: episodes cannot be cut off, or problems not be pinned, in this environment.
    """
    check_cutoff(jobs, slots)
    check_options(jobs, slots)
    lengths, infos = np.zeros(len(jobs), np.int64), dict[str, np.ndarray]()
    pinned: Options = {}
    for episode in range(jobs.episodes):
        last = episode + 1 == jobs.episodes
        actors.begin()
        seating = Seating(slots, jobs, episode, pinned | jobs.last_options if last else pinned)
        returns = play_episode(actors, seating, lengths, infos, observers)
        if episode == 0 and jobs.pins is not False:
            pinned = pinned_problem(seating.problems, jobs.pins)
        if not last:
            actors.learn()
    learned = actors.learned()
    sane = None if learned is None else finite(learned)
    return Episodes(jobs, returns, lengths, infos, seating.spans, learned=learned, finite=sane)


def play_episode(
    actors: Actors, seating: Seating, total: np.ndarray, infos: dict[str, np.ndarray], observers: Sequence[Observer]
) -> np.ndarray:
    """Play one episode of every job; return each one's return, add its length to `total` and keep floats in `infos`."""
    jobs, slots = seating.jobs, seating.slots
    returns, lengths = np.zeros(len(jobs)), np.zeros(len(jobs), np.int64)
    idle = actors.actions.idle(slots.n)
    t = 0
    while seating.fill(t):
        seating.check_seen(t)
        live, playing, before = seating.live, seating.playing, slots.observations
        noise = None if seating.keys is None else actors.actions.noise(seating.keys, lengths.take(playing))
        chosen = actors.act(seating.players, before if len(live) == slots.n else before.take(live, axis=0), noise)
        step = seating.step(t, spread(chosen, live, idle))
        rewards = step.of_live(step.rewards)
        tally(returns, lengths, playing, rewards)
        actors.rewarded(rewards)
        if jobs.cutoff is not None:
            seating.cut_off(step, lengths[playing] >= jobs.cutoff)
        if step.ended:
            step.infos = seating.end(step, returns, lengths, infos)
        for observer in observers:
            if observer(step) is False:
                raise Stopped
        t += 1
        if t > slots.longest:
            seating.check_ends(lengths)
    total += lengths
    return returns


def spread(chosen: np.ndarray, live: np.ndarray, idle: np.ndarray) -> np.ndarray:
    """Return one action a slot: what was chosen in `live`, and anything valid in idle slots."""
    if len(live) == len(idle):
        return chosen
    actions = idle.copy()
    actions[live] = chosen
    return actions


@njit(cache=True)
def tally(returns: np.ndarray, lengths: np.ndarray, jobs: np.ndarray, rewards: np.ndarray) -> None:
    """Add a step's rewards (k,) to the returns of the jobs (k,) that were played, and 1 to their lengths."""
    for i in range(len(jobs)):
        returns[jobs[i]] += rewards[i]
        lengths[jobs[i]] += 1


def check_cutoff(jobs: Jobs, slots: Slots) -> None:
    """Refuse to cut off episodes where they go on by themselves.

    Raises:
        ValueError: they do.
    """
    if jobs.cutoff is not None and not slots.interruptible:
        raise ValueError(
            f"episodes are to be cut off after {jobs.cutoff} steps; those in {type(slots).__name__} go on by "
            "themselves: give the environment without its wrappers, or with max_episode_steps"
        )


def check_options(jobs: Jobs, slots: Slots) -> None:
    """Refuse lives that may have to keep their problems where no reset takes options, before anything is played.

    Raises:
        ValueError: there are some.
    """
    problem = {"problem": None} if jobs.episodes > 1 and jobs.pins is not False else {}
    refuse_options(slots, problem | jobs.last_options)


def pinned_problem(problems: np.ndarray | None, pins: bool | None) -> Options:
    """Return the options by which every job keeps its problem.

    Raises:
        ValueError: problems are to be pinned, and the environment names none.
    """
    if problems is not None:
        return {"problem": problems}
    if pins:
        raise ValueError(
            'pin_problems is True, but reset() returned no info["problem"]; use an environment that names its '
            "problems (PopHarlow-v0 does), or pin_problems=None, and each life gets a seed instead"
        )
    return {}


def finite(learned: dict[str, np.ndarray]) -> np.ndarray:
    """Tell of each learner (row) whether all its parameters are finite."""
    sane: Any = [np.isfinite(values).reshape(len(values), -1).all(axis=1) for values in learned.values()]
    return np.all(sane, axis=0)
