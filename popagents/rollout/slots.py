"""Slots: where episodes are played, whatever the environment behind them.

A slot holds one episode at a time and is told with which seed and options to begin it.
"""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

Infos = list[dict[str, Any]]  # one dict a slot
Rows = dict[str, Any]  # by name; arrays hold one row a slot that begins, in the order of the slots
LONGEST = 100_000  # steps after which an episode counts as endless, where its environment names no limit above


class Slots(ABC):
    """What `play` needs of an environment.

    Attributes:
        n: how many slots.
        stepping: the slot that is being stepped or reset, where that is done one by one; errors name who plays there.
        observations: (n, *shape), or records (n,) of a Dict: what each slot's player sees now; a new array after every
            step.
        longest: steps after which `play` takes an episode for endless.
        interruptible: whether `begin` may end an episode that is not over.
        takes_options: whether `begin` takes options, without which no life can keep its problem.
        shape: of one observation; None leaves it unchecked.
    """

    n: int
    interruptible: bool = True
    takes_options: bool = True
    longest: int = LONGEST
    shape: tuple[int, ...] | None = None
    stepping: int | None = None
    observations: np.ndarray

    def clear(self) -> None:  # noqa: B027 (most slots need not know)
        """Take notice that nobody plays any more: episodes that still go on in some slots are nobody's."""

    @abstractmethod
    def begin(self, which: np.ndarray, seeds: np.ndarray, options: Rows) -> Rows:
        """Begin an episode in some slots.

        Args:
            which: bool, (n,).
            seeds: int64, (n,); those of other slots mean nothing.
            options: for the resets; values that are no arrays are for all.

        Returns:
            What the resets' infos tell in rows, one a slot that begins: "problem", if every one of them names one.

        Raises:
            ValueError: options are given, and these slots cannot be reset one by one.
        """

    @abstractmethod
    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, Infos]:
        """Play one step in every slot; a slot whose episode ended must not be looked at until it begins again.

        Returns:
            rewards float (n,), dones (n,), infos: one dict a slot.

        Raises:
            SlotError: an observation or an info is refused.
        """


class SlotError(Exception):
    """Something is wrong with what one slot gave.

    Args:
        slot: which.
        problem: a sentence without its subject.
    """

    def __init__(self, slot: int, problem: str) -> None:
        super().__init__(problem)
        self.slot = slot


def checked(slot: int, seen: Any, rows: np.ndarray) -> Any:
    """Return what a slot sees as `rows[slot]` takes it: a Dict's parts as a tuple.

    Raises:
        SlotError: it lacks a part, or NumPy would stretch it to the space's shape.
    """
    if rows.dtype.names is None:
        check_shape(slot, seen, rows.shape[1:])
        return seen
    for name in rows.dtype.names:
        if not isinstance(seen, dict) or name not in seen:
            raise SlotError(
                slot, f"the observation {seen!r}; it must be a dict that holds {', '.join(rows.dtype.names)}"
            )
        check_shape(slot, seen[name], rows.dtype[name].shape, f"an observation whose {name!r} is")
    return tuple(seen[name] for name in rows.dtype.names)


def check_shape(slot: int, seen: Any, shape: tuple[int, ...], what: str = "an observation") -> None:
    """Refuse an observation, or a part of it, that NumPy would stretch to the space's shape.

    Raises:
        SlotError: it has another shape.
    """
    found = getattr(seen, "shape", None)
    if found != shape and np.shape(seen) != shape:
        raise SlotError(slot, f"{what} of shape {np.shape(seen)} ({seen!r}); the space's is {shape}")


def check_info(slot: int, info: Any) -> None:
    """Refuse an info that is no dict.

    Raises:
        SlotError: it is something else.
    """
    if not isinstance(info, dict):
        raise SlotError(slot, f"the info {info!r:.200}; it must be a dict")


def one_each(options: Rows, k: int) -> list[Rows]:
    """Return the options of k slots as one dict each."""
    return [{n: v[i] if isinstance(v, np.ndarray) else v for n, v in options.items()} for i in range(k)]


def problems_of(infos: list[Rows]) -> Rows:
    """Return the problems that several resets named, one row each, if all of them did; other infos have any form."""
    if not all(isinstance(info, dict) and "problem" in info for info in infos):
        return {}
    return {"problem": np.stack([np.asarray(info["problem"]) for info in infos])}


def refuse_options(slots: Slots, options: Rows) -> None:
    """Refuse options where slots cannot be reset one by one.

    Raises:
        ValueError: there are options.
    """
    if options and not slots.takes_options:
        raise ValueError(
            f"episodes are to begin with the options {sorted(options)}, but {type(slots).__name__} cannot be reset one "
            "by one with options, which lifetimes need; give the environment without its wrappers"
        )
