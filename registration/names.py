"""Look names up in a table of strings, and say which names there are when one is unknown."""

import difflib
import importlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of an error about an unknown name: the most similar known one, or "" where none is similar.

    Small letters and capitals count as the same.

    >>> nearest("cultur", ["culture", "es"])
    "; did you mean 'culture'?"
    """
    written = {candidate.lower(): candidate for candidate in known}
    similar = difflib.get_close_matches(name.lower(), written, n=1)
    return f"; did you mean {written[similar[0]]!r}?" if similar else ""


def unknown(kind: str, name: object, known: Collection[str]) -> str:
    """Write that a name is unknown, which known one is nearest to it, and which there are.

    Args:
        kind: what the name should have named, such as "game".
        name: as it was given.
        known: all names that there are.

    >>> unknown("game", "stag_hunnt", ["chicken", "stag_hunt"])
    "there is no game 'stag_hunnt'; did you mean 'stag_hunt'? There are: chicken, stag_hunt"
    """
    hint = nearest(str(name), known) or ";"
    return f"there is no {kind} {name!r}{hint} There are: {', '.join(known)}"


def load(kind: str, name: str, table: Mapping[str, str]) -> Any:
    """Import what a table of "module:attribute" names.

    Raises:
        ValueError: the table has no such name.
    """
    if name not in table:
        raise ValueError(unknown(kind, name, table))
    module, _, attribute = table[name].partition(":")
    return getattr(importlib.import_module(module), attribute)
