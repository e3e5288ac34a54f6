"""Scores to compare with: what named policies reach in an environment, and where a score lies between them."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

Reference = Callable[[np.ndarray, np.random.Generator], int]
"""A policy as a function of one observation and a random generator."""


def reference_scores(env_id: str) -> dict[str, float]:
    """Return the mean returns of an environment's named policies, the best known last.

    Raises:
        ValueError: the environment carries no reference scores.
    """
    env = gym.make(env_id, disable_env_checker=True)
    scores = env.metadata.get("reference_scores")
    env.close()
    if not scores:
        raise ValueError(f"{env_id} carries no reference scores; `python -m popenvs` lists the environments that do")
    return dict(scores)


def normalized_score(env_id: str, score: float) -> float:
    """Map a return to a scale on which the random policy is 0 and the best known one is 1.

    >>> import popenvs
    >>> round(popenvs.normalized_score("PopPacman-v0", 11.765), 3)
    0.5
    """
    scores = reference_scores(env_id)
    return (score - scores["random"]) / (max(scores.values()) - scores["random"])


def measured_references(env: gym.Env[Any, Any], episodes: int = 300, seed: int = 0) -> dict[str, float]:
    """Return the mean returns of an environment's named policies, for settings whose scores are not written down.

    Args:
        env: one of this package's, made with any settings.
        episodes: episodes that each policy plays.
        seed: of the first episode.
    """
    policies: dict[str, Reference] = env.unwrapped.game.references()  # type: ignore[attr-defined]
    return {name: float(play_reference(env, policy, episodes, seed).mean()) for name, policy in policies.items()}


def play_reference(env: gym.Env[Any, Any], policy: Reference, episodes: int, seed: int = 0) -> np.ndarray:
    """Play a policy; episode i is seeded with `seed + i`.

    Returns:
        The episodes' returns, float64, (episodes,).
    """
    rng = np.random.default_rng(seed)
    returns = np.zeros(episodes)
    for episode in range(episodes):
        observation, _ = env.reset(seed=seed + episode)
        over = False
        while not over:
            observation, reward, terminated, truncated, _ = env.step(policy(observation, rng))
            returns[episode] += float(reward)
            over = terminated or truncated
    return returns


def by_trial(rewards: list[list[float]], best: float, references: dict[str, list[float]]) -> str:
    """Write how often a player got the best reward in each step, unfinished episodes included, beside references.

    Args:
        rewards: one list an episode.
        best: the reward that is counted.
        references: name of a policy -> how often it gets that reward in each step, 0 to 1.
    """
    lines = [f"trial     you  {'  '.join(references)}"]
    for trial, shares in enumerate(zip(*references.values(), strict=True)):
        right = [episode[trial] == best for episode in rewards if trial < len(episode)]
        cells = [f"{np.mean(right):.0%}" if right else "-", *(f"{share:.0%}" for share in shares)]
        widths = [6, *map(len, references)]
        lines.append("  ".join([f"{trial + 1:>5}", *(f"{cell:>{w}}" for cell, w in zip(cells, widths, strict=True))]))
    return "\n".join(lines)


def beside_references(returns: list[float], reference_scores: dict[str, float]) -> str:
    """Write a player's mean return among those of the reference policies."""
    scores = {**reference_scores, "you": float(np.mean(returns))} if returns else reference_scores
    return "\n".join(f"{name:<16} {score:8.2f}" for name, score in sorted(scores.items(), key=lambda item: item[1]))
