"""A lineage in a file: what is read is what was written, memory does not grow, and no stop loses or doubles a row."""

import numpy as np
import pytest

from popagents.common import lineage_file
from popagents.common.lineage import ROW, Lineage
from popagents.common.lineage_file import LineageFile


def generation(number, members=3):
    rows = np.zeros(members, ROW)
    rows["generation"], rows["member"], rows["fitness"] = number, np.arange(members), number / 7
    return rows


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lineage.bin"


@pytest.fixture(params=[1, 7, 10**6])
def small_chunks(request, monkeypatch):
    monkeypatch.setattr(lineage_file, "CHUNK", request.param)
    return request.param


def test_a_file_holds_what_memory_would_hold(path, small_chunks):
    table, memory = LineageFile.holding(path, generation(0)), Lineage(generation(0))
    for g in range(1, 20):
        for rows in (generation(99), generation(g)):  # the first was interrupted before it counted
            table.write(3 * g, rows)
            memory.write(3 * g, rows)
        if g % 6 == 0:
            table.flush(3 * g + 3)
        assert (table.rows(3 * g + 3) == memory.rows(3 * g + 3)).all()
        assert len(table.rows(2)) == 2
        assert 3 * g - table.filed < small_chunks + 3
    assert path.stat().st_size == table.filed * ROW.itemsize


def test_a_file_that_is_found_goes_on_and_cuts_off_what_does_not_count(path):
    table = LineageFile.holding(path, generation(0))
    table.write(3, generation(1))
    sha256 = table.flush(6)
    table.write(6, generation(2))
    table.flush(9)
    found = LineageFile.found(path, 6, sha256)
    found.write(6, generation(5))
    assert found.flush(9) == LineageFile.holding(path.with_name("twin"), found.rows(9)).flush(9)
    assert found.rows(9)["generation"].tolist() == [0] * 3 + [1] * 3 + [5] * 3
    assert path.stat().st_size == 9 * ROW.itemsize


def test_a_file_that_is_not_what_was_written_is_refused_by_its_name(path):
    sha256 = LineageFile.holding(path, generation(0)).flush(3)
    whole = path.read_bytes()
    for content, reason in [(whole[:-1], "is torn: 1 bytes are missing"), (b"?" + whole[1:], "was altered")]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"{path} {reason}"):
            LineageFile.found(path, 3, sha256)
    path.unlink()
    with pytest.raises(ValueError, match=f"there is no {path}"):
        LineageFile.found(path, 3, sha256)


def test_an_interrupt_or_a_full_disk_while_rows_are_filed_loses_none(path, monkeypatch):
    table = LineageFile.holding(path, generation(0))
    for error in (KeyboardInterrupt, OSError):

        def failing(_, error=error):
            raise error

        table.write(3, generation(1))
        with monkeypatch.context() as patched:
            patched.setattr("os.fsync", failing)
            with pytest.raises(error):
                table.flush(6)
        assert table.filed == 3
        assert table.rows(6)["generation"].tolist() == [0] * 3 + [1] * 3
    table.flush(6)
    assert path.stat().st_size == 6 * ROW.itemsize


def test_rows_that_the_disk_does_not_take_wait_in_memory(path, monkeypatch):
    monkeypatch.setattr(lineage_file, "CHUNK", 3)
    table = LineageFile.holding(path, generation(0))

    def full(_):
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        for g in range(1, 5):
            table.write(3 * g, generation(g))
    assert table.filed == 3
    assert (table.rows(15) == np.concatenate([generation(g) for g in range(5)])).all()
