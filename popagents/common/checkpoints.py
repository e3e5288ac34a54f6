"""A folder of checkpoints: each a folder of its own, written beside and renamed, with the SHA-256 of all its files.

`SHA256SUMS` is what `sha256sum -c` reads. A zip's CRC-32 would find a torn file, but covers neither its directory nor
the files around it.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from popagents.common.whole_files import part_of, remove_folder

SUMS = "SHA256SUMS"
KEPT = 2  # checkpoints: the last one, and the one before in case that is damaged


def write_checkpoint(folder: Path, fill: Callable[[Path], None]) -> Path:
    """Write the next checkpoint, and remove all but the last two.

    Args:
        folder: of all checkpoints.
        fill: writes files into the empty folder that it is given.

    Returns:
        Where it is.

    Raises:
        OSError: the disk is full or the folder cannot be written; the checkpoints that there are stay.
    """
    numbers = [int(path.name) for path in checkpoints_in(folder)]
    whole = folder / str(max(numbers, default=-1) + 1)
    write_whole(whole, fill)
    for old in checkpoints_in(folder)[:-KEPT]:
        remove_folder(old)
    return whole


def write_whole(whole: Path, fill: Callable[[Path], None]) -> None:
    """Write one checkpoint, where there is none yet; see `write_checkpoint`."""
    part = part_of(whole)
    try:
        part.mkdir(parents=True)
        fill(part)
        (part / SUMS).write_text(sums_of(part))
        os.rename(part, whole)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def checkpoints_in(folder: Path) -> list[Path]:
    """Return all checkpoints in a folder, in the order in which they were written."""
    found = [path for path in folder.glob("*") if path.name.isdecimal() and path.is_dir()]
    return sorted(found, key=lambda path: int(path.name))


def sums_of(checkpoint: Path) -> str:
    """Return the SHA-256 of every file in a checkpoint but the sums' own, a line each, once they are on the disk."""
    lines = []
    for path in sorted(checkpoint.iterdir()):
        if path.name != SUMS:
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    return "".join(lines)


def is_whole(checkpoint: Path) -> bool:
    """Tell whether a checkpoint's files are those that were written."""
    try:
        return (checkpoint / SUMS).read_text() == sums_of(checkpoint)
    except (OSError, UnicodeDecodeError):
        return False
