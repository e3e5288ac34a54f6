"""The rooms of popagents: who imports whom inside, whose names are private, and how long a file may be."""

import ast
import graphlib
from pathlib import Path

import pytest

from registration.environments import ENVIRONMENTS
from registration.learners import LEARNERS

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "popagents"
ROOMS = {  # a room, or one module of it -> what its files may import of popagents, besides the room itself
    "common": set(),
    "networks": {"common"},
    "population": {"networks", "common"},
    "rollout": {"population.actions", "common"},
    "learners": {"rollout", "population", "networks", "common"},
    "dynamics": {"common"},
    "dynamics.__main__": {"plots", "common"},
    "plots": {"dynamics", "rollout", "common"},
    "zoo": {"learners", "rollout", "common"},
    "train": {"zoo"},
    "enjoy": {"zoo"},
    "record_video": {"zoo"},
    "replay": {"zoo"},
    "__init__": set(),
}
PAPERS = sorted({row["learner"].split(".")[2] for row in LEARNERS.values()})  # folders of learners
GAMES = sorted({row["entry_point"].split(":")[0].replace(".", "/") + ".py" for row in ENVIRONMENTS.values()})
MOST_ROOMS, MOST_LINES, MOST_LINES_OF_A_GAME, LONGEST_BODY = 9, 300, 250, 40
CHECKED = ("popenvs", "popagents", "registration", "tests", "examples", "benchmarks")
NAMEDTUPLE = {"_replace", "_asdict", "_fields", "_make", "_field_defaults"}


def sources(*folders):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def named(path):
    return str(path.relative_to(ROOT))


def tree_of(path):
    return ast.parse(path.read_text(), str(path))


def module_of(path):
    """Return a file's module inside popagents: "rollout.play", "learners" for a folder's own, "__init__" for all."""
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {module_of(path): path for path in sources("popagents")}


def walk(node, types=True):
    """Yield all nodes under one; without types, none of those that `if TYPE_CHECKING` keeps from being run."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test) and not types:
            for other in child.orelse:
                yield from walk(other, types)
        else:
            yield from walk(child, types)


def imported(tree, types=True):
    """Return the modules inside popagents that a file imports, wherever in it."""
    names = set()
    for node in walk(tree, types):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import; name the module in full"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    inside = [name.split(".")[1:] for name in names if name.partition(".")[0] == "popagents"]
    return {
        next((known for end in range(len(parts), 0, -1) if (known := ".".join(parts[:end])) in MODULES), "__init__")
        for parts in inside
    }


def is_within(module, room):
    return module == room or module.startswith(f"{room}.")


def strangers(module, modules):
    """Return those of some modules that a module must not import."""
    room = module.partition(".")[0]
    may = ROOMS.get(module, ROOMS[room]) | {room}
    wrong = {other for other in modules if not any(is_within(other, its) for its in may)}
    for paper in PAPERS:
        if is_within(module, f"learners.{paper}"):
            wrong |= {m for m in modules for p in PAPERS if p != paper and is_within(m, f"learners.{p}")}
    return wrong


def is_private(name):
    return name.startswith("_") and name.strip("_") != "" and not name.endswith("__") and name not in NAMEDTUPLE


def is_own(node):
    """Tell whether an expression is self, cls or super()."""
    called = node.func if isinstance(node, ast.Call) else node
    return isinstance(called, ast.Name) and called.id in (("super",) if called is not node else ("self", "cls"))


def defined(tree):
    """Return the names that a file defines: functions, classes, what their bodies assign, and attributes of self."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        if isinstance(node, (ast.Module, ast.ClassDef)):
            for statement in node.body:
                targets = getattr(statement, "targets", [getattr(statement, "target", None)])
                names |= {n.id for target in targets if target for n in ast.walk(target) if isinstance(n, ast.Name)}
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node.value):
            names.add(node.attr)
    return names


