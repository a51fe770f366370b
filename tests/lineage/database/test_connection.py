"""Opening a database: made, found again, or one clear sentence about why not."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import lineage
from lineage.database.storage.faults import store_error
from tests.lineage.events.builders import message


def test_a_new_file_is_made_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "l.duckdb"
    with lineage.open(path) as store:
        store.apply([message("m")])
        before = store.digest()
    with lineage.open(path, read_only=True) as store:
        assert store.digest() == before
        assert store.sql("SELECT message_id FROM message").fetchall() == [("m",)]


def test_reading_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(lineage.StoreMissingError, match="no such database"):
        lineage.open(tmp_path / "none.duckdb", read_only=True)


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(lineage.StoreMissingError, match="does not exist"):
        lineage.open(tmp_path / "none" / "l.duckdb")


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(lineage.NotAStoreError, match="is a folder"):
        lineage.open(tmp_path)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello, this is a text file and not a database at all\n" * 400)
    with pytest.raises(lineage.NotAStoreError, match=r"notes\.txt is not a lineage database"):
        lineage.open(path)
    assert path.read_text().startswith("hello")


@pytest.mark.parametrize("head", [b"SQLite format 3\0", b"PAR1" * 4, b"x"])
def test_the_file_of_another_program_is_not_looked_into(tmp_path: Path, head: bytes) -> None:
    """DuckDB would fetch an extension from the net for some."""
    path = tmp_path / "other"
    path.write_bytes(head.ljust(9000, b"\0") if len(head) > 1 else head)
    for read_only in (True, False):
        with pytest.raises(lineage.NotAStoreError, match="is not a lineage database"):
            lineage.open(path, read_only=read_only)


@pytest.mark.slow
def test_a_damaged_database_is_told_as_damaged(tmp_path: Path) -> None:
    path, damaged = tmp_path / "l.duckdb", tmp_path / "damaged" / "folder" / "block.duckdb"
    damaged.parent.mkdir(parents=True)
    with lineage.open(path) as store:
        store.apply([message(f"m{i}") for i in range(1000)])
    whole = path.read_bytes()
    told = []
    for place in range(4096, len(whole), len(whole) // 40):
        damaged.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            with lineage.open(damaged, read_only=True) as store:
                store.digest()
                store.flags()
                store.route("m1")
                store.sql("FROM message").fetchall()
        except lineage.StoreDamagedError as error:
            told.append(str(error))
    assert len(told) > 5
    assert all("damaged" in text and "\n" not in text for text in told)
    damaged.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(lineage.StoreDamagedError):
        lineage.open(damaged, read_only=True)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('IO Error: Could not set lock on file "x": Conflicting lock is held', "StoreBusyError"),
        ("IO Error: Corrupt database file: computed checksum 1 in block", "StoreDamagedError"),
        ("IO Error: Trying to read a database file with version number 9", "StoreVersionError"),
        ("IO Error: could not read the old block folder", "StoreError"),
        (
            "IO Error: Failure while replaying WAL file: Corrupt WAL file: entry",
            "StoreDamagedError",
        ),
        ("Serialization Error: Failed to deserialize: block", "StoreDamagedError"),
        ('IO Error: Could not write file "block": No space left on device', "StoreError"),
    ],
)
def test_an_error_of_duckdb_is_told_by_whole_phrases(said: str, kind: str) -> None:
    assert type(store_error("x", duckdb.IOException(said))).__name__ == kind


@pytest.mark.parametrize("read_only", [True, False])
def test_a_duckdb_database_of_another_program(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE theirs AS SELECT 1 AS x")
    with pytest.raises(lineage.NotAStoreError, match="not one of message-lineage"):
        lineage.open(path, read_only=read_only)
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SHOW TABLES").fetchall() == [("theirs",)]


def test_a_database_of_another_layout(tmp_path: Path) -> None:
    path = tmp_path / "l.duckdb"
    lineage.open(path).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE core.format SET version = 99")
    with pytest.raises(lineage.StoreVersionError, match="layout 99"):
        lineage.open(path)


def test_a_database_that_another_process_holds(tmp_path: Path) -> None:
    path = tmp_path / "l.duckdb"
    lineage.open(path).close()
    code = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        for read_only in (True, False):
            with pytest.raises(lineage.StoreBusyError, match="held by another process"):
                lineage.open(path, read_only=read_only)
        holder.communicate(b"")


@pytest.mark.parametrize(("first", "then"), [(True, True), (True, False), (False, True)])
def test_a_database_that_is_open_in_this_process(tmp_path: Path, first: bool, then: bool) -> None:
    path = tmp_path / "l.duckdb"
    lineage.open(path).close()
    with lineage.open(path, read_only=first) as store:
        with pytest.raises(lineage.StoreBusyError, match="open in this process already"):
            lineage.open(path, read_only=then)
        assert store.sql("SELECT 1").fetchall() == [(1,)]


@pytest.mark.slow
def test_looking_at_an_open_database_keeps_the_others_out(tmp_path: Path) -> None:
    """Closing a file lets go of all locks that a process has on it, also those of DuckDB."""
    path = tmp_path / "l.duckdb"
    lineage.open(path).close()
    link = tmp_path / "link.duckdb"
    link.symlink_to(path)
    code = "import duckdb, sys; duckdb.connect(sys.argv[1])"
    with duckdb.connect(str(path)):
        for way in (path, link):
            with pytest.raises(lineage.StoreBusyError, match="open in this process already"):
                lineage.open(way)
        command = [sys.executable, "-c", code, str(path)]
        other = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Could not set lock" in other.stderr


def test_too_little_memory_is_refused_with_the_least(tmp_path: Path) -> None:
    path = tmp_path / "l.duckdb"
    with pytest.raises(lineage.StoreError, match=r"memory_mib is 10, and .* at least 200 MiB"):
        lineage.open(path, memory_mib=10)
    assert not path.exists()
    lineage.open(path, memory_mib=200).close()
    with pytest.raises(lineage.StoreError, match="at least 64 MiB to be read"):
        lineage.open(path, read_only=True, memory_mib=10)
    lineage.open(path, read_only=True, memory_mib=64).close()


def test_a_read_only_store_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "l.duckdb"
    lineage.open(path).close()
    with (
        lineage.open(path, read_only=True) as store,
        pytest.raises(lineage.StoreError, match="read-only"),
    ):
        store.apply([message("m")])


def test_the_public_names() -> None:
    assert set(lineage.__all__) == {
        name
        for name in vars(lineage)
        if not name.startswith("_")
        and name not in _submodules() | {"annotations", "Path", "TYPE_CHECKING"}
    }


def _submodules() -> set[str]:
    folder = Path(lineage.__file__).parent
    return {path.stem for path in folder.iterdir()} | {"schemas"}  # which is data from beside it


@pytest.mark.slow
@pytest.mark.parametrize("batches", [0, 1, 3])
def test_a_new_database_survives_a_kill_before_its_first_checkpoint(
    tmp_path: Path, batches: int
) -> None:
    path = tmp_path / "l.duckdb"
    code = (
        "import os, signal, sys, lineage\n"
        "from tests.lineage.events.builders import message\n"
        "store = lineage.open(sys.argv[1])\n"
        "for i in range(int(sys.argv[2])): store.apply([message(f'm{i}')])\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", code, str(path), str(batches)]
    killed = subprocess.run(command, cwd=root, check=False)
    assert killed.returncode == -signal.SIGKILL
    with lineage.open(path) as store:
        assert store.sql("SELECT count(*) FROM message").fetchall() == [(batches,)]


def test_the_memory_of_the_database_is_bounded_as_asked() -> None:
    with lineage.open(":memory:", memory_mib=300) as store:
        assert store.sql("SELECT current_setting('memory_limit')").fetchall() == [("300.0 MiB",)]
    with lineage.open(":memory:") as store:
        assert store.sql("SELECT current_setting('memory_limit')").fetchall() == [("1.0 GiB",)]
