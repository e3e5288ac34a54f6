"""Members who play with each other: who sits together in a game of several players.

The vector environment of such a game says in `metadata["seats"]` how many slots, one after the other, play with each
other. Every generation the candidates are dealt anew into groups of that size, once for each of their episodes; nobody
meets itself. Who meets whom is a function of (run seed, generation), so the number of lanes never changes a result.
"""

from dataclasses import replace

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from popagents.common.randomness import Purpose, generator, keys, shuffles
from popagents.rollout.play import Lives
from popagents.rollout.vec_env import GymVecEnv


def seats_of(env: VecEnv) -> int:
    """Return how many slots of an environment play with each other: 1 if each plays for itself."""
    inner = env.unwrapped
    return int(inner.vector_env.metadata.get("seats", 1)) if isinstance(inner, GymVecEnv) else 1


def meetings(run_seed: int, generation: int, candidates: int, episodes: int, seats: int, first: int = 0) -> np.ndarray:
    """Deal jobs into groups.

    Args:
        run_seed: of the run.
        generation: the generation's number.
        candidates: how many there are; job c * episodes + e is episode e of candidate c.
        episodes: of each.
        seats: in a group.
        first: the number of each one's first episode in this generation.

    Returns:
        int64, (jobs,): the jobs in the order in which they take slots, so that every `seats` of them are a group.

    Raises:
        ValueError: the candidates cannot be dealt into groups.
    """
    if seats == 1:
        return np.arange(candidates * episodes)
    if candidates % seats:
        raise ValueError(
            f"{candidates} members cannot meet in groups of {seats}; choose a population_size that is a multiple of "
            f"{seats}"
        )
    key = keys(run_seed, Purpose.MEETING, generation, 0, first)[0]
    dealt = shuffles(key, candidates, episodes)  # (episodes, candidates)
    return (dealt * episodes + np.arange(episodes)[:, None]).reshape(-1)


def shared(values: np.ndarray, order: np.ndarray, seats: int) -> np.ndarray:
    """Give every job of a group the value of the group's first: the seed of their common episode."""
    out = np.empty_like(values)
    out[order] = np.repeat(values[order[::seats]], seats)
    return out


def examiners(run_seed: int, generation: int, population_size: int, papers: np.ndarray, seats: int) -> np.ndarray:
    """Draw whom every finalist meets in the papers of an exam, the same for each: int64, (papers, seats - 1)."""
    rng = generator(run_seed, Purpose.MEETING, generation)
    return rng.integers(population_size, size=(papers.max() + 1, seats - 1))[papers]


def of_finalists(lives: Lives, seats: int) -> Lives:
    """Return the lives of those on the first seats; their steps count those of the whole group."""
    steps = lives.lengths.reshape(-1, seats).sum(axis=1)
    return replace(lives, members=lives.members[::seats], returns=lives.returns[::seats], lengths=steps)
