"""Stored trajectories, replayed. `python tests/envs/test_golden.py PopX-v0` prints those to store for a new id."""

import hashlib
import json
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import popenvs  # noqa: F401  (fills the registry)

GOLDEN = Path(__file__).parents[1] / "golden"
SEEDS = (0, 1, 2**64 - 1)
STEPS = 300


def replay(env_id, seeds, actions):
    """Play actions[step][lane] in one lane a seed, through autoresets; return what is stored of it."""
    vector = gym.make_vec(env_id, len(seeds), "vector_entry_point")
    observation, _ = vector.reset(seed=seeds)
    hashes = [hashlib.sha256(board.tobytes()) for board in observation]
    rewards, ends = [[] for _ in seeds], [[] for _ in seeds]
    for time, action in enumerate(actions):
        observation, reward, terminated, truncated, _ = vector.step(np.array(action))
        for lane in range(len(seeds)):
            hashes[lane].update(observation[lane].tobytes())
            rewards[lane].append(float(reward[lane]))
            if terminated[lane] or truncated[lane]:
                ends[lane].append([time, "terminated" if terminated[lane] else "truncated"])
    return {"observations": [digest.hexdigest() for digest in hashes], "rewards": rewards, "ends": ends}


def trajectories(env_id):
    """Play an id's best reference policy, every fourth action random, and return what is to be stored."""
    env = gym.make(env_id).unwrapped
    best = [list(env.game.references().values())[-1] for _ in SEEDS]  # one a lane, since some policies remember
    rng = np.random.default_rng(0)
    vector, actions = gym.make_vec(env_id, len(SEEDS), "vector_entry_point"), []
    observation, _ = vector.reset(seed=SEEDS)
    for time in range(STEPS):
        played = [policy(seen, rng) for policy, seen in zip(best, observation, strict=True)]
        actions.append(rng.integers(env.action_space.n, size=len(SEEDS)).tolist() if time % 4 == 3 else played)
        observation, *_ = vector.step(np.array(actions[-1]))
    return {"id": env_id, "seeds": SEEDS, "actions": actions, **replay(env_id, SEEDS, actions)}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_an_id_plays_the_trajectories_that_were_stored_for_it(path):
    stored = json.loads(path.read_text())
    played = replay(stored["id"], stored["seeds"], stored["actions"])
    assert sum(map(sum, stored["rewards"])) != 0
    for name, values in played.items():
        assert values == stored[name], (
            f"{stored['id']} no longer plays its stored {name}: an id gets -v1 when its trajectories change"
        )


def test_golden_trajectories_are_stored():
    ids = {"PopPacman-v0", "PopFruitCatch-v0", "PopHarlow-v0", "PopHarlowOneHot-v0", "PopHarlow20-v0"}
    ids |= {"PopPrisonersDilemma-v0"}
    assert {json.loads(path.read_text())["id"] for path in GOLDEN.glob("*.json")} >= ids


if __name__ == "__main__":
    rows = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in trajectories(sys.argv[1]).items()]
    print("{\n" + ",\n".join(rows) + "\n}")
