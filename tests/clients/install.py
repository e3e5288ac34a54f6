"""`python -m tests.clients.install [skrl_ppo ...]`: run each client's script in an environment of its own.

An environment holds the wheel, the client and the versions of constraints.txt, but for those that the client cannot
have. It is made in a temporary folder, which is also the script's home: what a client writes there goes with it.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.bare.install import ROOT, build_wheel, install, link, make_environment


@dataclass(frozen=True)
class Client:
    """What a script needs beside popzoo.

    Attributes:
        needs: requirements, the client's own with the version that is tested first.
        instead: bounds in place of constraints.txt's lines.
        alone: requirements that are installed without what they ask for, because they pin older versions than ours.
    """

    needs: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()


CLIENTS = {  # a script's name -> what it needs
    "cleanrl_ppo": Client(),
    "evotorch_pgpe": Client(("evotorch==0.6.1",)),
    "imitation_bc": Client(("datasets", "tqdm"), alone=("imitation==1.0.1",)),
    "minari_dataset": Client(("minari[create,hdf5]==0.5.4", "pillow")),
    "pyribs_archive": Client(("ribs==0.12.0",)),
    "rllib_ppo": Client(("ray[rllib]==2.60.0",), instead=("gymnasium==1.2.2",)),
    "skrl_ppo": Client(("skrl==2.1.1",)),
    "supersuit_sb3": Client(("supersuit==3.11.0",)),
    "tianshou_dqn": Client(("tianshou==2.0.1",), instead=("pandas<3", "filelock<4")),
    "torchrl_ppo": Client(("torchrl==0.14.1",)),
}


def constraints(instead: Iterable[str]) -> str:
    """Return constraints.txt with some bounds in place of its own."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    named = {canonicalize_name(Requirement(bound).name) for bound in instead}
    pins = [line for line in lines if not line.startswith("#")]
    kept = [line for line in pins if canonicalize_name(Requirement(line).name) not in named]
    return "\n".join([*kept, *instead, ""])


def run(name: str, client: Client, wheel: Path, linked: Path) -> bool:
    """Install a client and run its script; print its last line, or all of it and pip's complaint where it fails."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary).resolve()
        python, bounds = make_environment(home / "environment", linked), home / "constraints.txt"
        bounds.write_text(constraints(client.instead))
        try:
            install(python, bounds, str(wheel), *client.needs)
            if client.alone:
                install(python, bounds, "--no-deps", *client.alone)
        except subprocess.CalledProcessError as error:
            print(f"{name} FAILED: {error}", flush=True)
            return False
        command = [str(python), "-I", str(Path(__file__).with_name(f"{name}.py"))]
        done = subprocess.run(
            command, cwd=home, env=os.environ | {"HOME": str(home)}, text=True, capture_output=True, check=False
        )
    failed = f"{name} FAILED\n{done.stdout}{done.stderr}" if done.returncode else None
    print(failed or done.stdout.splitlines()[-1], flush=True)
    return failed is None


def main(names: list[str]) -> None:
    """Run the named scripts, or all, one after the other; end with 1 if one fails."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        wheel = build_wheel(folder)
        link("torch", folder / "linked")
        held = [run(name, CLIENTS[name], wheel, folder / "linked") for name in names or CLIENTS]
    raise SystemExit(not all(held))


if __name__ == "__main__":
    main(sys.argv[1:])
