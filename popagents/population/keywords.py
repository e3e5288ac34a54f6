"""Which keywords a policy takes: unknown ones are refused by name, SB3's forms of `net_arch` are read."""

import inspect
import warnings
from collections.abc import Sequence
from typing import Any

from stable_baselines3.common.policies import BasePolicy

GIVEN = {"self", "observation_space", "action_space", "lr_schedule"}
SAMPLED = "a population samples its members' actions: leave it out"
LEARNED = "members learn by their learner's own rule: leave it out, and set what the learner takes"
UNSERVED = {  # what SB3 takes, and a population cannot serve
    "use_sde": SAMPLED,
    "squash_output": SAMPLED,
    "optimizer_class": LEARNED,
    "optimizer_kwargs": LEARNED,
}


def check_policy(policy_class: Any, kwargs: Any) -> None:
    """Refuse what is no SB3 policy, and keywords that are no dict or that it does not take.

    Raises:
        ValueError: naming the class or the keywords.
    """
    if not isinstance(policy_class, type) or not issubclass(policy_class, BasePolicy):
        raise ValueError(
            f"policy is {policy_class!r}; it must be a name or a class of SB3 policies, such as MlpPolicy: give a "
            "network of your own as policy_kwargs={'features_extractor_class': ...}"
        )
    if not isinstance(kwargs, dict):
        raise ValueError(f"policy_kwargs is {kwargs!r}; give a dict of the policy's keywords, {{}} for none")
    for name, reason in UNSERVED.items():
        if kwargs.get(name):
            raise ValueError(f"{name} is {kwargs[name]!r}; {reason}")
    known = keywords_of(policy_class)
    unknown = sorted(set(kwargs) - known) if known else []
    if unknown:
        raise ValueError(f"{policy_class.__name__} takes no {', '.join(unknown)}; it takes {', '.join(sorted(known))}")
    if kwargs.get("net_arch") is not None:
        sizes_of(kwargs["net_arch"])


def keywords_of(policy_class: type) -> set[str]:
    """Return the keywords of a class and, where it hands others on, of its bases; none if it hands on to nobody."""
    known: set[str] = set()
    for base in policy_class.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = inspect.signature(base.__init__).parameters.values()  # type: ignore[misc]
        known |= {p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return known - GIVEN
    return set()


def sizes_of(net_arch: Any) -> list[int]:
    """Return an actor's hidden sizes, from any of SB3's forms.

    >>> sizes_of([64, 64]), sizes_of({"pi": [32], "vf": [8]}), sizes_of({"vf": [8]})
    ([64, 64], [32], [])

    Raises:
        ValueError: it has none of these forms.
    """
    sizes = net_arch
    if isinstance(sizes, Sequence) and len(sizes) == 1 and isinstance(sizes[0], dict):
        warnings.warn(f"net_arch is {net_arch}; give the dict without the list around it", stacklevel=2)
        sizes = sizes[0]
    if isinstance(sizes, dict):
        sizes = sizes.get("pi", [])
    if isinstance(sizes, Sequence) and all(isinstance(size, int) and size > 0 for size in sizes):
        return list(sizes)
    raise ValueError(f"net_arch is {net_arch!r}; give a list of sizes such as [64, 64], or dict(pi=[64], vf=[64])")
