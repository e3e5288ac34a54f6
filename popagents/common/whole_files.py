"""Files and folders that are whole or not there: written beside, under a name of their own, and renamed."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path


def part_of(path: Path) -> Path:
    """Return the name under which a file or folder stands while it is not whole."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def replace_file(path: Path, content: bytes) -> None:
    """Write a file beside `path`, and rename it once it is whole.

    Raises:
        OSError: the disk is full or the folder cannot be written; what was there before is unchanged.
    """
    beside = part_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_through(beside, content)
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        kept = "the file that stood there is unchanged" if path.exists() else "nothing was written"
        raise OSError(
            error.errno, f"could not save to {path} ({error.strerror}); {kept}; free space or save elsewhere"
        ) from error


def write_through(path: Path, content: bytes) -> None:
    """Write a file, and wait until it is on the disk."""
    with open(path, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def remove_folder(folder: Path) -> None:
    """Remove a folder; it is gone at once, or what is left of it has a name for `remove_parts`."""
    part = part_of(folder)
    os.rename(folder, part)
    shutil.rmtree(part)


def remove_parts(paths: Iterable[Path]) -> None:
    """Remove files and folders that `part_of` named and whose process was killed.

    Args:
        paths: among which to look.
    """
    for path in paths:
        *_, pid, end = path.name.split(".")
        if path.name.startswith(".") and end == "part" and pid.isdecimal() and not is_running(int(pid)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def is_running(pid: int) -> bool:
    """Tell whether there is another process of this number, which may be at work on what bears it."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
