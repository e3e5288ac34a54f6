"""Every script of another library's is run by `make clients`, and stands in the table of docs/clients.md."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.clients.install import CLIENTS, ROOT, constraints

DOCUMENT = (ROOT / "docs" / "clients.md").read_text()


def test_every_script_is_run_and_documented():
    scripts = {path.stem for path in Path(__file__).parent.glob("[!_]*.py")} - {"install", "test_clients"}
    assert scripts == CLIENTS.keys()
    assert scripts == set(re.findall(r"\(\.\./tests/clients/(\w+)\.py\)", DOCUMENT))


@pytest.mark.parametrize("name", [name for name in CLIENTS if name != "cleanrl_ppo"])
def test_the_document_names_the_version_that_is_run(name):
    client = CLIENTS[name]
    own = Requirement((client.alone or client.needs)[0])
    assert f"clients/{name}.py) | {str(own.specifier).removeprefix('==')} |" in DOCUMENT


def test_the_documents_first_lines_run():
    namespace = {}
    (block,) = re.findall(r"```python\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    exec(compile(block, "clients.md", "exec"), namespace)
    assert namespace["lanes"].num_envs == 16
    assert namespace["parallel"].possible_agents == namespace["turns"].possible_agents == ["player_0", "player_1"]


def test_the_document_names_the_versions_beside_which_they_are_run():
    pins = dict(re.findall(r"^(\w[\w-]*)==(\S+)$", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE))
    beside = DOCUMENT.rpartition("|")[2]
    for name in ("gymnasium", "numpy", "pettingzoo", "stable_baselines3", "torch"):
        assert f" {pins[name]}" in beside, name


def test_a_clients_bound_takes_the_place_of_ours():
    ours = (ROOT / "constraints.txt").read_text().splitlines()[1:]
    theirs = constraints(["pandas<3", "Stable-Baselines3==2.9.1"]).splitlines()
    assert set(theirs) - set(ours) == {"pandas<3", "Stable-Baselines3==2.9.1"}
    assert {line.partition("==")[0] for line in set(ours) - set(theirs)} == {"pandas", "stable_baselines3"}
