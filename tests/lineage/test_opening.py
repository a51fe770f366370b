"""Opening a database: made, found again, or one clear sentence about why not."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import lineage
from tests.lineage.builders import message


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
        if not name.startswith("_") and name not in _submodules() | {"annotations", "Path"}
    }


def _submodules() -> set[str]:
    folder = Path(lineage.__file__).parent
    return {path.stem for path in folder.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("batches", [0, 1, 3])
def test_a_new_database_survives_a_kill_before_its_first_checkpoint(
    tmp_path: Path, batches: int
) -> None:
    path = tmp_path / "l.duckdb"
    code = (
        "import os, signal, sys, lineage\n"
        "from tests.lineage.builders import message\n"
        "store = lineage.open(sys.argv[1])\n"
        "for i in range(int(sys.argv[2])): store.apply([message(f'm{i}')])\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[2]
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
