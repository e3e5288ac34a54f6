"""Maximise a function of your own: a quadratic around three numbers, and CartPole in a loop written by hand.

    python -m examples.own_reward [--seed 0]

`maximize` takes torch parameters or NumPy arrays, and a function of them that returns a number. It asks nothing of that
function, which may play, simulate, measure, or have it done elsewhere. CartPole takes some ten seconds.
"""

import argparse

import gymnasium as gym
import numpy as np
import torch

from popagents import maximize

TARGET = np.array([0.5, 0.1, -0.3])
GAMES, GOAL = 3, 475.0  # games in which a policy is judged, and their mean length (steps) that will do


def closeness(parameters: list[np.ndarray]) -> float:
    """Return the negative squared distance from the target."""
    (point,) = parameters
    return -float(((point - TARGET) ** 2).sum())


def balancing(parameters: list[torch.Tensor]) -> float:
    """Return how many steps a linear policy balances CartPole, on average in games that begin alike for everyone."""
    weight, bias = (values.numpy() for values in parameters)
    env, steps = gym.make("CartPole-v1"), 0
    for game in range(GAMES):
        (observation, _), over = env.reset(seed=game), False
        while not over:
            observation, _, terminated, truncated, _ = env.step(int((weight @ observation + bias).argmax()))
            steps, over = steps + 1, terminated or truncated
    return steps / GAMES


def main(arguments: list[str] | None = None) -> None:
    """Find the point, then a policy, and say how near both came."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args(arguments).seed

    point = np.zeros(3)
    maximize(closeness, [point], generations=150, population_size=20, sigma=0.1, seed=seed)
    print(f"the point {point.round(3).tolist()}, {np.abs(point - TARGET).max():.4f} from the target")

    policy = torch.nn.Linear(4, 2)
    for values in policy.parameters():
        torch.nn.init.zeros_(values)
    found = maximize(
        balancing,
        policy.parameters(),
        generations=30,
        population_size=12,
        sigma=0.2,
        learning_rate=0.05,
        optimizer="sgd",
        fitness_shaping="zscore",
        reward_goal=GOAL,
        consecutive_goal_stopping=1,
        seed=seed,
    )
    print(f"CartPole: {found.reward:.1f} steps on average after {len(found.rewards) - 1} generations")


if __name__ == "__main__":
    main()
