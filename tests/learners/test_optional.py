"""What a plain install lacks is named with its remedy, and only where it is asked for."""

import importlib.metadata
import sys
from pathlib import Path

import pytest

import popagents
import popenvs
from popagents.common import optional
from popagents.common.optional import missing_extra, needed
from popagents.learners.culture.culture import Culture
from popagents.learners.progress import StepsBar, callbacks_of


def test_in_a_clone_the_clone_is_installed_with_the_extra() -> None:
    clone = Path(popagents.__file__).parents[1]
    assert str(missing_extra("tqdm is missing", "zoo")) == f'tqdm is missing; run `pip install ".[zoo]"` in {clone}'


def test_elsewhere_the_distribution_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optional, "ROOT", tmp_path)
    assert str(missing_extra("ale-py is missing", "atari")) == 'ale-py is missing; run `pip install "popzoo[atari]"`'


@pytest.mark.parametrize(("module", "name"), [("ale_py.roms", "ale-py"), ("PIL.Image", "Pillow"), ("tqdm", "tqdm")])
def test_a_missing_package_has_the_name_that_pip_knows(module: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf'^{name} is not installed; run `pip install "\.\[atari\]"` in '):
        needed(module, "atari")


def test_a_bar_is_made_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [type(bar) for bar in callbacks_of(None, True)] == [StepsBar]
    monkeypatch.setattr("stable_baselines3.common.callbacks.tqdm", None)  # as SB3 is without tqdm and rich
    assert callbacks_of(None, False) == []
    Culture("LinearPolicy", "CartPole-v1", population_size=2, seed=0).learn(1)


@pytest.mark.parametrize("module", ["tqdm", "rich"])
def test_a_bar_that_cannot_be_made_is_one_error_with_the_remedy(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf'^{module} is not installed; run `pip install "\.\[zoo\]"` in '):
        Culture("LinearPolicy", "CartPole-v1", population_size=2, seed=0).learn(1, progress_bar=True)


def test_every_extra_that_a_message_names_exists() -> None:
    assert {"zoo", "atari", "render"} <= set(importlib.metadata.metadata("popzoo").get_all("Provides-Extra") or ())


def test_the_version_is_the_installed_one() -> None:
    assert popagents.__version__ == popenvs.__version__ == importlib.metadata.version("popzoo")