def touched(tree):
    """Yield the names of all attributes that a file reads, writes, imports or names to getattr and its kind.

    Those of self, cls and super() are left out.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not is_own(node.value):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and ast.unparse(node.func).endswith("attr"):
            texts = [arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            if not is_own(node.args[0]):
                yield from (text.rpartition(".")[2] for text in texts)


def foreign(tree):
    """Return the private names that a file touches and does not define."""
    return {name for name in touched(tree) if is_private(name)} - defined(tree)


def too_long(path):
    """Return what is too long in a file: "the file", or names of functions."""
    text = path.read_text()
    most = MOST_LINES_OF_A_GAME if str(path).endswith(tuple(GAMES)) else MOST_LINES
    found = {"the file"} if len(text.splitlines()) > most else set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            if body and body[-1].end_lineno - body[0].lineno + 1 > LONGEST_BODY:
                found.add(node.name)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_a_room_imports_only_those_below_it(module):
    assert not strangers(module, imported(tree_of(MODULES[module])))


def test_no_file_imports_itself_by_way_of_others():
    graph = {module: imported(tree_of(path), types=False) for module, path in MODULES.items()}
    tuple(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


def test_there_are_few_rooms():
    rooms = {path.relative_to(HOUSE).parts[0] for path in sources("popagents") if path.parent != HOUSE}
    assert rooms <= set(ROOMS)
    assert len(rooms) <= MOST_ROOMS


@pytest.mark.parametrize("path", sources(*CHECKED), ids=named)
def test_no_private_name_of_another_file_is_touched(path):
    assert foreign(tree_of(path)) == set()


@pytest.mark.parametrize("path", sources("popagents", "popenvs"), ids=named)
def test_files_and_functions_are_short(path):
    assert too_long(path) == set()


# ---------------------------------------------------------------- the rules find what they look for


def test_imports_of_every_form_are_found_and_those_for_types_can_be_left_out():
    tree = ast.parse(
        "import popagents.common.now, numpy\n"
        "from popagents.rollout import play\n"
        "from popagents import Culture\n"
        "if TYPE_CHECKING:\n    from popagents.zoo.train import main\n"
        "else:\n    import popagents.networks\n"
        "def f():\n    from popagents.learners.es.es import ES\n"
    )
    at_run_time = {"common.now", "rollout.play", "__init__", "networks", "learners.es.es"}
    assert imported(tree, types=False) == at_run_time
    assert imported(tree) == at_run_time | {"zoo.train"}


def test_strangers_are_found():
    assert strangers("rollout.play", {"population.actions", "common.now", "rollout.jobs"}) == set()
    assert strangers("rollout.play", {"population.policies"}) == {"population.policies"}
    assert strangers("learners.es.es", {"learners.run", "learners.es.centre"}) == set()
    assert strangers("learners.es.es", {"learners.culture.culture"}) == {"learners.culture.culture"}
    assert strangers("dynamics.__main__", {"plots.page"}) == set()
    assert strangers("dynamics.page", {"plots.page"}) == {"plots.page"}
    assert strangers("common.now", {"zoo", "__init__"}) == {"zoo", "__init__"}


def test_private_names_are_found():
    own = "class A:\n    _b = 1\n    def __init__(self):\n        self._c = self._d\n    def _e(self): pass\n"
    assert foreign(ast.parse(own + "a._b, a._c, a._e, a.__dict__, a._replace(), super()._f, self._g")) == set()
    others = "a._b = 1\nself.x._c\nfrom y import _d\ngetattr(a, '_e')\nm.setattr('z._f', 1)\nm.setattr(a, '_g', 1)\n"
    assert foreign(ast.parse(others)) == {f"_{letter}" for letter in "bcdefg"}


def test_long_bodies_are_found(tmp_path):
    path = tmp_path / "a.py"
    path.write_text('def f():\n    """Say.\n\n    More."""\n' + 40 * "    x = 1\n" + "def g():\n" + 41 * "    x = 1\n")
    assert too_long(path) == {"g"}
    path.write_text(301 * "x = 1\n")
    assert too_long(path) == {"the file"}
