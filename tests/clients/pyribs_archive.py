"""pyribs: MAP-Elites over linear policies for pac-man, all solutions of a round in one vector environment."""

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from ribs.archives import GridArchive
from ribs.emitters import GaussianEmitter
from ribs.schedulers import Scheduler

BATCH, EMITTERS, ROUNDS = 20, 2, 5


def play(lanes, solutions):
    """Play one episode a solution, a linear policy; return the returns and how often each went left and up."""
    observation, _ = lanes.reset(seed=0)
    cells, actions = observation.shape[1], int(lanes.single_action_space.n)
    weights = solutions.reshape(len(solutions), cells, actions)
    returns, counts = np.zeros(len(solutions)), np.zeros((len(solutions), actions))
    done = np.zeros(len(solutions), bool)
    while not done.all():
        chosen = np.einsum("lc,lca->la", observation, weights).argmax(axis=1)
        observation, rewards, terminated, truncated, _ = lanes.step(chosen)
        returns += rewards
        counts[np.arange(len(chosen)), chosen] += 1
        done |= terminated | truncated
    return returns, counts[:, :2] / counts.sum(axis=1, keepdims=True)


def main():
    """Fill an archive; its best solution plays its score again."""
    lanes = gym.make_vec(
        "popenvs:PopPacman-v0", num_envs=BATCH * EMITTERS, autoreset_mode=AutoresetMode.DISABLED
    )  # all episodes are 100 steps long, so that no lane waits for another
    size = lanes.single_observation_space.shape[0] * int(lanes.single_action_space.n)
    archive = GridArchive(solution_dim=size, dims=[5, 5], ranges=[(0, 1), (0, 1)], seed=0)
    emitters = [
        GaussianEmitter(archive, sigma=0.5, x0=np.zeros(size), batch_size=BATCH, seed=seed) for seed in range(EMITTERS)
    ]
    scheduler = Scheduler(archive, emitters)
    for _ in range(ROUNDS):
        scheduler.tell(*play(lanes, scheduler.ask()))
    best = archive.best_elite
    again, _ = play(lanes, np.repeat(best["solution"][None], BATCH * EMITTERS, axis=0))
    assert len(archive) > 1, "all solutions behave alike"
    assert best["objective"] in again, (best["objective"], again)
    print(f"pyribs: {len(archive)} of 25 cells, best return {best['objective']:.0f}")


if __name__ == "__main__":
    main()
