"""Agents that come from somebody else: what `enjoy` and `train` read of a folder without running anything from it.

RL Zoo itself loads `config.yml` and `args.yml` with a loader that may call any function, evaluates `normalize`, imports
wrappers by name and unpickles `vecnormalize.pkl`. Here YAML is data; statistics are, too (`statistics.py`).
"""

import ast
from pathlib import Path
from typing import Any

from popagents.common.optional import missing_extra

try:
    import yaml
except ImportError as error:
    raise missing_extra("agents' folders are written in YAML, which is not installed", "zoo") from error

ORDERED = "tag:yaml.org,2002:python/object/apply:collections.OrderedDict"
WRAPPERS = {  # that a folder may name
    "env_wrapper": (
        "gymnasium.wrappers.FlattenObservation",
        "stable_baselines3.common.atari_wrappers.AtariWrapper",
        "stable_baselines3.common.monitor.Monitor",
    ),
    "vec_env_wrapper": ("stable_baselines3.common.vec_env.VecCheckNan",),
}


class DataLoader(yaml.SafeLoader):
    """YAML's safe loader, and the one tag that RL Zoo writes around its settings."""


def ordered(loader: yaml.SafeLoader, node: Any) -> dict[str, Any]:
    """Return what RL Zoo's OrderedDict holds, as a dict."""
    ((pairs,), *_) = [loader.construct_sequence(node, deep=True)]
    return {str(name): value for name, value in pairs}


def sequence(loader: yaml.SafeLoader, node: Any) -> tuple[Any, ...]:
    """Return a tuple."""
    return tuple(loader.construct_sequence(node))


DataLoader.add_constructor(ORDERED, ordered)
DataLoader.add_constructor("tag:yaml.org,2002:python/tuple", sequence)


def data_of(text: Any) -> dict[str, Any]:
    """Return the settings in a YAML text or file.

    Raises:
        ValueError: it is no YAML, or asks for more than data.
    """
    try:
        content = yaml.load(text, Loader=DataLoader)
        return dict(content)
    except Exception as error:
        raise ValueError(
            f"the agent's settings hold more than data ({str(error)[:300]}); if you know who made them, add --trust"
        ) from error


def data_in(file: Path) -> dict[str, Any]:
    """Return the settings in a YAML file; none if there is no such file.

    Raises:
        ValueError: see `data_of`.
    """
    return data_of(file.read_text()) if file.is_file() else {}


def settings_in(folder: Path) -> dict[str, Any]:
    """Return the settings in an agent's folder; none if it has none.

    Raises:
        ValueError: these or the arguments beside them hold more than data, or name a wrapper that folders may not.
    """
    settings = data_in(folder / "config.yml")
    data_in(folder / "args.yml")  # which RL Zoo reads next
    for place, allowed in WRAPPERS.items():
        check_wrappers(place, settings.get(place), allowed)
    settings["normalize"] = keywords_of(settings.get("normalize", False))
    return settings


def check_wrappers(place: str, given: Any, allowed: tuple[str, ...]) -> None:
    """Refuse wrappers that are not on the list, or have other arguments than numbers.

    Raises:
        ValueError: there are some.
    """
    for entry in given if isinstance(given, list) else [given] if given else []:
        ((name, arguments),) = entry.items() if isinstance(entry, dict) else [(entry, {})]
        plain = all(isinstance(value, (int, float)) for value in (arguments or {}).values())
        if name not in allowed or not plain:
            raise ValueError(
                f"the agent's settings have {place} {str(entry)[:200]}; without --trust it may be "
                f"{', '.join(allowed)} with numbers as arguments"
            )


def keywords_of(normalize: Any) -> dict[str, Any] | None:
    """Return VecNormalize's keywords from what settings have under `normalize`: a truth value, a dict, or text of one.

    Raises:
        ValueError: it is anything else.
    """
    if isinstance(normalize, str):
        normalize = literal(normalize)
    if isinstance(normalize, dict):
        return {str(name): value for name, value in normalize.items()}
    return {} if normalize else None


def literal(text: str) -> Any:
    """Return the value of a literal, or of `dict(name=literal, ...)`; nothing is called.

    Raises:
        ValueError: it is neither.
    """
    try:
        node = ast.parse(text, mode="eval").body
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict" and not node.args:
            return {str(k.arg): ast.literal_eval(k.value) for k in node.keywords}
        return ast.literal_eval(node)
    except Exception as error:
        raise ValueError(f"the agent's settings have normalize: {text[:200]!r}, which is no data") from error
