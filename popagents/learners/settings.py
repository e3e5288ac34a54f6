"""Settings that all learners share, and how designs are named."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy

from popagents.common.checks import choice
from popagents.population.keywords import check_policy
from popagents.population.multi_input import MultiInputPolicy
from popagents.population.policies import CnnPolicy, LinearPolicy, MlpPolicy, SmallCnnPolicy

POLICIES: dict[str, type[BasePolicy]] = {
    "LinearPolicy": LinearPolicy,
    "MlpPolicy": MlpPolicy,
    "CnnPolicy": CnnPolicy,
    "SmallCnnPolicy": SmallCnnPolicy,
    "MultiInputPolicy": MultiInputPolicy,
    "ActorCriticPolicy": ActorCriticPolicy,
}
PolicyDesign = tuple[type[BasePolicy], dict[str, Any]]  # a policy class and its keywords


class Shared(TypedDict, total=False):
    """Keywords of every learner.

    Attributes:
        episodes: episodes (lifetimes, where members live lifetimes) that each one who plays has in a generation;
            fitness is their mean return. 1 by default.
        policy_kwargs: keywords for the policy; a list of dicts for several designs.
        tensorboard_log: folder of TensorBoard's files; None writes none.
        verbose: 1 prints the log.
        seed: of the run, 0 or more: all its random numbers follow from it. None draws one.
        stats_window_size: episodes over which the log's means of returns, lengths and successes are taken; 100.
        workers: processes that play, each in an environment of its own, by Ray; 1 plays in this one. They change no
            bit of what is learned. Callbacks are then called once a request, rather than once a step.
        ray_address: where they are: "local" or None on this machine, "auto" or "host:port" in a cluster of Ray's, which
            then plays for `workers=1`, too.
        device: where `predict` computes; members act on the CPU.
    """

    episodes: int
    policy_kwargs: Any
    tensorboard_log: str | None
    verbose: int
    seed: int | None
    device: Any
    stats_window_size: int
    workers: int
    ray_address: str | None
    _init_setup_model: bool


def refuse_learning_rate(shared: Mapping[str, object], instead: str) -> None:
    """Refuse a learning rate where a learner has none of its own; `instead` says what it has.

    Raises:
        ValueError: one is given.
    """
    if "learning_rate" in shared:
        raise ValueError(f"learning_rate is {shared['learning_rate']!r}; {instead}")


def slots_each(model: Any) -> int:
    """Return how many slots a model's environment is made with where that can be chosen: a worker's share of all."""
    slots: int = -(-model.default_slots // model.workers)
    return slots


def designs_of(learner: Any, policy: Any, policy_kwargs: Any, population_size: int) -> list[PolicyDesign]:
    """Return the designs among which members are dealt.

    Args:
        learner: the class of the members: it names policies, and says whether several designs may live together.
        policy: a name or class, or a list of them.
        policy_kwargs: one dict for all designs, None, or a list with one each.
        population_size: members.

    Raises:
        ValueError: a name is unknown, a class is no policy or takes no such keyword, the lists do not fit, or there are
            several designs where the learner evolves one.
    """
    policies: Sequence[Any] = policy if isinstance(policy, (list, tuple)) else [policy]
    several = isinstance(policy_kwargs, (list, tuple))
    kwargs: Sequence[Any] = policy_kwargs if several else [policy_kwargs or {}] * len(policies)
    if not policies or len(kwargs) != len(policies) or len(policies) > population_size:
        raise ValueError(
            f"policy names {len(policies)} designs, policy_kwargs {len(kwargs)}, for {population_size} members; give "
            "one dict a design and at least one member to each"
        )
    if len(policies) > 1 and not learner.several_designs:
        raise ValueError(f"policy names {len(policies)} designs; {learner.__name__} evolves one: name one")
    aliases = learner.policy_aliases
    classes = [aliases[choice("policy", p, aliases)] if isinstance(p, str) else p for p in policies]
    for policy_class, keywords in zip(classes, kwargs, strict=True):
        check_policy(policy_class, keywords)
    return list(zip(classes, kwargs, strict=True))
