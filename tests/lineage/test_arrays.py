"""What tracing and judging ask of arrays, each held against the plain way to say it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lineage
from lineage.arrays import (
    AsOf,
    Index,
    IntArray,
    Ranks,
    distinct,
    expand_ranges,
    lookup_sorted,
    run_starts,
)
from lineage.reach.hops import pack, record_keys, unpack

SMALL = st.integers(0, 8)


def array(values: list[int]) -> IntArray:
    return np.array(values, dtype=np.int64)


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 5))))
def test_runs_count_on_from_each_first(pairs: list[tuple[int, int]]) -> None:
    first, count = (array([pair[i] for pair in pairs]) for i in (0, 1))
    owner, number = expand_ranges(first, count)
    assert list(zip(owner.tolist(), number.tolist(), strict=True)) == [
        (i, f + k) for i, (f, c) in enumerate(pairs) for k in range(c)
    ]


@given(st.lists(SMALL), st.lists(SMALL))
def test_places_are_of_what_is_there(values: list[int], wanted: list[int]) -> None:
    ordered = distinct(array(values))
    assert ordered.tolist() == sorted(set(values))
    at, there = lookup_sorted(ordered, array(wanted))
    assert there.tolist() == [value in values for value in wanted]
    assert ordered[at[there]].tolist() == [value for value in wanted if value in values]


@given(st.lists(st.integers(0, 5) | st.integers(10**12, 10**12 + 3)))
def test_a_place_is_found_however_far_the_numbers_are_apart(values: list[int]) -> None:
    found = Ranks(array(values))
    assert found.distinct.tolist() == sorted(set(values))
    assert found.distinct[found.of(array(values))].tolist() == values


@given(st.lists(SMALL), st.lists(SMALL))
def test_an_index_pairs_all_rows_of_a_key(keys: list[int], wanted: list[int]) -> None:
    owner, row = Index(array(keys)).pairs(array(wanted))
    assert sorted(zip(owner.tolist(), row.tolist(), strict=True)) == [
        (i, j) for i, key in enumerate(wanted) for j, other in enumerate(keys) if key == other
    ]


@given(st.sets(st.tuples(SMALL, SMALL)), st.lists(st.tuples(SMALL, st.integers(-1, 9))))
def test_the_latest_not_after_an_instant_holds(
    rows: set[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    ordered = sorted(rows)
    group, at = (array([row[i] for row in ordered]) for i in (0, 1))
    found = AsOf(group, at).rows(*(array([one[i] for one in asked]) for i in (0, 1)))
    for (wanted, instant), row in zip(asked, found.tolist(), strict=True):
        right = [i for i, (g, a) in enumerate(ordered) if g == wanted and a <= instant]
        assert row == (right[-1] if right else -1)


def test_each_value_begins_once() -> None:
    assert run_starts(array([])).tolist() == []
    assert run_starts(array([3, 3, 5, 5, 5, 9])).tolist() == [0, 2, 5]


def test_what_no_longer_fits_into_one_number_is_said() -> None:
    one = array([1])
    with pytest.raises(lineage.StoreError, match="datasets at most"):
        record_keys(one, array([1 << 22]))
    with pytest.raises(lineage.StoreError, match="ids of messages at most"):
        pack(array([1 << 34]), one, np.array([True]))
    m, slots, identifiable = unpack(pack(array([7]), array([9]), np.array([False])))
    assert (m.tolist(), slots.tolist(), identifiable.tolist()) == ([7], [9], [False])
