"""The compiled loop: one for every rule and every game, however many batch elements there are and steps it takes.

A lane whose element is done takes in the next one; when none is left, the lanes close up.
"""

from typing import Any

import numpy as np
from numba import njit

from popagents.dynamics.beliefs import believe, follow_as_published, look, occupation
from popagents.dynamics.equations import (
    LANES,
    PARTIAL,
    PARTIAL_AS_PUBLISHED,
    Q_LEARNING,
    average,
    backup,
    best,
    change,
    clear,
    compiled,
    expect,
    follow,
    play,
    solve,
)

RUNNING, CONVERGED, DIVERGED = range(3)


@compiled
def enter(
    b: int, lane: int, tables: Any, all_settings: Any, history: Any, element: Any, table: Any, settings: Any
) -> None:
    """Take batch element b into a lane."""
    element[lane] = b
    for i in range(table.shape[0]):
        for kind in range(len(settings)):
            settings[kind, i, lane] = all_settings[kind, b, i]
        for z in range(table.shape[1]):
            for a in range(table.shape[2]):
                table[i, z, a, lane] = tables[b, i, z, a]
    if len(history):
        note(lane, table, history[0, b])


@compiled
def note(lane: int, table: Any, out: Any) -> None:
    """Copy a lane's table to `out` (N, Z, A)."""
    for i in range(table.shape[0]):
        for z in range(table.shape[1]):
            for a in range(table.shape[2]):
                out[i, z, a] = table[i, z, a, lane]


@compiled
def move(source: int, lane: int, element: Any, table: Any, settings: Any) -> None:
    """Move what is in one lane to another."""
    element[lane] = element[source]
    for i in range(table.shape[0]):
        for kind in range(len(settings)):
            settings[kind, i, lane] = settings[kind, i, source]
        for z in range(table.shape[1]):
            for a in range(table.shape[2]):
                table[i, z, a, lane] = table[i, z, a, source]


@njit(inline="always")
def learn(
    rule: int,
    live: int,
    game: Any,
    settings: Any,
    table: Any,
    X: Any,
    to: Any,
    pay: Any,
    chain: Any,
    values: Any,
    targets: Any,
    between: Any,
    shares: Any,
    beliefs: Any,
    seen: Any,
    seen_to: Any,
    seen_pay: Any,
    spare: Any,
    square: Any,
) -> None:
    """Take one step in every lane."""
    transitions, rewards, observations, actions, available = game
    play(rule, live, table, observations, available, settings, X)
    average(live, X, transitions, rewards, actions, spare, to, pay)
    own, own_to, own_pay = X, to, pay
    if rule >= PARTIAL:
        own, own_to, own_pay = table, seen_to, seen_pay
        follow(0, live, X, to, between)
        occupation(live, between, shares)
    clear(square)
    for i in range(len(table)):
        if rule >= PARTIAL:
            believe(i, live, observations, shares, beliefs)
            look(i, live, observations, beliefs, to, pay, seen, seen_to, seen_pay)
        if rule == PARTIAL_AS_PUBLISHED:
            follow_as_published(i, live, observations, between, beliefs, chain)
        else:
            follow(i, live, own, own_to, chain)
        expect(i, live, own, own_pay, settings, values)
        solve(i, live, settings, chain, spare, values)
        backup(i, live, own_to, own_pay, settings, values, targets)
        if rule == Q_LEARNING:
            best(i, live, targets, available, values)
            backup(i, live, own_to, own_pay, settings, values, targets)
        change(rule, i, live, values, targets, settings, spare, table, square)


@compiled
def run(
    rule: int,
    who: Any,
    tables: Any,
    game: Any,
    all_settings: Any,
    max_steps: int,
    tolerance: float,
    history: Any,
    steps: Any,
    end: Any,
) -> None:
    """Learn until nothing changes.

    Args:
        rule: one of the constants above.
        who: int64, (b,): which of B batch elements play this game.
        tables: float64, (B, N, Z, A); overwritten with the last ones.
        game: transitions, rewards, observations, actions, available: see `Tensors`.
        all_settings: (5, B, N).
        max_steps: of each element.
        tolerance: the 2-norm of a step that counts as none.
        history: (n, B, N, Z, A): filled with the tables from the first on, as far as it reaches.
        steps: int64, (B,): filled with the numbers of steps.
        end: int64, (B,): filled with RUNNING, CONVERGED or DIVERGED.
    """
    _, n, z, a = tables.shape
    _, s, o = game[2].shape
    lanes = min(LANES, len(who))
    element, settings, table = np.empty(lanes, np.int64), np.empty((5, n, lanes)), np.empty((n, z, a, lanes))
    X, to, pay = np.empty((n, s, a, lanes)), np.empty((n, s, a, s, lanes)), np.empty((n, s, a, lanes))
    chain, values, targets = np.empty((z, z, lanes)), np.empty((z, lanes)), np.empty((z, a, lanes))
    between, shares, beliefs = np.empty((s, s, lanes)), np.empty((s, lanes)), np.empty((o, s, lanes))
    seen, seen_to, seen_pay = np.empty((o, lanes)), np.empty((n, o, a, o, lanes)), np.empty((n, o, a, lanes))
    spare, square = np.empty(lanes), np.empty(lanes)
    for lane in range(lanes):
        enter(who[lane], lane, tables, all_settings, history, element, table, settings)
    live = waiting = lanes
    while live:
        learn(
            rule, live, game, settings, table, X, to, pay, chain, values, targets, between, shares, beliefs, seen,
            seen_to, seen_pay, spare, square,
        )  # fmt: skip
        for lane in range(live - 1, -1, -1):  # downwards, for the last one may move into a lane that has been seen to
            b = element[lane]
            steps[b] += 1
            if steps[b] < len(history):
                note(lane, table, history[steps[b], b])
            if not square[lane] < np.inf:
                end[b] = DIVERGED
            elif np.sqrt(square[lane]) < tolerance:
                end[b] = CONVERGED
            elif steps[b] < max_steps:
                continue
            note(lane, table, tables[b])
            if waiting < len(who):
                enter(who[waiting], lane, tables, all_settings, history, element, table, settings)
                waiting += 1
            else:
                live -= 1
                move(live, lane, element, table, settings)


@compiled
def repeat_last(history: Any, steps: Any) -> None:
    """Fill what comes after the last steps (B,) in `history` (n, B, N, Z, A)."""
    for b in range(len(steps)):
        for k in range(steps[b] + 1, len(history)):
            for i, z, a in np.ndindex(history.shape[2:]):
                history[k, b, i, z, a] = history[steps[b], b, i, z, a]
