"""`python -m popenvs`: list the environments, their spaces and their reference scores."""

import gymnasium as gym

import popenvs  # noqa: F401  (fills the registry)
from registration.environments import ENVIRONMENTS


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


if __name__ == "__main__":
    main()
