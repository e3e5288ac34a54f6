"""Mutants of model files: bits flipped, JSON changed, arrays cut, renamed, retyped, made infinite, and nested deeply.

    python -m tests.fuzz.mutants [--mutants 10000] [--seed 0] [--reader culture]

Each mutant must load, and learn if only its arrays were changed, or be refused by one ValueError, whatever reads it
(see `readers.py`). Nothing it says is run, nothing is imported that is not on the list, and reading it takes no more
memory than twice its arrays, beside what any file may take.
"""

import argparse
import copy
import io
import json
import random
import struct
import sys
import tracemalloc
import warnings
import zipfile
from collections import Counter

import numpy as np

from popagents.common.archive import ARRAYS, TEXT, arrays_of
from popagents.common.file_classes import KINDS
from tests.fuzz.readers import READERS

FREE = 48 * 2**20  # bytes that reading any file may take: two bounds of a large Box, JSON, networks of 1 MiB
WATCHED = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "ctypes.dlopen", "socket.connect")
VALUES = [
    None, True, -1, 0, 1, 3, 7, 2**31, 10**8, 10**30, 0.5, -0.5, 1e308, float("nan"), float("inf"), "", "learn", "../x",
    [], {}, [[]], [30000, 30000], [1] * 5000, [10**9], {"learn": 3}, {"class": "os:system"},
    {"class": "torch.nn:grad.torch._strobelight.compile_time_profiler.subprocess.Popen"},
    {"class": "torch.nn.modules.module:Module"}, {"class": "stable_baselines3.common.policies:BasePolicy"},
    {"class": "antigravity:geohash"}, {"class": "torch.nn.modules.activation:F.Tensor"}, {"class": 3},
]  # fmt: skip
KEYS = ["tensorboard_log", "learn", "verbose", "env", "_slots", "policy", "champion", "seed", "net_arch", "n"]


def parts_of(content):
    """Return the JSON and the arrays of a file."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return json.loads(file.read(TEXT)), dict(arrays_of(file.read(ARRAYS)))


def zipped(text, block):
    """Return a file of any text and block, packed as well as can be."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(TEXT, text)
        file.writestr(ARRAYS, block)
    return out.getvalue()


def block_of(header, numbers):
    """Return a block of safetensors with any header."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def safetensors_of(arrays):
    """Return arrays as a block."""
    names = {"f": "F", "i": "I", "u": "U"}
    header, numbers = {}, b""
    for name, array in arrays.items():
        kind = f"{names[array.dtype.kind]}{8 * array.dtype.itemsize}"
        end = len(numbers) + array.nbytes
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(numbers), end]}
        numbers += array.tobytes()
    return header, numbers


def spots(value, path=()):
    """List the paths of all values in JSON."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(spot for key, part in parts for spot in spots(part, (*path, key)))][(not path) :]


