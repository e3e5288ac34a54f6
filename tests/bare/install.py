"""`python -m tests.bare.install`: build the wheel, install it with nothing but its dependencies, and check it there.

torch and what torch needs are linked in from this environment: they are most of what a plain install downloads.
"""

import subprocess
import sys
import sysconfig
import tempfile
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

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


def install(python: Path, constraints: Path, *what: str) -> None:
    """Install requirements and pip's options for them into an environment without pip.

    Raises:
        CalledProcessError: pip refused.
    """
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, "--constraint", str(constraints), *what], check=True)


def main() -> None:
    """Build, install and check in a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        wheel = build_wheel(folder)
        link("torch", folder / "linked")
        python = make_environment(folder / "environment", folder / "linked")
        install(python, ROOT / "constraints.txt", str(wheel))
        check = [str(python), "-I", str(Path(__file__).with_name("check.py")), wheel.name.split("-")[1]]
        raise SystemExit(subprocess.run(check, cwd=folder).returncode)


if __name__ == "__main__":
    main()
