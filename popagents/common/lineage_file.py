"""A lineage that is kept in a file: memory holds no more than its last rows, and its file is only ever added to.

The file is `ROW`s, one after the other. How many of them count, and their SHA-256, stand elsewhere (in a checkpoint);
what lies behind them was written by a process that was killed, and is cut off by the next rows.
"""

import contextlib
import hashlib
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from popagents.common.lineage import ROW, Lineage
from popagents.common.whole_files import replace_file

CHUNK = 2**16  # rows in memory at most, besides those of one generation
BLOCK = 2**22  # bytes read at a time


class Filed(NamedTuple):
    """What is in the file."""

    rows: int
    digest: Any  # SHA-256 of them, which can be added to
    waiting: Lineage  # the rows behind them, in memory


class LineageFile(Lineage):
    """A table of `ROW`s in a file.

    Args:
        path: of the file; what is in it counts for nothing until `fits` has found it whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filed = Filed(0, hashlib.sha256(), Lineage())

    @classmethod
    def holding(cls, path: Path, rows: np.ndarray) -> "LineageFile":
        """Begin a file with some rows; what stood there is overwritten."""
        table = cls(path)
        table.file(rows)
        return table

    @classmethod
    def found(cls, path: Path, rows: int, sha256: str) -> "LineageFile":
        """Return the first rows of a file, ready to be added to.

        Args:
            path: of the file.
            rows: how many.
            sha256: of them, in hexadecimal digits.

        Raises:
            ValueError: they are not those that were written, or there is no such file.
        """
        table, digest = cls(path), hashlib.sha256()
        try:
            with open(path, "rb") as file:
                left = rows * ROW.itemsize
                while left > 0 and (block := file.read(min(left, BLOCK))):
                    digest.update(block)
                    left -= len(block)
        except FileNotFoundError as error:
            raise ValueError(f"there is no {path}") from error
        if left > 0:
            raise ValueError(f"{path} is torn: {left} bytes are missing")
        if digest.hexdigest() != sha256:
            raise ValueError(f"{path} was altered: its first {rows} rows are not those that were written")
        table._filed = Filed(rows, digest, Lineage())
        return table

    def seal(self, n: int) -> None:
        """Put the first n rows, which are all, onto the disk, and their SHA-256 beside, as `sha256sum -c` reads it."""
        replace_file(seal_of(self.path), f"{self.flush(n)}  {self.path.name}\n".encode())

    @property
    def filed(self) -> int:
        """Return how many rows are in the file."""
        return self._filed.rows

    def rows(self, n: int) -> np.ndarray:
        """Read the first n rows."""
        filed = self._filed
        stored = np.fromfile(self.path, ROW, min(n, filed.rows))
        return np.concatenate([stored, filed.waiting.rows(max(0, n - filed.rows))])

    def write(self, first: int, rows: np.ndarray) -> None:
        """Put rows behind the first `first` ones, as `Lineage` does; those go into the file once they are many."""
        if first - self._filed.rows >= CHUNK:
            with contextlib.suppress(OSError):  # they stay in memory; the next checkpoint says what is wrong
                self.flush(first)
        self._filed.waiting.write(first - self._filed.rows, rows)

    def flush(self, n: int) -> str:
        """Put the first n rows into the file, on the disk; return their SHA-256.

        Raises:
            OSError: the disk is full or the folder cannot be written; the rows stay in memory.
        """
        self.file(self._filed.waiting.rows(n - self._filed.rows))
        digest: str = self._filed.digest.hexdigest()
        return digest

    def file(self, rows: np.ndarray) -> None:
        """Put rows behind those in the file, and cut off what follows; an interrupt leaves what was there before."""
        content, digest = rows.tobytes(), self._filed.digest.copy()
        self.path.touch()
        with open(self.path, "r+b") as file:
            file.seek(self._filed.rows * ROW.itemsize)
            file.truncate()
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        digest.update(content)
        self._filed = Filed(self._filed.rows + len(rows), digest, Lineage())


def seal_of(path: Path) -> Path:
    """Return where the SHA-256 of a lineage stands whose run has ended."""
    return path.with_name(f"{path.name}.sha256")


def sealed_lineage(path: Path) -> LineageFile:
    """Return all rows of a file whose run has ended.

    Raises:
        ValueError: they are not those that were written, or there is no such file or no SHA-256 of it.
    """
    seal = seal_of(path)
    if not seal.is_file():
        raise ValueError(f"there is no {seal}")
    rows, rest = divmod(path.stat().st_size if path.is_file() else 0, ROW.itemsize)
    if rest:
        raise ValueError(f"{path} is torn: {ROW.itemsize - rest} bytes are missing")
    return LineageFile.found(path, rows, seal.read_text()[:64])
