"""A worker whose disk is at fault: it says so, and goes on where it stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

import lineage
from lineage.database.storage.write_ahead_log import path_of
from streams.kafka.publish import publish
from tests.disks import disk
from tests.streams.kafka_helpers import PARTITIONS
from tests.streams.workers import Worker

SOON = 60.0
READY = "Worker ready"


def digest(path: Path) -> str:
    with lineage.open(path, read_only=True) as store:
        return store.digest()


@pytest.mark.kafka
class TestOnRealKafka:
    def test_a_full_disk_and_room_again(
        self, worker: Worker, log: Path, replayed: Path, tmp_path: Path
    ) -> None:
        publish([log], worker.bootstrap, PARTITIONS)
        with disk(tmp_path / "small", "400k") as small:
            worker.db = small.folder / "live.duckdb"
            said = worker.command("--once").ended(SOON)
            assert "No space left on device" in said
            small.remount("size=100m")
            worker.drain()
            assert digest(worker.db) == digest(replayed)

    def test_a_read_only_disk(
        self, worker: Worker, log: Path, replayed: Path, tmp_path: Path
    ) -> None:
        publish([log], worker.bootstrap, PARTITIONS)
        with disk(tmp_path / "small", "100m") as small:
            worker.db = small.folder / "live.duckdb"
            small.remount("ro")
            said = worker.command("--once").ended(SOON)
            assert "Read-only file system; have it mounted for writing" in said
            small.remount("rw")
            worker.drain()
            assert digest(worker.db) == digest(replayed)

    def test_the_tail_of_a_lost_log_is_read_again(
        self, worker: Worker, log: Path, replayed: Path
    ) -> None:
        """Positions are in the same transactions as the events, so the two are lost together."""
        publish([log], worker.bootstrap, PARTITIONS)
        worker.kill_after(800)
        wal = path_of(worker.db)
        content = wal.read_bytes()
        wal.write_bytes(content[: len(content) * 2 // 3])
        worker.drain(quiet=False)
        assert digest(worker.db) == digest(replayed)

    def test_a_damaged_log_is_told_and_what_it_had_is_read_again(
        self, worker: Worker, log: Path, replayed: Path
    ) -> None:
        publish([log], worker.bootstrap, PARTITIONS)
        worker.kill_after(400)
        wal = path_of(worker.db)
        content = bytearray(wal.read_bytes())
        content[len(content) // 2] ^= 1
        wal.write_bytes(content)
        said = worker.command("--once").ended(SOON)
        assert "live.duckdb.wal is damaged" in said
        assert "held by another" not in said
        wal.rename(wal.with_name("kept"))
        worker.drain()
        assert digest(worker.db) == digest(replayed)

    def test_a_database_that_another_process_writes(self, worker: Worker, tmp_path: Path) -> None:
        first = worker.command()
        first.until(READY)
        worker.group += "-other"
        assert "is held by another process" in worker.command("--once").ended(SOON)
        assert first.process.poll() is None
