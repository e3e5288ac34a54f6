"""`python -m benchmarks.fingerprints [--out FILE] [--write]`: hashes of what short runs lead to.

One line a run (see `fingerprint_runs.py`): hashes of its lineage, of its champion's policy and of its state.
Printed on two commits on one machine they say whether anything has changed. Lineages are alike on every processor:
`--write` stores them for the tests. Parameters are not.
"""

import argparse
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.fingerprint_runs import ENVS, RUNS, SETTINGS
from popagents.learners.snapshot import flat
from registration.learners import load_learner

LINEAGES = Path(__file__).parents[1] / "tests" / "golden" / "learners" / "lineages.json"
SEED = 7


def learned(name: str) -> Any:
    """Return the model at the end of a run, computed by one thread."""
    run = RUNS[name]
    with threadpool_limits(1):  # torch's orthogonal weights depend on the number of threads
        model = load_learner(run.learner)(
            run.policy, ENVS[run.env](), seed=SEED, device="cpu", **SETTINGS[run.learner] | run.settings
        )
        return model.learn(run.timesteps, log_interval=None)


def lineage_of(model: Any) -> dict[str, Any]:
    """Return what is stored of a run: a hash of its whole lineage, the rows of its last generation, its champion."""
    rows = [list(row) for row in model.lineage.tolist()]
    last = [row for row in rows if row[0] == rows[-1][0]]
    return {"sha256": hashlib.sha256(json.dumps(rows).encode()).hexdigest(), "last": last, "champion": model.champion}


def parameters_hash(arrays: Iterable[np.ndarray]) -> str:
    """Return the first half of a SHA-256 of some arrays' bytes."""
    digest = hashlib.sha256()
    for values in arrays:
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:32]


def policy_arrays(model: Any) -> list[np.ndarray]:
    """Return the parameters and buffers of the policy that `predict` uses."""
    return [values.cpu().numpy() for values in model.policy.state_dict().values()]


def state_arrays(model: Any) -> list[np.ndarray]:
    """Return all that the run's state holds, in the order of its fields."""
    return list(flat(model.loop.run.state, "state").values())


def line(name: str) -> str:
    """Return a run's name and hashes."""
    model = learned(name)
    lineage = lineage_of(model)["sha256"][:32]
    policy, state = parameters_hash(policy_arrays(model)), parameters_hash(state_arrays(model))
    return f"{name:40} lineage {lineage} policy {policy} state {state}"


def lineages() -> str:
    """Return all lineages as JSON, one line a run."""
    lines = [f"{json.dumps(name)}: {json.dumps(lineage_of(learned(name)))}" for name in RUNS]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Print a line a run, or store the lineages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="print into this file")
    parser.add_argument("--write", action="store_true", help="store the lineages that the tests compare with")
    arguments = parser.parse_args()
    if arguments.write:
        LINEAGES.write_text(lineages())
        return
    lines = "".join(f"{line(name)}\n" for name in RUNS)
    if arguments.out:
        arguments.out.write_text(lines)
    else:
        print(lines, end="")


if __name__ == "__main__":
    main()
