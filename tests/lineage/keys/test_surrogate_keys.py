"""An id has one number, however and whenever it comes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import lineage
from lineage.ingest.encode import encode_ids
from lineage.limits import Limits
from lineage.store import transaction
from lineage.uuids import texts_of
from tests.lineage.events.builders import RECIPIENT, SENDER, at, hop, message
from tests.stores import new_store

V7 = "01920000-0000-7000-8000-00000000000{}"
LATER_V7 = "01930000-0000-7000-8000-000000000001"
V4 = "ffff0000-0000-4000-8000-00000000000{}"
NOT_CANONICAL = (
    *("01920000-0000-7000-8000-00000000000A", "01920000-0000-7000-8000-0000000000001"),
    *("0192000-00000-7000-8000-000000000001", "é1920000-0000-7000-8000-00000000000"),
)


def test_canonical_uuids_are_told_apart_from_other_texts() -> None:
    ids = [V7.format(1), *NOT_CANONICAL, V4.format(2), "m", V7.format(1)]
    found = encode_ids([pl.Series(ids), pl.Series([None, "m"], dtype=pl.String)])
    uuids = [V7.format(1), V4.format(2)]
    others = [*NOT_CANONICAL, "m"]
    assert texts_of(found.uuids).to_pylist() == uuids
    assert found.others.to_pylist() == others
    places = {one: place for place, one in enumerate([*uuids, *others])}
    assert [codes.tolist() for codes in found.codes] == [
        [places[one] for one in ids],
        [-1, places["m"]],
    ]
    everything = np.arange(len(ids))
    assert found.column(0, everything[::-1]).to_list() == ids[::-1]
    assert found.column(1, everything[:2]).to_list() == [None, "m"]


@pytest.mark.slow
def test_ids_keep_their_numbers_whatever_their_order_in_time(tmp_path: Path) -> None:
    """Later UUIDs than all that are stored are not looked up, all others are."""
    path = tmp_path / "l.duckdb"
    ids = [LATER_V7, V7.format(1), V4.format(1), "plain", *NOT_CANONICAL, V7.format(2)]
    for _ in range(2):
        for one in ids:
            with lineage.open(path) as store:
                store.apply([message(one)])
                store.apply([message(one), hop(f"h {one}", "inbox", "w", [one], moved_at=at(9))])
    with lineage.open(path) as store:
        named = store.sql("SELECT text, count(*) FROM core.identity GROUP BY ALL").fetchall()
        counts = store.sql("SELECT count(*) FROM message").fetchall()
    assert {count for _, count in named} == {1}
    assert {*ids, *(f"h {one}" for one in ids)} <= {name for name, _ in named}
    assert counts == [(len(ids),)]


@pytest.mark.slow
@pytest.mark.parametrize("held", [0, 3, 1000])
def test_ids_keep_their_numbers_however_many_are_held(
    held: int,
) -> None:
    """What came last is not looked up in the store, in whatever order it comes again."""
    ids = [LATER_V7, V7.format(1), V4.format(1), "plain", V7.format(3), V7.format(2)]
    with new_store(limits=Limits(cached_uuids=held, kept_uuids=held // 2)) as store:
        for _ in range(2):
            for one in ids:
                store.apply([message(one)])
                store.apply([hop(f"h {one}", "inbox", "w", [one, V7.format(2)], moved_at=at(9))])
        named = store.sql("SELECT text, count(*) FROM core.identity GROUP BY ALL").fetchall()
        (arrivals,) = store.sql("SELECT count(*) FROM arrival").fetchall()[0]
    assert {count for _, count in named} == {1}
    # Each at its origin, by its own hop, and one of them by all the others' hops too.
    assert arrivals == 2 * len(ids) + len(ids) - 1


def test_what_a_rolled_back_batch_numbered_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise KeyboardInterrupt

    with new_store() as store, new_store() as other:
        store.apply([message(V7.format(5))])
        with monkeypatch.context() as patch:
            patch.setattr(transaction, "derive", failing)
            with pytest.raises(KeyboardInterrupt):
                store.apply([message(V7.format(7)), message(V7.format(6))])
        for one in (store, other):
            one.apply([message(V7.format(number)) for number in (6, 5, 7, 8)])
        assert store.digest() == other.digest()
        counts = store.sql("SELECT id, count(*) FROM core.identity GROUP BY ALL").fetchall()
    assert {count for _, count in counts} == {1}


def test_a_member_has_one_number_when_the_memory_is_full(
    tmp_path: Path,
) -> None:
    with lineage.open(tmp_path / "l.duckdb", limits=Limits(cached_texts=2)) as store:
        for i in range(6):
            sender = {**SENDER, "member_id": f"s{i % 3}"}
            recipient = {**RECIPIENT, "member_id": f"r{i % 2}"}
            store.apply([message(f"m{i}", parties=[sender, recipient])])
        members = store.sql("SELECT text, count(*) FROM core.member GROUP BY ALL").fetchall()
    assert sorted(members) == [(name, 1) for name in ("r0", "r1", "s0", "s1", "s2")]
