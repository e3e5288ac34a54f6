"""numba's `njit`, which goes on without a cache where compiled code cannot be kept."""

import warnings
from functools import cache, partial
from typing import Any

import numba


def njit(function: Any = None, **options: Any) -> Any:
    """Compile a function as numba does; with `cache=True` where no folder can be written, without a cache.

    Args:
        function: what is compiled; without it, a decorator is returned.
        options: numba's own.
    """
    if function is None:
        return partial(njit, **options)
    try:
        return numba.njit(**options)(function)
    except RuntimeError as error:  # numba looks for a folder when it decorates
        if "cannot cache" not in str(error):
            raise
    say_once()
    return numba.njit(**options | {"cache": False})(function)


@cache
def say_once() -> None:
    """Warn that code is compiled in every process, and say how to keep it."""
    warnings.warn(
        "popenvs compiles its code anew in every process (some seconds), because neither its folder nor the user's "
        "cache can be written; set NUMBA_CACHE_DIR to a folder that can",
        stacklevel=3,
    )
