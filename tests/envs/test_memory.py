"""Whose memory the returned arrays are."""

from itertools import pairwise

import numpy as np
import pytest
from envs.shells import NEXT_STEP, SAME_STEP, alone, lanes, random_actions


def arrays_of(vector, env_id):
    yield vector.reset(seed=0)[0]
    for action in random_actions(env_id, 40, 3):
        yield from vector.step(action)[:4]


@pytest.mark.parametrize("mode", [NEXT_STEP, SAME_STEP])
def test_returned_arrays_are_never_written_again(env_id, mode):
    held = [
        (array, array.copy()) for array in arrays_of(lanes(env_id, autoreset_mode=mode, max_episode_steps=7), env_id)
    ]
    assert all((array == before).all() for array, before in held)
    assert not any(np.shares_memory(a, b) for (a, _), (b, _) in zip(held, held[4:], strict=False))


def test_copy_false_returns_the_same_arrays_at_every_step(env_id):
    vector = lanes(env_id, copy=False)
    first, *later = arrays_of(vector, env_id)
    assert all(array is first for array in later[::4])
    assert [{id(array) for array in later[i::4]} for i in range(1, 4)] == [{id(later[i])} for i in range(1, 4)]


@pytest.mark.parametrize("mode", [NEXT_STEP, SAME_STEP])
def test_copy_false_returns_the_same_numbers(env_id, mode):
    settings = {"autoreset_mode": mode, "max_episode_steps": 7}
    fresh, reused = (arrays_of(lanes(env_id, copy=copy, **settings), env_id) for copy in (True, False))
    assert all(a.tobytes() == b.tobytes() for a, b in zip(fresh, reused, strict=True))


def test_a_single_environment_returns_a_new_observation_at_every_step(env_id):
    env = alone(env_id)
    observations = [env.reset(seed=0)[0]]
    copies = [observations[0].copy()]
    for action in random_actions(env_id, 4):
        observations.append(env.step(action)[0])
        copies.append(observations[-1].copy())
    assert all((a == b).all() for a, b in zip(observations, copies, strict=True))
    assert not any(np.shares_memory(a, b) for a, b in pairwise(observations))


def test_metadata_belongs_to_one_environment(env_id):
    for env, other in ((alone(env_id), alone(env_id)), (lanes(env_id), lanes(env_id))):
        env.metadata["render_fps"] = -1
        assert other.metadata["render_fps"] > 0
        assert type(env).metadata["render_fps"] > 0
