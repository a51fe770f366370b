"""A disk at fault: one clear sentence, nothing unseen, and afterwards the work goes on."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

import lineage
from lineage.codec import Batch
from lineage.database.storage.write_ahead_log import path_of, unfinished
from tests.disks import Disk, batch, disk, killed
from tests.lineage.events.builders import message
from tests.stores import new_database, new_store

pytestmark = pytest.mark.slow  # disks and logs that are cut

BATCHES = 4
# A log begins with 8 bytes; an entry with its length and checksum, 8 bytes each.
FIRST_ENTRY = 8


def made(number: int) -> Batch:
    one = batch(number)
    assert isinstance(one, Batch)
    return one


def record(store: lineage.Store, first: int, last: int) -> None:
    for number in range(first, last):
        store.apply_batch(made(number), {("t", 0): number + 1})


@pytest.fixture(scope="module")
def digests() -> list[str]:
    """The digest after each batch."""
    found = []
    with new_store() as store:
        for number in range(BATCHES):
            found.append(store.digest())
            record(store, number, number + 1)
        found.append(store.digest())
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """The file and the log of a database whose process was killed."""
    path = killed(tmp_path_factory.mktemp("killed") / "l.duckdb", BATCHES)
    return path.read_bytes(), path_of(path).read_bytes()


@pytest.fixture
def path() -> Iterator[Path]:
    """A name that has "lock" in it, in memory."""
    with new_database() as path:
        yield path.with_name("block.duckdb")


def put(path: Path, file: bytes, log: bytes) -> None:
    path.write_bytes(file)
    path_of(path).write_bytes(log)


def flipped(data: bytes, at: int, bit: int = 0) -> bytes:
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


def entries(log: bytes) -> list[int]:
    """Where the entries of a log begin, and where the last one ends."""
    at, found = FIRST_ENTRY, []
    while at < len(log):
        found.append(at)
        at += 16 + struct.unpack_from("<Q", log, at)[0]
    return [*found, at]


def looked_at(path: Path, digests: list[str]) -> str:
    """Open a database, read all of it, and go on; the sentence about damage, "" if there is none.

    What can be opened is as it was at the end of a batch.
    """
    try:
        with lineage.open(path, read_only=True) as store:
            told = store.unfinished or ""
            wrong = [checked for checked in store.verify(None) if not checked.is_sound]
            if wrong:
                return str(wrong[0].problems)
            end = store.positions().get(("t", 0), 0)
            assert store.digest() == digests[end]
            assert store.route("m0-1").fetchall()
        if end < BATCHES:
            with lineage.open(path) as store:
                record(store, end, BATCHES)
                assert store.digest() == digests[-1]
    except (lineage.StoreDamagedError, lineage.NotAStoreError) as error:
        told = str(error)
    assert "held by another" not in told
    assert "\n" not in told
    return told


@pytest.mark.slow
def test_flips_in_the_file_are_told_or_change_nothing(
    path: Path, whole: tuple[bytes, bytes], digests: list[str]
) -> None:
    file, log = whole
    chance = random.Random(8)  # noqa: S311 -- the same places each time
    told = 0
    for place in [0, 8, 4096, 8192, *(chance.randrange(len(file)) for _ in range(40))]:
        put(path, flipped(file, place, chance.randrange(8)), log)
        told += bool(looked_at(path, digests))
    assert told > 10


@pytest.mark.slow
def test_flips_in_the_log_are_told(
    path: Path, whole: tuple[bytes, bytes], digests: list[str]
) -> None:
    file, log = whole
    chance = random.Random(9)  # noqa: S311 -- the same places each time
    for place in [0, 2, 4, *(chance.randrange(FIRST_ENTRY, len(log)) for _ in range(30))]:
        put(path, file, flipped(log, place, chance.randrange(8)))
        assert looked_at(path, digests), place


@pytest.mark.slow
def test_an_entry_of_the_log_with_another_length_is_told(
    path: Path, whole: tuple[bytes, bytes], digests: list[str]
) -> None:
    """DuckDB takes some for the torn end of a log, and passes over what comes after."""
    file, log = whole
    for at in entries(log)[:-1:9]:
        for byte in (0, 2, 7):
            put(path, file, flipped(log, at + byte, 6))
            assert looked_at(path, digests), (at, byte)


def test_a_log_that_was_cut_is_told_and_its_batches_are_recorded_again(
    path: Path, whole: tuple[bytes, bytes], digests: list[str]
) -> None:
    file, log = whole
    cuts = [len(log) - 1, len(log) // 2, entries(log)[3] + 5, FIRST_ENTRY + 3]
    for cut in cuts:
        put(path, file, log[:cut])
        assert "no whole transaction" in looked_at(path, digests)
    put(path, file, log[:FIRST_ENTRY])
    assert looked_at(path, digests) == ""
    put(path, file, log)
    assert unfinished(path) is None
    assert looked_at(path, digests) == ""


@pytest.mark.parametrize("part", [0.5, 0.99])
def test_a_file_that_was_cut_is_told(
    path: Path, whole: tuple[bytes, bytes], digests: list[str], part: float
) -> None:
    file, log = whole
    put(path, file[: int(len(file) * part)], log)
    assert "is damaged" in looked_at(path, digests)


def test_a_damaged_log_leaves_a_way_on(
    path: Path, whole: tuple[bytes, bytes], digests: list[str]
) -> None:
    file, log = whole
    put(path, file, flipped(log, len(log) // 2))
    with pytest.raises(lineage.StoreDamagedError, match=r"\.wal is damaged .* move .*\.wal away"):
        lineage.open(path)
    path_of(path).rename(path.with_name("kept"))
    with lineage.open(path) as store:
        assert store.positions() == {("t", 0): 1}
        record(store, 1, BATCHES)
        assert store.digest() == digests[-1]


@pytest.mark.slow
def test_a_writer_that_meets_damage_says_so(path: Path, whole: tuple[bytes, bytes]) -> None:
    with new_database() as empty, lineage.open(empty) as store:
        record(store, 0, BATCHES)
        store._connection.execute("CHECKPOINT")
        file = empty.read_bytes()
    told = []
    for place in range(12_288, len(file), 65_536):
        put(path, flipped(file, place + 40_000) if place + 40_000 < len(file) else file, b"")
        try:
            with lineage.open(path) as store:
                store.apply([message("m0-1"), message("other")])
        except lineage.StoreDamagedError as error:
            told.append(str(error))
    assert any("the batch was not recorded" in text for text in told)
    assert all("is damaged (" in text for text in told)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Disk]:
    with disk(tmp_path / "small", "2m") as small:
        yield small


def test_a_full_disk_is_told_and_afterwards_it_goes_on(small: Disk, digests: list[str]) -> None:
    path = small.folder / "l.duckdb"
    with lineage.open(path) as store:
        record(store, 0, 1)
        ballast = small.fill(left=0)
        with pytest.raises(lineage.StoreError, match="No space left on device; what was recorded"):
            record(store, 1, BATCHES)
        ballast.unlink()
    with lineage.open(path) as store:
        record(store, store.positions()["t", 0], BATCHES)
        assert store.digest() == digests[-1]
        assert all(checked.is_sound for checked in store.verify(None))


def test_a_disk_that_is_full_from_the_start_is_told(small: Disk) -> None:
    ballast = small.fill(left=0)
    path = small.folder / "l.duckdb"
    with pytest.raises(lineage.StoreError, match="No space left on device; make room"):
        lineage.open(path)
    ballast.unlink()
    with lineage.open(path) as store:
        store.apply([message("m")])


def test_a_read_only_disk_is_told_and_can_be_read(
    small: Disk, whole: tuple[bytes, bytes], digests: list[str]
) -> None:
    small.remount("size=20m")
    path, new = small.folder / "l.duckdb", small.folder / "new.duckdb"
    put(path, *whole)
    small.remount("ro")
    for each in (path, new):
        with pytest.raises(lineage.StoreError, match="Read-only file system; have it mounted"):
            lineage.open(each)
    with lineage.open(path, read_only=True) as store:
        assert store.digest() == digests[-1]
    small.remount("rw")
    with lineage.open(path) as store:
        assert store.digest() == digests[-1]
        assert store.apply([message("new")]).events == 1
