"""The compiled loop of every rule and game, over any number of batch elements and steps.

A lane whose element has ended takes the next element; when none is left, the last active lane moves into its place.
"""

from typing import Any, NamedTuple

import numpy as np

from popagents.dynamics.beliefs import observed_averages, occupation, published_chain, state_beliefs
from popagents.dynamics.equations import (
    LANES,
    PARTIAL,
    PARTIAL_AS_PUBLISHED,
    Q_LEARNING,
    backup,
    best_values,
    clear,
    compiled,
    expected_rewards,
    own_chain,
    solve_values,
    state_averages,
    state_strategies,
    update,
)

RUNNING, CONVERGED, DIVERGED = range(3)


class Lanes(NamedTuple):
    """The batch elements that are being learned, one a lane."""

    element: Any  # int64, (lanes,): index of the batch element
    settings: Any  # (5, N, lanes)
    table: Any  # (N, Z, A, lanes)


class Workspace(NamedTuple):
    """The arrays that a step fills in."""

    X: Any  # (N, S, A, lanes): strategies by state
    transitions: Any  # (N, S, A, S, lanes)
    rewards: Any  # (N, S, A, lanes)
    chain: Any  # (Z, Z, lanes)
    values: Any  # (Z, lanes)
    targets: Any  # (Z, A, lanes)
    state_chain: Any  # (S, S, lanes), from here on under partial observation only
    occupation: Any  # (S, lanes)
    beliefs: Any  # (O, S, lanes)
    next_seen: Any  # (O, lanes)
    seen_transitions: Any  # (N, O, A, O, lanes)
    seen_rewards: Any  # (N, O, A, lanes)
    spare: Any  # (lanes,)
    square: Any  # (lanes,): squared 2-norm of the step over the learning rate


@compiled
def workspace(n: int, z: int, s: int, o: int, a: int, lanes: int) -> Workspace:
    """Allocate the arrays of a step for n players, z rows of a table, s states, o observations and a actions."""
    return Workspace(
        np.empty((n, s, a, lanes)),
        np.empty((n, s, a, s, lanes)),
        np.empty((n, s, a, lanes)),
        np.empty((z, z, lanes)),
        np.empty((z, lanes)),
        np.empty((z, a, lanes)),
        np.empty((s, s, lanes)),
        np.empty((s, lanes)),
        np.empty((o, s, lanes)),
        np.empty((o, lanes)),
        np.empty((n, o, a, o, lanes)),
        np.empty((n, o, a, lanes)),
        np.empty(lanes),
        np.empty(lanes),
    )


@compiled
def load(b: int, lane: int, tables: Any, all_settings: Any, history: Any, lanes: Lanes) -> None:
    """Copy batch element b into a lane, and its table into the history."""
    lanes.element[lane] = b
    for i in range(lanes.table.shape[0]):
        for kind in range(len(lanes.settings)):
            lanes.settings[kind, i, lane] = all_settings[kind, b, i]
        for z in range(lanes.table.shape[1]):
            for a in range(lanes.table.shape[2]):
                lanes.table[i, z, a, lane] = tables[b, i, z, a]
    if len(history):
        copy_table(lane, lanes.table, history[0, b])


@compiled
def copy_table(lane: int, table: Any, out: Any) -> None:
    """Copy a lane's table to `out` (N, Z, A)."""
    for i in range(table.shape[0]):
        for z in range(table.shape[1]):
            for a in range(table.shape[2]):
                out[i, z, a] = table[i, z, a, lane]


@compiled
def move(source: int, lane: int, lanes: Lanes) -> None:
    """Move the contents of one lane to another."""
    lanes.element[lane] = lanes.element[source]
    for i in range(lanes.table.shape[0]):
        for kind in range(len(lanes.settings)):
            lanes.settings[kind, i, lane] = lanes.settings[kind, i, source]
        for z in range(lanes.table.shape[1]):
            for a in range(lanes.table.shape[2]):
                lanes.table[i, z, a, lane] = lanes.table[i, z, a, source]


