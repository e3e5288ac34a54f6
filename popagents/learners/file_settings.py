"""The JSON of a model file: how settings are written there, and held against the learner's when they come back."""

import inspect
import math
from types import UnionType
from typing import Any, get_args

from popagents.common import model_files
from popagents.learners.settings import Shared

FORMAT = 2  # 0.1 wrote files without a format
KEPT = ("episodes", "verbose", "stats_window_size")  # of the settings that all learners share
NOT_SETTINGS = {"policy", "env", *Shared.__annotations__}
PARTS = {
    "format",
    "learner",
    "designs",
    "observation_space",
    "action_space",
    "box_actions",
    "settings",
    "run_seed",
    "counts",
}
NUMBERS = {int: int, float: (int, float), str: str}  # an argument's type -> what JSON has for it


def names_of(learner: type) -> list[str]:
    """Return the names of the settings of a class of learners that its files hold."""
    parameters = inspect.signature(learner).parameters.values()
    own = [p.name for p in parameters if p.name not in NOT_SETTINGS and p.kind is not p.VAR_KEYWORD]
    return [*own, *KEPT]


def settings_of(model: Any) -> dict[str, Any]:
    """Return a model's settings as a file holds them: JSON by the names of its class's arguments.

    Raises:
        AttributeError: the model does not keep an argument under its name.
        ValueError: a setting has no form in JSON.
    """
    names = names_of(type(model))
    for name in names:
        if not hasattr(model, name):
            raise AttributeError(
                f"{type(model).__name__} takes {name!r}, which a file must hold, and has no attribute of that name; "
                f"set self.{name} in its __init__, before super().__init__"
            )
    return {name: model_files.to_json(getattr(model, name)) for name in names}


def kept(settings: dict[str, Any], exclude: set[str], include: set[str]) -> dict[str, Any]:
    """Return the settings that a file is to hold: all but those in `exclude` that are not in `include`.

    Raises:
        ValueError: `include` names what no file can hold.
    """
    if foreign := sorted(include - set(settings)):
        raise ValueError(f"include names {', '.join(foreign)}; a file holds the settings {', '.join(settings)}")
    return {name: value for name, value in settings.items() if name not in exclude - include}


def arguments(learner: type, description: dict[str, Any], custom: dict[str, Any], arrays: int) -> dict[str, Any]:
    """Return the keywords with which a file's learner is made again.

    Args:
        learner: the class that is to load it.
        description: the file's JSON.
        custom: `policy` and `policy_kwargs` in place of the file's.
        arrays: how many the file holds.

    Raises:
        ValueError: the file is of another format or learner, names a class that files may not name, or has settings
            that this learner has not.
    """
    check_origin(learner, description)
    seed = description["run_seed"]
    if type(seed) is not int or not 0 <= seed < 2**63:
        raise ValueError(f"run_seed is {seed!s:.80}; it must be a whole number from 0 to 2**63 - 1")
    named = {"seed": seed, **designs_of(description["designs"], custom, arrays)}
    return checked_settings(learner, description["settings"]) | named


def check_origin(learner: type, description: dict[str, Any]) -> None:
    """Refuse a file of another format or learner.

    Raises:
        ValueError: it is one, or it has not what every file has.
    """
    found = description.get("format", "0.1")
    if type(found) is not int or found != FORMAT:
        raise ValueError(
            f"the file has format {found!s:.80}; this version of popzoo reads format {FORMAT}: "
            "load it with the version that saved it, or train again"
        )
    if set(description) != PARTS:
        raise ValueError(f"the file's JSON has {sorted(description)!s:.200}; it must have {', '.join(sorted(PARTS))}")
    saver = str(description["learner"])
    if saver != learner.__name__:
        raise ValueError(f"the file was saved by {saver:.80}; load it with {saver:.80}.load")


def designs_of(designs: Any, custom: dict[str, Any], arrays: int) -> dict[str, Any]:
    """Return a file's policies and their keywords, those that are given in `custom` left as they are.

    Raises:
        ValueError: a class is none that files may name, or there are more values than the file's arrays can have.
    """
    pairs = isinstance(designs, list) and all(isinstance(d, list) and len(d) == 2 for d in designs)
    if not pairs or not designs or not all(isinstance(kwargs, dict) for _, kwargs in designs):
        raise ValueError(f"the designs are {designs!s:.200}; each must be a policy and its keywords")
    if leaves(designs) > 100 + arrays:
        raise ValueError(f"policy_kwargs hold {leaves(designs)} values, more than the layers of {arrays} arrays have")
    return {
        name: custom[name] if name in custom else [model_files.from_json(design[i], name) for design in designs]
        for i, name in enumerate(("policy", "policy_kwargs"))
    }


def leaves(value: Any) -> int:
    """Count the values in JSON, empty lists and objects among them."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(leaves(part) for part in parts) or 1


def checked_settings(learner: type, settings: Any) -> dict[str, Any]:
    """Return a file's settings; those that `save` left out are missing.

    Raises:
        ValueError: one has a name that the learner's have not, or one is not of its argument's type.
    """
    names = names_of(learner)
    if not isinstance(settings, dict) or not set(settings) <= set(names):
        raise ValueError(
            f"the settings are {settings!s:.300}; {learner.__name__} has {', '.join(names)}, and takes nothing else "
            "from a file"
        )
    kinds = {name: p.annotation for name, p in inspect.signature(learner).parameters.items()} | dict.fromkeys(KEPT, int)
    for name, value in settings.items():
        if not fits(value, kinds[name]):
            raise ValueError(f"the setting {name} is {value!r:.200}; it must be {kinds[name]}")
    return dict(settings)


def fits(value: Any, annotation: Any) -> bool:
    """Tell whether JSON can be an argument of some annotation; whatever is not known here fits any value."""
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return is_small(value) and any(is_kind(value, kind) for kind in kinds)


def is_kind(value: Any, kind: Any) -> bool:
    """Tell whether JSON can be of one type."""
    if kind in NUMBERS:
        return isinstance(value, NUMBERS[kind]) and not isinstance(value, bool)  # type: ignore[arg-type]
    if kind is bool:
        return value in (True, False)
    return kind is Any or not isinstance(kind, type) or isinstance(value, kind)


def is_small(value: Any) -> bool:
    """Tell whether no number in JSON is infinite, NaN, or larger than any count."""
    if isinstance(value, (dict, list)):
        return all(is_small(part) for part in (value.values() if isinstance(value, dict) else value))
    return not isinstance(value, (int, float)) or (math.isfinite(value) and abs(value) < 2**53)