def flipped(content, rng):
    """Flip bits, cut, or repeat a piece."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 3, 20])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data[: rng.randrange(len(data))] if rng.random() < 0.1 else data)


def json_changed(content, rng):
    """Change, remove, add or nest values of the JSON."""
    description, arrays = parts_of(content)
    for _ in range(rng.choice([1, 1, 2])):
        *path, last = rng.choice(spots(description))
        place = description
        for key in path:
            place = place[key]
        how = rng.random()
        if how < 0.1:
            del place[last]
        elif how < 0.2 and isinstance(place, dict):
            place[rng.choice(KEYS)] = copy.deepcopy(rng.choice(VALUES))
        elif how < 0.3 and isinstance(place[last], (int, float)):
            place[last] = place[last] * rng.choice([-1, 2, 3, 10**7]) + rng.choice([0, 1])
        else:
            place[last] = copy.deepcopy(rng.choice(VALUES))
        if not spots(description):
            break
    return zipped(json.dumps(description), block_of(*safetensors_of(arrays)))


def array_changed(content, rng):
    """Cut, rename, retype, reshape, drop or add an array, or make one of its numbers impossible."""
    description, arrays = parts_of(content)
    name = rng.choice(sorted(arrays))
    array = arrays.pop(name)
    how = rng.randrange(8)
    if how == 0:
        arrays[name] = array[: len(array) // 2] if array.ndim else array[None]
    elif how == 1:
        arrays[rng.choice([name + "x", "learn", "state/../x", "policy/x", name.upper()])] = array
    elif how == 2:
        arrays[name] = array.astype(rng.choice(["f4", "f8", "i4", "i8", "u1", "i1", "f2"]))
    elif how == 3:
        arrays[name] = array[..., :1] if array.ndim else array
    elif how == 4:
        arrays[name] = array.reshape(-1)
    elif how == 5:
        arrays[name], arrays["more"] = array, array
    elif how in (6, 7) and array.size:
        changed = array.copy().reshape(-1)
        bad = [-2, 5, 10**6, 2**63 - 1] if array.dtype.kind == "i" else [np.nan, np.inf, -1.0]
        changed[rng.randrange(len(changed))] = np.array(rng.choice(bad)).astype(array.dtype)
        arrays[name] = changed.reshape(array.shape)
    return zipped(json.dumps(description), block_of(*safetensors_of(arrays)))


def header_changed(content, rng):
    """Change the header of the arrays."""
    description, arrays = parts_of(content)
    header, numbers = safetensors_of(arrays)
    entry = header[rng.choice(sorted(header))]
    key = rng.choice(["dtype", "shape", "data_offsets"])
    others = {"dtype": ["F64", "BF16", "I8", 3, None], "shape": [[10**9], [-1], [2**62, 4], "x", [[1]], [0.5]]}
    entry[key] = rng.choice([*others.get(key, []), [0, 10**12], [8, 0], [], None, {"a": 1}])
    return zipped(json.dumps(description), block_of(header, numbers))


def bomb(content, rng):
    """Return a file that would unpack to much more than it is."""
    description, arrays = parts_of(content)
    text, block = json.dumps(description), block_of(*safetensors_of(arrays))
    how = rng.randrange(6)
    if how == 0:
        return zipped(text, block + bytes(3 * 10**7))
    if how == 1:
        return zipped(text + " " * 10**7, block)
    if how == 2:
        return zipped("[" * 10**5 + "]" * 10**5, block)
    if how == 3:
        return zipped('{"a":' * 40000 + "1" + "}" * 40000, block)
    if how == 4:
        return zipped("[" + "[]," * 10**6 + "1]", block)
    return zipped(text, struct.pack("<Q", rng.choice([2**63, 10**9, len(block)])) + block[8:])


CHANGES = [flipped, json_changed, json_changed, json_changed, array_changed, array_changed, header_changed, bomb]


def mutants(contents, number, seed):
    """Yield mutants of some files."""
    rng = random.Random(seed)
    for i in range(number):
        change = bomb if i % 50 == 0 else rng.choice(CHANGES[:-1])
        yield change.__name__, change(rng.choice(contents), rng)


def watch(seen):
    """Note every command, library and connection, and every import of what no file may name."""
    allowed = {module for _, modules in KINDS.values() for module in modules}
    before = {name.partition(".")[0] for name in sys.modules}

    def hook(event, args):
        strange = event == "import" and args[0] not in allowed and args[0].partition(".")[0] not in before
        if strange or event.startswith(WATCHED):
            seen.append((event, str(args)[:200]))

    sys.addaudithook(hook)


def tried(reader, path, learns=True):
    """Read a mutant; return what became of it, and how many bytes that took beyond what it may.

    Raises:
        Exception: whatever else than a ValueError it ends in.
    """
    allowed = FREE + 2 * path.stat().st_size
    tracemalloc.start()
    try:
        content = reader.read(path)
        outcome = "loaded"
    except ValueError as error:
        content, outcome = None, f"refused: {error}"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    if content is not None:
        reader.used(content, learns)
    return outcome, peak - allowed


def run(name, number, seed, folder):
    """Try mutants of what a reader reads; return how many came to what, and everything that was wrong."""
    reader, seen, wrong, outcomes = READERS[name], [], [], Counter()
    paths, mutant = reader.sources(folder), folder / "mutant.zip"
    contents = [path.read_bytes() for path in paths]
    for path in paths:
        assert tried(reader, path)[0] == "loaded"  # imports what is imported late
    watch(seen)
    for kind, content in mutants(contents, number, seed):
        mutant.write_bytes(content)
        try:
            outcome, excess = tried(reader, mutant, kind == "array_changed")
            outcomes[kind, outcome.partition(":")[0]] += 1
            if excess > 0:
                wrong.append(f"{kind}: {excess} bytes too many; {outcome[:200]}")
        except Exception as error:
            wrong.append(f"{kind}: {type(error).__name__}: {str(error)[:200]}")
        if seen:
            wrong.append(f"{kind}: {seen[:3]}")
            seen.clear()
    return outcomes, wrong


def main(arguments=None):
    """Try mutants of every reader's files."""
    import tempfile
    from pathlib import Path

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=10_000, help="for each reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", choices=READERS)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    failed = False
    for name in [options.reader] if options.reader else READERS:
        with tempfile.TemporaryDirectory() as folder:
            outcomes, wrong = run(name, options.mutants, options.seed, Path(folder))
        print(name, dict(sorted(outcomes.items())), f"{len(wrong)} wrong", *wrong[:20], sep="\n  ")
        failed |= bool(wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