@compiled
def step(rule: int, active: int, game: Any, lanes: Lanes, work: Workspace) -> None:
    """Take one learning step in every active lane."""
    transitions, rewards, observations, actions, available = game
    settings, table = lanes.settings, lanes.table
    X, chain, values, targets = work.X, work.chain, work.values, work.targets
    state_strategies(rule, active, table, observations, available, settings, X)
    state_averages(active, X, transitions, rewards, actions, work.spare, work.transitions, work.rewards)
    own, own_transitions, own_rewards = X, work.transitions, work.rewards
    if rule >= PARTIAL:
        own, own_transitions, own_rewards = table, work.seen_transitions, work.seen_rewards
        own_chain(0, active, X, work.transitions, work.state_chain)
        occupation(active, work.state_chain, work.occupation)
    clear(work.square)
    for i in range(len(table)):
        if rule >= PARTIAL:
            observe(i, active, observations, work)
        if rule == PARTIAL_AS_PUBLISHED:
            published_chain(i, active, observations, work.state_chain, work.beliefs, chain)
        else:
            own_chain(i, active, own, own_transitions, chain)
        expected_rewards(i, active, own, own_rewards, settings, values)
        solve_values(i, active, settings, chain, work.spare, values)
        backup(i, active, own_transitions, own_rewards, settings, values, targets)
        if rule == Q_LEARNING:
            best_values(i, active, targets, available, values)
            backup(i, active, own_transitions, own_rewards, settings, values, targets)
        update(rule, i, active, values, targets, settings, work.spare, table, work.square)


@compiled
def observe(i: int, active: int, observations: Any, work: Workspace) -> None:
    """Average over the states that player i may be in after each observation."""
    state_beliefs(i, active, observations, work.occupation, work.beliefs)
    observed_averages(
        i,
        active,
        observations,
        work.beliefs,
        work.transitions,
        work.rewards,
        work.next_seen,
        work.seen_transitions,
        work.seen_rewards,
    )


@compiled
def outcome(square: float, tolerance: float) -> int:
    """Return whether a step of this squared length has converged, diverged, or neither."""
    if not square < np.inf:
        return DIVERGED
    return CONVERGED if np.sqrt(square) < tolerance else RUNNING


@compiled
def run(
    rule: int,
    elements: Any,
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
        rule: one of the constants of `popagents.dynamics.equations`.
        elements: int64, (b,): which of B batch elements play this game.
        tables: float64, (B, N, Z, A); overwritten with the last ones.
        game: transitions, rewards, observations, actions, available: see `Tensors`.
        all_settings: (5, B, N).
        max_steps: of each element.
        tolerance: the 2-norm of a step over the learning rate that counts as none.
        history: (n, B, N, Z, A): filled with the tables from the first on, as far as it reaches.
        steps: int64, (B,): filled with the numbers of steps.
        end: int64, (B,): filled with RUNNING, CONVERGED or DIVERGED.
    """
    _, n, z, a = tables.shape
    _, s, o = game[2].shape
    count = min(LANES, len(elements))
    lanes = Lanes(np.empty(count, np.int64), np.empty((5, n, count)), np.empty((n, z, a, count)))
    work = workspace(n, z, s, o, a, count)
    for lane in range(count):
        load(elements[lane], lane, tables, all_settings, history, lanes)
    active = loaded = count
    while active:
        step(rule, active, game, lanes, work)
        for lane in range(active - 1, -1, -1):  # downwards: the last active lane may move into a lane already seen
            b = lanes.element[lane]
            steps[b] += 1
            if steps[b] < len(history):
                copy_table(lane, lanes.table, history[steps[b], b])
            end[b] = outcome(work.square[lane], tolerance)
            if end[b] == RUNNING and steps[b] < max_steps:
                continue
            copy_table(lane, lanes.table, tables[b])
            if loaded < len(elements):
                load(elements[loaded], lane, tables, all_settings, history, lanes)
                loaded += 1
            else:
                active -= 1
                move(active, lane, lanes)


@compiled
def repeat_last(history: Any, steps: Any) -> None:
    """Fill the rows after an element's last step, steps (B,), in `history` (n, B, N, Z, A)."""
    for b in range(len(steps)):
        for k in range(steps[b] + 1, len(history)):
            for i, z, a in np.ndindex(history.shape[2:]):
                history[k, b, i, z, a] = history[steps[b], b, i, z, a]
