"""EvoTorch: PGPE over a population that plays in one native vector environment."""

from functools import partial

import gymnasium as gym
import numpy as np
from evotorch.algorithms import PGPE
from evotorch.neuroevolution import VecGymNE
from gymnasium.vector import AutoresetMode

POPULATION, GENERATIONS = 32, 3


def main():
    """Evolve for three generations: every member is judged by one whole episode, which pays whole numbers."""
    problem = VecGymNE(
        partial(gym.make_vec, "popenvs:PopPacman-v0", autoreset_mode=AutoresetMode.SAME_STEP),
        "Linear(obs_length, act_length)",
        num_episodes=1,
    )
    searcher = PGPE(problem, popsize=POPULATION, center_learning_rate=0.1, stdev_learning_rate=0.1, radius_init=3.0)
    searcher.run(GENERATIONS)
    scores = searcher.population.evals.numpy()
    assert scores.shape == (POPULATION, 1)
    assert (scores == np.round(scores)).all()
    assert (scores >= 0).all()
    steps, episodes = problem.status["total_interaction_count"], problem.status["total_episode_count"]
    assert steps == 100 * episodes, "an episode of pac-man is 100 steps"
    print(f"EvoTorch: {episodes} episodes, mean {scores.mean():.2f}, best {scores.max():.0f}")


if __name__ == "__main__":
    main()
