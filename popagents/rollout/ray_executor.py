"""Requests played by Ray's actors: on all cores of one machine, or on many machines.

Ray places the actors, replaces those that die, and lets them play again what they were playing. Each has a workspace
and slots of its own, and runs the same `Worker.play` as a run without workers.
"""

import os
import pickle
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, Self

from stable_baselines3.common.vec_env import VecEnv
from threadpoolctl import threadpool_limits

from popagents.common.optional import needed
from popagents.rollout.dealing import dealt, joined, lean
from popagents.rollout.executor import Listener
from popagents.rollout.jobs import Episodes, Request
from popagents.rollout.make_slots import slots_of
from popagents.rollout.step import Stopped
from popagents.rollout.worker import Worker

RESTARTS = 20  # of an actor; where an environment ends its process every time, they must end, too
LOCAL = (None, "local")
SECONDS = 10.0  # in which a cluster must answer


class Player:
    """Plays shares of requests: a worker with slots.

    Args:
        workspace: what players are seated in.
        make: makes the environment.
    """

    def __init__(self, workspace: Any, make: Callable[[], VecEnv]) -> None:
        threadpool_limits(1)
        self.worker, self.slots = Worker(workspace), slots_of(make())

    def play(self, common: bytes, share: bytes) -> Episodes:
        """Answer a share of a request, pickled; its players lack what they have in common with those of the others."""
        request: Request = pickle.loads(share)
        players: Any = replace(request.players, **pickle.loads(common))  # type: ignore[type-var]
        return lean(self.worker.play(replace(request, players=players), self.slots))


class Actor:
    """A player in a process of Ray's, made when it first plays: one that replaces a dead one is made by its call."""

    def __init__(self) -> None:
        self.player: Player | None = None

    def play(self, parts: list[Any], common: bytes, share: bytes) -> Episodes:
        """Answer a share of a request; `parts` holds a reference to what a player is made of, pickled."""
        if self.player is None:
            self.player = Player(*pickle.loads(needed("ray", "ray").get(parts[0])))
        return self.player.play(common, share)


class RayExecutor:
    """A context in which Ray's actors play.

    Args:
        workers: how many.
        address: "auto" or "host:port" of a cluster; None or "local" starts Ray on this machine, where it does not run.
        workspace: what players are seated in; every actor gets a copy.
        make: makes an actor's environment.

    Raises:
        ImportError: Ray is not installed.
        ValueError: there is no cluster at the address, it has fewer CPUs than workers, or `make` cannot be pickled.
    """

    def __init__(self, workers: int, address: str | None, workspace: Any, make: Callable[[], VecEnv]) -> None:
        self.ray = connected(workers, address)
        self._parts = [self.ray.put(packed_player(workspace, make))]
        kind = self.ray.remote(num_cpus=1, max_restarts=RESTARTS, max_task_retries=-1)(Actor)
        self.actors = [kind.remote() for _ in range(workers)]
        self._common, self._broadcast = dict[str, Any](), self.ray.put(pickle.dumps({}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for actor in self.actors:
            self.ray.kill(actor)

    def play(self, request: Request, listener: Listener | None = None) -> Episodes:
        """Answer a request; the listener sees the answer.

        Raises:
            Stopped: the listener returned False.
            RuntimeError: the environment failed, a return is not finite, or an actor died again and again.
        """
        common, shares = messages(dealt(request, len(self.actors)))
        if not same(common, self._common):
            self._common, self._broadcast = common, self.ray.put(packed(common))
        pairs = zip(self.actors, shares, strict=False)
        promised = [actor.play.remote(self._parts, self._broadcast, share) for actor, share in pairs]
        episodes = joined(request, self._answers(promised))
        if listener is not None and listener.answered(episodes) is False:
            raise Stopped
        return episodes

    def _answers(self, promised: list[Any]) -> list[Episodes]:
        try:
            answers: list[Episodes] = self.ray.get(promised)
        except self.ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except self.ray.exceptions.RayActorError as error:
            raise RuntimeError(
                f"a worker died {RESTARTS + 1} times, or its node is gone and nowhere is room for another: {error}; "
                "see whether the environment ends its process, and add machines or take fewer workers"
            ) from error
        return answers


def messages(shares: list[Request]) -> tuple[dict[str, Any], list[bytes]]:
    """Return what the players of all shares have in common, by the names of their fields, and the shares without it.

    What is pickled by itself comes out as arrays of its own; Ray's are read-only.
    """
    players: list[Any] = [share.players for share in shares]
    own = {field.name: getattr(players[0], field.name) for field in fields(players[0])}
    common = {name: value for name, value in own.items() if all(getattr(p, name) is value for p in players)}
    rest = [replace(p, **dict.fromkeys(common)) for p in players]
    return common, [packed(replace(share, players=p)) for share, p in zip(shares, rest, strict=True)]


def packed(value: Any) -> bytes:
    """Pickle a value, by cloudpickle, which also takes classes of the main program."""
    data: bytes = needed("ray.cloudpickle", "ray").dumps(value)
    return data


def same(common: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether two dicts hold the very same objects."""
    return common.keys() == other.keys() and all(value is other[name] for name, value in common.items())


def connected(workers: int, address: str | None) -> Any:
    """Return Ray, connected to a cluster that has room for so many workers.

    Ray replaces the handler of SIGTERM, which is put back; and it lets workers give way to other processes, of which
    this one only waits for them.

    Raises:
        ImportError: it is not installed.
        ValueError: the cluster cannot be reached, or has fewer CPUs.
    """
    for name in ("RAY_USAGE_STATS_ENABLED", "RAY_worker_niceness"):
        os.environ.setdefault(name, "0")
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray = needed("ray", "ray")
        if not ray.is_initialized():
            start(ray, workers, address)
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)
    cpus = int(ray.cluster_resources().get("CPU", 0))
    if cpus < workers:
        raise ValueError(
            f"workers is {workers}, and Ray's cluster has {cpus} CPUs; choose {cpus} or fewer, add machines with "
            "`ray start --address=...`, or where Ray was started in this process, call ray.shutdown() first"
        )
    return ray


def start(ray: Any, workers: int, address: str | None) -> None:
    """Start Ray here, or connect to a cluster.

    Raises:
        ValueError: there is none at the address.
    """
    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
    if address in LOCAL:
        ray.init(address="local", num_cpus=max(workers, os.cpu_count() or 1), **quiet)
        return
    try:
        if address != "auto":
            reach(str(address))  # Ray would try for minutes
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"ray_address is {address!r}, and no cluster of Ray's answers there ({error}); run `ray start --head` on "
            "one machine and `ray start --address=HOST:6379` on the others, and give 'auto' on one of these machines, "
            "or 'local' for this machine alone"
        ) from error


def reach(address: str) -> None:
    """See whether anything answers at "host:port".

    Raises:
        OSError: nothing does.
        ValueError: it has no such form.
    """
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), timeout=SECONDS).close()


def packed_player(workspace: Any, make: Callable[[], VecEnv]) -> bytes:
    """Pickle what a player is made of.

    Raises:
        ValueError: the environment cannot be sent to workers.
    """
    try:
        return packed((workspace, make))
    except Exception as error:
        raise ValueError(
            f"the environment cannot be sent to workers ({type(error).__name__}: {error}); give its Gymnasium id, or a "
            "function that makes it: env=make, where make() returns a new environment"
        ) from error
