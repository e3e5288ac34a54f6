"""Who may import whom."""

import ast
import importlib
import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("popenvs", "popagents", "registration")
FORBIDDEN = {
    "popenvs": {"popagents", "torch", "stable_baselines3", "sb3_contrib", "rl_zoo3"},
    "popagents": {"popenvs"},
    "registration": {"popenvs", "popagents"},
}
GAMELESS = {  # rooms of popenvs that know no game -> the rooms of popenvs that they may import
    "engine": {"engine", "drawing"},
    "drawing": {"drawing"},
    "players": {"players", "engine"},  # for `compiling`
}
POINTER = re.compile(r"[a-z_][\w.]*:[A-Za-z_]\w*")  # "module:attribute"


def sources(package):
    return sorted((ROOT / package).rglob("*.py"))


def imports(path):
    """Return the full names of all modules that a file imports, wherever in it, relative ones resolved."""
    package = path.relative_to(ROOT).parent.parts
    names = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return names


def roots(path):
    return {name.partition(".")[0] for name in imports(path)}


def strings(value):
    """Yield every string in a table, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in (*value.keys(), *value.values()):
            yield from strings(item)
    elif isinstance(value, (list, tuple, set)):
        for item in value:
            yield from strings(item)


def pointers():
    """Return every "module:attribute" of the registration tables."""
    tables = [importlib.import_module(f"registration.{path.stem}") for path in sources("registration")]
    found = {
        text for table in tables for name, value in vars(table).items() if name.isupper() for text in strings(value)
    }
    return sorted(text for text in found if POINTER.fullmatch(text))


def is_within(name, module):
    return name == module or name.startswith(f"{module}.")


@pytest.mark.parametrize("path", [path for package in PACKAGES for path in sources(package)], ids=str)
def test_a_module_keeps_to_its_side_of_the_walls(path):
    package = path.relative_to(ROOT).parts[0]
    assert not roots(path) & FORBIDDEN[package]


@pytest.mark.parametrize("path", sources("registration"), ids=lambda path: path.stem)
def test_registration_imports_the_standard_library_and_the_two_registries_only(path):
    assert roots(path) <= sys.stdlib_module_names | {"gymnasium", "pettingzoo", "registration"}


@pytest.mark.parametrize(
    "path",
    [path for room in GAMELESS for path in sources(f"popenvs/{room}")],
    ids=lambda path: f"{path.parent.name}.{path.stem}",
)
def test_a_module_that_serves_every_game_imports_none(path):
    games = {pointer.partition(":")[0] for pointer in pointers() if pointer.startswith("popenvs.")}
    assert "popenvs.pacman" in games
    imported = imports(path)
    assert not {module for module in imported for game in games if is_within(module, game)}
    rooms = {module.split(".")[1] for module in imported if module.startswith("popenvs.")}
    assert rooms <= GAMELESS[path.parent.name]


@pytest.mark.parametrize("pointer", pointers())
def test_what_a_table_points_to_exists(pointer):
    module, _, attribute = pointer.partition(":")
    assert importlib.util.find_spec(module) is not None
    assert hasattr(importlib.import_module(module), attribute)


def test_the_tables_point_somewhere():
    assert {"popenvs.pacman:PacmanEnv", "popenvs.pacman:PacmanVectorEnv"} <= set(pointers())
    assert any(pointer.startswith("popagents.") for pointer in pointers())


def test_imports_finds_every_form(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "a" / "b").mkdir(parents=True)
    path = tmp_path / "a" / "b" / "c.py"
    path.write_text("import x.y, z\nfrom . import d\nfrom ..e import f\ndef g():\n    from h import i\n")
    assert imports(path) == {"x.y", "z", "a.b", "a.b.d", "a.e", "a.e.f", "h", "h.i"}
