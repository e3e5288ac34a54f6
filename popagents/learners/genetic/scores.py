"""What lifetimes are worth: sums over problems, and what was learned."""

from typing import NamedTuple

import numpy as np

from popagents.common.parameters import Parameters
from popagents.rollout.jobs import Episodes


class Scores(NamedTuple):
    """What became of the members who lived.

    Attributes:
        members: int64, (k,), ascending.
        fitness: float64, (k,), each one's mean over its lifetimes.
        learned: each one's mean parameters at the end of its lives, (k, *shape) by name; empty if not asked for.
        diverged: learners whose parameters became infinite or NaN.
    """

    members: np.ndarray
    fitness: np.ndarray
    learned: Parameters
    diverged: int


def episode_scores(episodes: Episodes) -> Scores:
    """Return the mean returns of members who play episodes and do not learn."""
    members = np.unique(episodes.jobs.member[episodes.jobs.judged])
    return Scores(members, episodes.fitness(members[-1] + 1)[members], {}, 0)


def lifetime_scores(episodes: Episodes, lifetimes: int, n_tasks: int, lives_each: int, known: np.ndarray) -> Scores:
    """Return the scores of members who lived lifetimes.

    Args:
        episodes: one job a life.
        lifetimes: of each member.
        n_tasks: lives of a lifetime; its score is the sum of their returns.
        lives_each: consecutive lives that share a learner.
        known: float64, fitness of earlier generations: a lifetime in which a learner diverged gets the worst score of
            these and this generation's.
    """
    assert episodes.finite is not None
    judged = np.flatnonzero(episodes.jobs.judged)
    lives = judged[np.argsort(episodes.jobs.member[judged], kind="stable")]  # by member, in the order lived
    members = np.unique(episodes.jobs.member[judged])
    learners = lives[::lives_each] // lives_each
    finite = episodes.finite[learners]
    returns = np.where(np.repeat(finite, lives_each), episodes.returns[lives], np.nan)
    sums = worst_for_missing(returns.reshape(-1, n_tasks).sum(axis=1), known)
    fitness = np.bincount(np.repeat(np.arange(len(members)), lifetimes), sums) / lifetimes
    learned = mean_parameters(episodes.learned or {}, learners, len(members))
    return Scores(members, fitness, learned, int((~finite).sum()))


def worst_for_missing(scores: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return scores, float64 (k,), with the worst of them and of `known` in place of NaN; 0 where there is none."""
    everything = np.concatenate([scores, known])
    worst = np.nanmin(everything) if np.isfinite(everything).any() else 0.0
    return np.where(np.isnan(scores), worst, scores)


def mean_parameters(learned: Parameters, learners: np.ndarray, members: int) -> Parameters:
    """Return the mean of what each member's learners learned: (members, *shape) by name.

    Args:
        learned: (all learners, *shape) by name.
        learners: int64, (k,), rows of it, as many for each member, one member after the other.
        members: how many there are.
    """
    return {
        name: values[learners].reshape(members, -1, *values.shape[1:]).mean(axis=1) for name, values in learned.items()
    }


def mean_scores(fitness: np.ndarray, judged: np.ndarray, scores: Scores) -> tuple[np.ndarray, np.ndarray]:
    """Return each member's mean over the generations in which it was judged, and their number.

    Args:
        fitness: float64, (members,), means before this generation.
        judged: int64, (members,), generations that these are of; 0 for newborn members.
        scores: of those who lived; the others keep what they have.
    """
    fitness, judged, who = fitness.copy(), judged.copy(), scores.members
    before = np.where(judged[who] > 0, fitness[who], 0)
    fitness[who] = (before * judged[who] + scores.fitness) / (judged[who] + 1)
    judged[who] += 1
    return fitness, judged


def passed_on(parameters: Parameters, scores: Scores) -> Parameters:
    """Return what members pass on: what they learned, if that was asked for, where it is finite."""
    if not scores.learned:
        return parameters
    parameters = {name: values.copy() for name, values in parameters.items()}
    for name, learned in scores.learned.items():
        born = parameters[name][scores.members]
        parameters[name][scores.members] = np.where(np.isfinite(learned), learned, born)
    return parameters
