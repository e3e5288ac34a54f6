"""Where no folder can be written, code is compiled without a cache."""

import warnings

import pytest

from popagents.common import compiling as of_agents
from popenvs.engine import compiling as of_envs

both = pytest.mark.parametrize("compiling", [of_agents, of_envs])


def homeless(name):
    """Return a function of no file, which numba finds no folder for, as in a read-only install without a home."""
    found = {}
    exec(f"def {name}(x):\n    return 2 * x", found)
    return found[name]


@both
def test_what_cannot_be_cached_is_compiled_all_the_same_and_one_warning_says_how_to_change_that(compiling):
    compiling.say_once.cache_clear()
    with pytest.warns(UserWarning, match="set NUMBA_CACHE_DIR to a folder that can") as told:
        functions = [compiling.njit(cache=True)(homeless("f")), compiling.njit(homeless("g"), cache=True)]
    assert len(told) == 1
    assert [function(21) for function in functions] == [42, 42]


@both
def test_other_errors_of_numba_stay(compiling, monkeypatch):
    def broken(**options):
        raise RuntimeError("something else")

    monkeypatch.setattr("numba.njit", broken)
    with pytest.raises(RuntimeError, match="something else"):
        compiling.njit(cache=True)(homeless("f"))


@both
def test_nothing_is_said_where_nothing_is_cached(compiling):
    compiling.say_once.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compiling.njit(homeless("f"))(2) == 4
