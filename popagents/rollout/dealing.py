"""Deal a request to workers in whole groups, and read their answers as one.

What becomes of a group is a function of its rows and players alone, so it does not matter who plays it. A worker gets
consecutive rows, so that answers are joined in the order of the table.
"""

from dataclasses import replace
from itertools import pairwise
from math import lcm

import numpy as np

from popagents.common.moments import Moments
from popagents.rollout.jobs import Episodes, Record, Request
from popagents.rollout.observers import PROBE


def dealt(request: Request, workers: int) -> list[Request]:
    """Cut a request into one for each worker, as even as whole groups allow; fewer where there are fewer groups.

    Those who meet stay together, and so do lives that share a learner.
    """
    together = lcm(request.jobs.seats, request.players.together)
    bounds = together * (np.arange(workers + 1) * (len(request.jobs) // together) // workers)
    return [share(request, slice(first, end)) for first, end in pairwise(bounds.tolist()) if first < end]


def share(request: Request, rows: slice) -> Request:
    """Return the part of a request that some of its rows are, with those who play in them and nobody else."""
    who, which = np.unique(request.jobs.player[rows], return_inverse=True)
    players, numbers = request.players.part(who)
    return replace(request, players=players, jobs=request.jobs.rows(rows, numbers[which]))


def lean(episodes: Episodes) -> Episodes:
    """Return what a worker sends back: no table, and of a record's buffers only the steps that were played."""
    record = episodes.record
    if record is not None:
        steps = record.spans[:, 2].max()
        record = Record(record.observations[:steps], record.actions[:steps], record.spans)
    return replace(episodes, jobs=episodes.jobs.rows(slice(0)), spans=None, record=record)


def joined(request: Request, answers: list[Episodes]) -> Episodes:
    """Read the answers to a request's shares as one, in the order of its table."""
    record = joined_records([a.record for a in answers if a.record is not None]) if request.record else None
    situations = [a.situations for a in answers if a.situations is not None]
    moments = [a.moments for a in answers if a.moments is not None]
    learned = [a.learned for a in answers if a.learned is not None]
    finite = [a.finite for a in answers if a.finite is not None]
    return Episodes(
        request.jobs,
        np.concatenate([a.returns for a in answers]),
        np.concatenate([a.lengths for a in answers]),
        joined_infos(answers),
        None if record is None else record.spans,
        record,
        np.concatenate(situations)[:PROBE] if situations else None,
        joined_moments(moments) if moments else None,
        {name: np.concatenate([own[name] for own in learned]) for name in learned[0]} if learned else None,
        np.concatenate(finite) if finite else None,
    )


def joined_infos(answers: list[Episodes]) -> dict[str, np.ndarray]:
    """Join what infos held, NaN for workers who were told nothing of a name."""
    names = dict.fromkeys(name for a in answers for name in a.infos)
    return {n: np.concatenate([a.infos.get(n, np.full(len(a.returns), np.nan)) for a in answers]) for n in names}


def joined_records(records: list[Record]) -> Record:
    """Put records of equally many slots one after the other: a worker's steps follow those of the one before it."""
    first, spans = 0, []
    for record in records:
        spans.append(record.spans + np.array([0, first, first]))
        first += len(record.actions)
    observations, actions = ([getattr(record, name) for record in records] for name in ("observations", "actions"))
    return Record(np.concatenate(observations), np.concatenate(actions), np.concatenate(spans))


def joined_moments(moments: list[Moments]) -> Moments:
    """Put sums one after the other, one row a job."""
    return Moments(*(np.concatenate([getattr(m, name) for m in moments]) for name in ("counts", "total", "squares")))
