"""A backup is a copy that is whole, also while batches are applied; else there is none."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import lineage
from lineage.codec import Batch
from lineage.store import backup as module
from lineage.store import reader
from tests.disks import ROOT, batch, disk, killed
from tests.lineage.events.builders import message
from tests.stores import new_database, new_store

pytestmark = pytest.mark.slow  # copies beside a writer

OPENS = "import duckdb, sys; duckdb.connect(sys.argv[1])"


def batches(count: int) -> list[Batch]:
    made = [batch(number) for number in range(count)]
    return [one for one in made if isinstance(one, Batch)]


def digest_after(some: list[Batch]) -> str:
    with new_store() as store:
        for number, one in enumerate(some):
            store.apply_batch(one, {("t", 0): number + 1})
        return store.digest()


def test_a_backup_is_of_a_batch_s_end_while_others_are_applied(tmp_path: Path) -> None:
    some = batches(40)
    with new_database() as path, lineage.open(path) as store:
        begun = threading.Event()

        def apply() -> None:
            for number, one in enumerate(some):
                store.apply_batch(one, {("t", 0): number + 1})
                begun.set()

        writer = threading.Thread(target=apply)
        writer.start()
        begun.wait()
        copies = [store.backup(tmp_path / f"{number}.duckdb") for number in range(3)]
        writer.join()
        assert store.positions() == {("t", 0): len(some)}
    ends = []
    for made in copies:
        assert made.bytes == made.path.stat().st_size
        with lineage.open(made.path, read_only=True) as copy:
            end = copy.positions()["t", 0]
            assert copy.digest() == digest_after(some[:end])
            assert all(checked.is_sound for checked in copy.verify(None))
            ends.append(end)
    assert ends == sorted(ends)
    assert [each.name for each in sorted(tmp_path.iterdir())] == [f"{n}.duckdb" for n in range(3)]


@pytest.mark.slow
@pytest.mark.parametrize("read_only", [True, False])
def test_a_backup_has_what_is_in_the_log_alone(tmp_path: Path, read_only: bool) -> None:
    path = killed(tmp_path / "l.duckdb", 4)
    with lineage.open(path, read_only=read_only) as store:
        store.backup(tmp_path / "copy.duckdb")
        assert not store.unfinished
    with lineage.open(tmp_path / "copy.duckdb") as copy:
        assert copy.digest() == digest_after(batches(4))


@pytest.mark.slow
def test_other_processes_are_kept_out_after_a_backup_and_a_second_opening(tmp_path: Path) -> None:
    """Closing a file in a process lets go of the locks that the process has on it."""
    path = tmp_path / "l.duckdb"
    with lineage.open(path) as store:
        store.apply([message("m")])
        store.backup(tmp_path / "copy.duckdb")
        with pytest.raises(lineage.StoreBusyError, match="open in this process"):
            lineage.open(path)
        command = [sys.executable, "-c", OPENS, str(path)]
        other = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Could not set lock" in other.stderr


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    there = tmp_path / "there.duckdb"
    there.write_text("mine")
    log = tmp_path / "other.duckdb.wal"
    log.write_text("mine")
    with new_database() as path, lineage.open(path) as store:
        for to in (there, path, tmp_path / "other.duckdb"):
            with pytest.raises(lineage.BackupError, match="is there already"):
                store.backup(to)
        with pytest.raises(lineage.BackupError, match="does not exist"):
            store.backup(tmp_path / "none" / "copy.duckdb")
    assert (there.read_text(), log.read_text()) == ("mine", "mine")
    with (
        lineage.open(":memory:") as store,
        pytest.raises(lineage.BackupError, match="in memory"),
    ):
        store.backup(tmp_path / "copy.duckdb")


def test_a_name_that_is_taken_meanwhile_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = tmp_path / "copy.duckdb"
    finish = module.Copy.finish

    def taken(copy: module.Copy, memory_mib: int) -> module.Backup:
        to.write_text("mine")
        return finish(copy, memory_mib)

    monkeypatch.setattr(module.Copy, "finish", taken)
    with (
        new_database() as path,
        lineage.open(path) as store,
        pytest.raises(lineage.BackupError, match="there by now"),
    ):
        store.backup(to)
    assert to.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [to]


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with (
        disk(tmp_path / "small", "64k") as small,
        new_database() as path,
        lineage.open(path) as store,
    ):
        store.apply_batch(batches(1)[0])
        with pytest.raises(lineage.StoreError, match=r"needs \d+ MiB .* has 0 MiB left; make room"):
            store.backup(small.folder / "copy.duckdb")
        assert list(small.folder.iterdir()) == []


def test_a_disk_that_fills_up_leaves_no_half_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "check_target", lambda *_: None)  # it filled up since
    with (
        disk(tmp_path / "small", "64k") as small,
        new_database() as path,
        lineage.open(path) as store,
    ):
        with pytest.raises(lineage.StoreError, match="the copy was not made: No space left"):
            store.backup(small.folder / "copy.duckdb")
        assert list(small.folder.iterdir()) == []
        small.remount("size=50m")
        store.backup(small.folder / "copy.duckdb")
        store.apply([message("m")])


def test_a_folder_that_is_read_only_is_told(tmp_path: Path) -> None:
    with (
        disk(tmp_path / "small", "50m") as small,
        new_database() as path,
        lineage.open(path) as store,
    ):
        small.remount("ro")
        with pytest.raises(lineage.StoreError, match="no file can be made in"):
            store.backup(small.folder / "copy.duckdb")


@pytest.mark.slow
def test_what_a_killed_backup_leaves_goes_with_the_next(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, lineage\nfrom lineage.store.backup import Copy\n"
        "Copy.finish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "lineage.open(sys.argv[1]).backup(sys.argv[2])"
    )
    path, to = tmp_path / "l.duckdb", tmp_path / "copy.duckdb"
    lineage.open(path).close()
    command = [sys.executable, "-c", code, str(path), str(to)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert not to.exists()
    assert len(list(tmp_path.glob("copy.duckdb.spill-*"))) == 1
    with lineage.open(path) as store:
        store.backup(to)
    assert list(tmp_path.glob("*.spill-*")) == []
