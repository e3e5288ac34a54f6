"""Matchmaking: tables of jobs, and who plays with whom in a game of several players.

The vector environment of such a game has an attribute `seats`: so many slots, one after the other, play with each
other. Every generation the candidates are dealt anew into groups of that size, once for each of their jobs. Where
candidates leave seats empty, other members fill them, who are not judged by it. Nobody ever meets itself. Who meets
whom is a function of (run seed, generation), so the number of slots never changes a result.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from popagents.common.now import Now
from popagents.common.randomness import Purpose, episode_seeds, shuffles
from popagents.rollout.jobs import Jobs
from popagents.rollout.vec_env import GymVecEnv

MOST_EPISODES = 2**24  # of one table, which has some 50 bytes for each


def seats_of(env: VecEnv) -> int:
    """Return how many slots of an environment play with each other: 1 if each plays for itself."""
    inner = env.unwrapped
    return int(getattr(inner.vector_env.unwrapped, "seats", 1)) if isinstance(inner, GymVecEnv) else 1


def check_seats(population_size: int, seats: int) -> None:
    """Refuse a population that cannot be dealt into groups.

    Raises:
        ValueError: its size is no multiple of the seats.
    """
    if population_size % seats:
        raise ValueError(
            f"population_size is {population_size}, and {seats} members play with each other in this environment; "
            f"choose a multiple of {seats}, for example {population_size + -population_size % seats}"
        )


@dataclass(frozen=True)
class Matchmaker:
    """Makes the tables of jobs of one generation.

    Attributes:
        now: the generation.
        population_size: members.
        seats: how many slots play with each other.
    """

    now: Now
    population_size: int
    seats: int

    def jobs(
        self,
        candidates: np.ndarray,
        jobs_each: int,
        *,
        episodes: int = 1,
        samples: bool = True,
        streams: np.ndarray | None = None,
        **settings: Any,
    ) -> Jobs:
        """Let candidates play.

        Args:
            candidates: int64, (k,), members.
            jobs_each: jobs of each.
            episodes: of each job.
            samples: whether actions are sampled, rather than the likeliest taken.
            streams: int64, (members,), whose random numbers each member's jobs use; None: its own.
            settings: of the table: cutoff, pins, last_options.

        Returns:
            A table in which every `seats` rows are a group and share the environment's seeds. `player` is the member.

        Raises:
            ValueError: the table would fill the memory.
        """
        everyone = self._filled(candidates)
        check_episodes(len(everyone) * jobs_each * episodes)
        which, number = np.divmod(self._dealt(len(everyone), jobs_each), jobs_each)
        member = everyone[which]
        stream = member if streams is None else streams[member]
        rows = (number * episodes)[:, None] + np.arange(episodes)
        seeds = self._of_group(episode_seeds(self.now.keys(Purpose.EPISODE, stream[:, None], rows)))
        draws = self.now.keys(Purpose.ACTION, stream[:, None], rows) if samples else None
        return Jobs(member, member, seeds, draws, which < len(candidates), self.seats, **settings)

    def evaluation_jobs(
        self, finalists: np.ndarray, numbers: np.ndarray, *, episodes: int = 1, samples: bool = False, **settings: Any
    ) -> Jobs:
        """Let finalists play evaluation jobs of some numbers, which are the same for all of them: seeds, opponents.

        One who would meet itself meets a substitute, the same for each of those.

        Args:
            finalists: int64, (k,), members.
            numbers: int64, (jobs of each,).
            episodes: of each job.
            samples: as in `jobs`.
            settings: as in `jobs`.

        Returns:
            A table in which the first row of every group is a finalist's, and judged.

        Raises:
            ValueError: the table would fill the memory.
        """
        check_episodes(len(finalists) * len(numbers) * self.seats * episodes)
        member, number = np.repeat(finalists, len(numbers)), np.tile(numbers, len(finalists))
        member = np.column_stack([member, self._opponents(member, number)]).reshape(-1)
        rows = (np.repeat(number, self.seats) * episodes)[:, None] + np.arange(episodes)
        seeds = episode_seeds(self.now.keys(Purpose.EVALUATION, 0, rows))
        draws = self.now.keys(Purpose.EVALUATION, 1, rows) if samples else None
        judged = np.arange(len(member)) % self.seats == 0
        return Jobs(member, member, seeds, draws, judged, self.seats, **settings)

    def _filled(self, candidates: np.ndarray) -> np.ndarray:
        """Return candidates, and others of the population for the seats that they would leave empty."""
        missing = -len(candidates) % self.seats
        if not missing:
            return candidates
        rest = np.setdiff1d(np.arange(self.population_size), candidates)
        rng = self.now.rng(Purpose.MATCHMAKING)
        return np.concatenate([candidates, rng.choice(rest, missing, replace=False)])

    def _dealt(self, players: int, jobs_each: int) -> np.ndarray:
        """Return jobs (player p's job j is number p * jobs_each + j) in such an order that `seats` rows are a group."""
        if self.seats == 1:
            return np.arange(players * jobs_each)
        dealt = shuffles(self.now.keys(Purpose.MATCHMAKING, 0)[0], players, jobs_each)  # (jobs_each, players)
        return (dealt * jobs_each + np.arange(jobs_each)[:, None]).reshape(-1)

    def _of_group(self, rows: np.ndarray) -> np.ndarray:
        """Give every row of a group what the group's first has."""
        return rows if self.seats == 1 else np.repeat(rows[:: self.seats], self.seats, axis=0)

    def _opponents(self, finalists: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Return whom each finalist (jobs,) meets in its job of a number (jobs,): int64, (jobs, seats - 1)."""
        rng, rows = self.now.rng(Purpose.MATCHMAKING), int(numbers.max()) + 1
        drawn = all_different(rng.integers(self.population_size - np.arange(self.seats), size=(rows, self.seats)))
        opponents, substitute = np.split(drawn[numbers], [-1], axis=1)
        return np.where(opponents == finalists[:, None], substitute, opponents)


def all_different(draws: np.ndarray) -> np.ndarray:
    """Turn draws of 0 to n - 1 - j in column j into draws of 0 to n - 1, no two in a row alike."""
    for j in range(1, draws.shape[1]):
        for taken in np.sort(draws[:, :j], axis=1).T:
            draws[:, j] += draws[:, j] >= taken
    return draws


def check_episodes(number: int) -> None:
    """Refuse a table that would fill the memory.

    Raises:
        ValueError: it would.
    """
    if number > MOST_EPISODES:
        raise ValueError(
            f"{number} episodes are to be played at once, and {MOST_EPISODES} are the most; choose fewer members, "
            "episodes, champion_episodes, n_tasks or n_updates"
        )
