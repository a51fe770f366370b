"""The numbers of the latest UUIDs are those of the store, and no later one is missing."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from lineage.keys.uuid_cache import UuidCache
from lineage.limits import DEFAULT_LIMITS, Limits
from lineage.uuids import Uuids

SINCE = 5 << 16 | 0x7000
Id = tuple[int, int]
# So few that many begin alike, and that some are the same.
IDS = some.tuples(some.integers(0, 20), some.integers(0, 30))
BATCHES = some.lists(some.lists(IDS, max_size=40), max_size=12)


def uuids(*ids: Id) -> Uuids:
    """UUIDv7 that begin with the first of two numbers, and end with the second."""
    rows = [[head << 16 | 0x7000, tail] for head, tail in ids]
    return np.array(rows, dtype=np.uint64).reshape(-1, 2)


def heads(*numbers: int) -> Uuids:
    return uuids(*((number, number) for number in numbers))


FEW = Limits(cached_uuids=3, kept_uuids=2)


def test_the_latest_stay_where_there_are_too_many() -> None:
    held = UuidCache(SINCE, FEW)
    held.add(heads(4, 6, 7), np.array([1, 2, 3]))
    assert held.covers(heads(4, 5, 6, 9)).tolist() == [False, False, True, True]
    assert held.keys(heads(7, 6, 9)).tolist() == [3, 2, 0]
    # One is far ahead of its time.
    held.add(heads(99, 8), np.array([4, 5]))
    assert held.covers(heads(6, 7, 8, 9, 99)).tolist() == [False, False, True, True, True]
    assert held.keys(heads(7, 8, 9, 99)).tolist() == [0, 5, 0, 4]
    held.add(heads(9, 7), np.array([6, 7]))
    assert held.keys(heads(9, 7, 99)).tolist() == [6, 0, 4]


def test_of_one_large_batch_the_latest_stay() -> None:
    held = UuidCache(SINCE, FEW)
    held.add(heads(8, 6, 9, 7, 10), np.array([1, 2, 3, 4, 5]))
    assert held.covers(heads(8, 9, 11)).tolist() == [False, True, True]
    assert held.keys(heads(8, 9, 10, 11)).tolist() == [0, 3, 5, 0]


@given(BATCHES, some.integers(0, 40), some.integers(1, 40))
def test_what_is_held_is_found_and_nothing_else(
    batches: list[list[Id]], held_max: int, merged_max: int
) -> None:
    limits = Limits(cached_uuids=held_max, kept_uuids=held_max // 2, merged_uuids=merged_max)
    stored: dict[Id, int] = {}
    held = UuidCache(SINCE, limits)
    asked = [(head, tail) for head in range(22) for tail in range(32)]
    for batch in batches:
        fresh = [one for one in dict.fromkeys(batch) if one not in stored]
        numbers = range(len(stored) + 1, len(stored) + len(fresh) + 1)
        stored.update(zip(fresh, numbers, strict=True))
        held.add(uuids(*fresh), np.array(numbers, dtype=np.int64))
        covered = held.covers(uuids(*asked))
        found = held.keys(uuids(*asked)[covered]).tolist()
        some_asked = [one for one, is_covered in zip(asked, covered, strict=True) if is_covered]
        assert found == [stored.get(one, 0) for one in some_asked]


def test_all_that_is_later_is_covered_while_there_is_room() -> None:
    held = UuidCache(SINCE, DEFAULT_LIMITS)
    held.add(heads(6, 7), np.array([1, 2]))
    held.add(heads(9), np.array([3]))
    assert held.covers(heads(5, 6, 7, 8, 9)).tolist() == [False, True, True, True, True]
