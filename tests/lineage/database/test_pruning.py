"""Ranges that hold what is looked for, cut where nothing is."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lineage.database.storage.pruning import rows_near, rows_near_uuids, spans


def test_one_old_number_has_a_range_of_its_own() -> None:
    assert spans(np.concatenate([[5], np.arange(1000, 2000)]), 100) == [(5, 5), (1000, 1999)]


def test_numbers_near_each_other_share_a_range() -> None:
    assert spans(np.array([5, 90, 190, 291]), 100) == [(5, 190), (291, 291)]


def test_only_the_widest_gaps_are_cut() -> None:
    assert spans(np.array([1, 1000, 3000, 6000, 10000]), 100) == [
        (1, 1000),
        (3000, 3000),
        (6000, 6000),
        (10000, 10000),
    ]


def test_nothing_has_no_range() -> None:
    assert spans(np.array([], dtype=np.int64), 100) == []
    assert rows_near("t", "n", np.array([], dtype=np.int64)) == (
        "(SELECT * FROM t WHERE n BETWEEN 1 AND 0)"
    )


@given(st.lists(st.integers(0, 2**62), min_size=1))
def test_every_number_is_in_a_range_and_there_are_few(values: list[int]) -> None:
    ranges = spans(np.array(values, dtype=np.int64), 1000)
    assert 1 <= len(ranges) <= 4
    assert all(any(low <= value <= high for low, high in ranges) for value in values)
    assert all(one[1] < two[0] for one, two in itertools.pairwise(ranges))


def test_the_range_of_a_uuid_holds_all_that_begin_as_it_does() -> None:
    uuids = np.array([[0x0191A2B300007000, 0x8000000000000000]], dtype=np.uint64)
    assert rows_near_uuids("t", "uuid", uuids) == (
        "(SELECT * FROM t WHERE uuid BETWEEN '0191a2b3-0000-0000-0000-000000000000' "
        "AND '0191a2b3-ffff-ffff-ffff-ffffffffffff')"
    )
