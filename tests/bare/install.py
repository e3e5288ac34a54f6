"""`python -m tests.bare.install`: build the wheel, install it with nothing but its dependencies, and check it there.

Their versions are those of `constraints.txt`, or, with `--lowest`, the lowest that `pyproject.toml` names, where only
the learners, the champions and the environments are checked. torch and what torch needs are linked in from this
environment: they are most of what a plain install downloads.
"""

import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement

from tests.bare.closure import closure

ROOT = Path(__file__).parents[2]
SHIPPED = ("pop*/py.typed", "popagents/zoo/hyperparams/*.yml", "popagents/zoo/champions/**/*.*")


def build_wheel(folder: Path) -> Path:
    """Build the wheel and see that the files which are no code are in it."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(pip, check=True)
    (wheel,) = folder.glob("popzoo-*.whl")
    shipped = [{str(path.relative_to(ROOT)) for path in ROOT.glob(pattern)} for pattern in SHIPPED]
    assert all(shipped), f"one of {SHIPPED} matches nothing in {ROOT}"
    lacking = set().union(*shipped) - set(ZipFile(wheel).namelist())
    assert not lacking, f"{wheel.name} lacks {sorted(lacking)}"
    return wheel


def link(requirement: str, folder: Path) -> None:
    """Link what a requirement brings into a folder.

    A folder beside the environment, not in it: pip never removes what lies outside the one that it installs into.
    """
    folder.mkdir()
    for name in closure(requirement):
        found = distribution(name)
        for top in {path.parts[0] for path in found.files or []} - {"..", "__pycache__"}:
            if not (folder / top).exists():
                (folder / top).symlink_to(Path(str(found.locate_file(top))))


def make_environment(folder: Path, linked: Path) -> Path:
    """Make an empty environment that also looks into `linked`; return its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    site_packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    (site_packages / "linked.pth").write_text(f"{linked}\n")
    return folder / "bin" / "python"


def lowest() -> str:
    """Return pip's constraints that hold every dependency but torch at its lowest version, one a line."""
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    bounds = [(found.name, bound) for found in map(Requirement, named) for bound in found.specifier]
    return "\n".join(f"{name}=={b.version}" for name, b in bounds if b.operator == ">=" and name != "torch")


def install(python: Path, constraints: Path, *what: str) -> None:
    """Install requirements and pip's options for them into an environment without pip.

    Raises:
        CalledProcessError: pip refused.
    """
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, "--constraint", str(constraints), *what], check=True)


def main() -> None:
    """Build, install and check in a temporary folder."""
    versions, claims = (ROOT / "constraints.txt").read_text(), list[str]()
    if "--lowest" in sys.argv:
        versions, claims = lowest(), ["learns", "plays", "steps"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        wheel = build_wheel(folder)
        link("torch", folder / "linked")
        python = make_environment(folder / "environment", folder / "linked")
        (folder / "versions.txt").write_text(versions)
        install(python, folder / "versions.txt", str(wheel))
        check = [str(python), "-I", str(Path(__file__).with_name("check.py")), wheel.name.split("-")[1], *claims]
        raise SystemExit(subprocess.run(check, cwd=folder).returncode)


if __name__ == "__main__":
    main()
