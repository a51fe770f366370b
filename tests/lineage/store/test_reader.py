"""A reader answers all questions, and is nothing that could write."""

from __future__ import annotations

from pathlib import Path

import pytest

import lineage
from lineage.store.reader import Reader
from tests.lineage.events.builders import at, declared, hop, message

LEAK = [
    message("m1"),
    declared("d", "vendor", "SINK", "THIRD"),
    hop("h1", "inbox", "vendor", ["m1"], moved_at=at(1)),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with lineage.open(tmp_path / "l.duckdb") as store:
        store.apply(LEAK)
    return tmp_path / "l.duckdb"


def test_a_reader_answers_as_a_store_does(path: Path) -> None:
    def answers(reader: Reader) -> list[object]:
        return [
            reader.flags().fetchall(),
            reader.route("m1").fetchall(),
            reader.sql("FROM arrival ORDER BY ALL").fetchall(),
            reader.digest(),
            reader.positions(),
            reader.identities(),
        ]

    with lineage.open(path) as store:
        expected = answers(store)
        assert len(store.flags().fetchall()) == 2
    with Reader(path) as reader:
        assert answers(reader) == expected
        # A second time, when what is in force was read already.
        assert answers(reader) == expected


def test_what_is_only_read_has_no_writer(path: Path) -> None:
    assert not {"apply", "apply_batch", "replay", "identify", "published"} & set(dir(Reader))
    with lineage.open(path, read_only=True) as store:
        assert store._writer is None
        with pytest.raises(lineage.StoreError, match="was opened read-only"):
            store.published(1)


def test_a_closed_store_says_so(path: Path) -> None:
    reader = Reader(path)
    store = lineage.open(":memory:")
    for closed in (reader, store):
        closed.close()
    for ask in (reader.flags, reader.digest, reader.positions, lambda: reader.route("m1")):
        with pytest.raises(lineage.StoreError, match=r"the store is closed; open it again"):
            ask()
    with pytest.raises(lineage.StoreError, match="closed"):
        store.apply(LEAK)
