"""Stored hops that read some records: both ways find the same."""

from __future__ import annotations

import numpy as np
import pytest

from lineage.arrays import Columns, IntArray
from lineage.reach.stored_hops import reads, recent_reads
from tests.stores import new_store

# Each hop reads a record of its own and one of a thousand that all read; a microsecond apart.
INSERTS = """
INSERT INTO core.hop
SELECT i, 0, 'job', 1, i % 7, i % 5, NULL, NULL, make_timestamp(i), i % 2 = 0, i % 3 = 0, 0, 0, NULL
FROM range(1, {end}) t(i);
INSERT INTO core.hop_input SELECT i, {own} + i FROM range(1, {end}) t(i);
INSERT INTO core.hop_input SELECT i, i % 1000 FROM range(1, {end}) t(i)
"""


def rows(found: Columns) -> list[tuple[object, ...]]:
    names = ("hop", "record", "source", "target", "operation", "keeps_id", "declassifies")
    return sorted(zip(*(found[name].tolist() for name in (*names, "moved_at")), strict=True))


@pytest.mark.parametrize("since", [0, 5_000, 20_000, 1 << 40])
@pytest.mark.parametrize("wanted", [[], [7], [7, 8, 100_007, 115_000], list(range(300))])
def test_both_ways_find_the_same(wanted: list[int], since: int) -> None:
    with new_store() as store:
        store._connection.execute(INSERTS.format(end=20_000, own=100_000))
        records: IntArray = np.array(wanted, dtype=np.int64)
        found = rows(reads(store._connection, records, since))
        assert found == rows(recent_reads(store._connection, records, since))
        assert bool(found) == (bool(wanted) and since < 20_000)
