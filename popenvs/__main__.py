"""`python -m popenvs`: list the environments, their spaces and their reference scores."""

import gymnasium as gym
import pettingzoo

import popenvs  # noqa: F401  (fills the registry)
from registration.environments import ENVIRONMENTS, MULTI_AGENT


def main() -> None:
    """Print one block an environment."""
    for env_id in ENVIRONMENTS:
        env = gym.make(env_id)
        print(env_id)
        print(f"  observation  {env.observation_space}")
        print(f"  action       {env.action_space}")
        for name, score in env.metadata["reference_scores"].items():
            print(f"  {name:<16} {score:8.2f}")
        env.close()
    for env_id in MULTI_AGENT:
        parallel = pettingzoo.make("parallel", env_id)
        print(f"{env_id} (PettingZoo)")
        for agent in parallel.possible_agents:
            print(f"  {agent}     {parallel.observation_space(agent)}, {parallel.action_space(agent)}")
        parallel.close()


if __name__ == "__main__":
    main()
