"""A worker answers requests: it seats their players, plays their jobs in its slots and keeps what they ask for."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from popagents.common.actors import Actors
from popagents.rollout.jobs import Episodes, Players, Record, Request
from popagents.rollout.observers import MomentsObserver, Probe, Recorder
from popagents.rollout.play import play
from popagents.rollout.slots import Slots
from popagents.rollout.step import Observer


class Worker:
    """Plays requests.

    A record is overwritten by the next request that asks for one.

    Args:
        workspace: what players are seated in.
    """

    def __init__(self, workspace: Any) -> None:
        self.workspace = workspace
        self._recorder = Recorder()
        self._players: Players | None = None
        self._actors: Actors | None = None

    def seat(self, players: Players) -> Actors:
        """Return players as actors; those who are seated already stay so."""
        if self._actors is None or self._players is not players:
            self._players, self._actors = players, players.seated(self.workspace)
        return self._actors

    def play(self, request: Request, slots: Slots, observers: Sequence[Observer] = ()) -> Episodes:
        """Answer a request; see `popagents.rollout.play.play` for what it raises."""
        jobs, own = request.jobs, list[Any]()
        if request.record:
            own.append(self._recorder)
        if request.moments:
            moments = MomentsObserver(len(jobs))
            own.append(moments)
        if request.situations:
            probe = Probe()
            own.append(probe)
        episodes = play(self.seat(request.players), slots, jobs, [*own, *observers])
        if request.record:
            episodes = replace(episodes, record=self._record_of(episodes))
        if request.situations:
            episodes = replace(episodes, situations=probe.situations())
        if request.moments:
            episodes = replace(episodes, moments=moments.moments)
        return episodes if request.learned else replace(episodes, learned=None)

    def _record_of(self, episodes: Episodes) -> Record:
        assert episodes.spans is not None
        return Record(self._recorder.observations, self._recorder.actions, episodes.spans)
