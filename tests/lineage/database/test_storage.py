"""What is on the disk: small, quick to look through, and not in more pieces with each start."""

from __future__ import annotations

from pathlib import Path

import pytest

import lineage
from lineage.uuids import texts_of
from tests.lineage.events.builders import at, hop, message
from tests.lineage.keys.test_uuid_cache import heads
from tests.stores import new_store

STARTS = 30


def segments(path: Path, table: str, column: str) -> list[tuple[int, str]]:
    """The row group and the compression of each segment of a column that is on the disk."""
    with lineage.open(path, read_only=True) as store:
        found: list[tuple[int, str]] = store.sql(
            "SELECT row_group_id, compression FROM pragma_storage_info(?) "
            "WHERE column_name = ? AND segment_type <> 'VALIDITY' AND persistent",
            [table, column],
        ).fetchall()
    return found


def test_a_new_database_has_small_blocks(tmp_path: Path) -> None:
    with lineage.open(tmp_path / "l.duckdb") as store:
        assert store.sql("SELECT block_size FROM pragma_database_size()").fetchall() == [(65536,)]


def test_uuids_are_kept_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "l.duckdb"
    ids = [str(one) for one in texts_of(heads(*range(1, 6_000)))]
    with lineage.open(path) as store:
        store.apply([hop("h", "inbox", "w", ids, moved_at=at(1))])
    compressions = {compression for _, compression in segments(path, "core.identifier", "uuid")}
    assert compressions == {"Uncompressed"}


def test_arrivals_of_a_batch_are_in_the_order_of_datasets_and_messages() -> None:
    ids = [f"m{i}" for i in range(5)]
    sinks = ("a", "b", "c")
    hops = [hop(f"h {one} {to}", "inbox", to, [one], moved_at=at(1)) for one in ids for to in sinks]
    with new_store() as store:
        store.apply([*map(message, ids), *hops])
        rows = store.sql("SELECT dataset, message FROM core.arrival ORDER BY rowid").fetchall()
    assert len(rows) == len(ids) * (1 + len(sinks))
    assert rows == sorted(rows)


@pytest.mark.slow
def test_starting_again_and_again_leaves_no_more_pieces(tmp_path: Path) -> None:
    path = tmp_path / "l.duckdb"
    for start in range(STARTS):
        with lineage.open(path) as store:
            store.apply([message(f"m{start}")])
    row_groups = {row_group for row_group, _ in segments(path, "core.message", "id")}
    assert len(row_groups) < STARTS // 3
