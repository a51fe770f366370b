"""Prunes scans by zone maps: a few ranges that hold all wanted keys, cut at the gaps between.

DuckDB skips the row groups whose minimum and maximum exclude a range. One old key among new ones
would make a single range span all of history.
"""

from __future__ import annotations

import numpy as np

from lineage.arrays import IntArray, distinct
from lineage.uuids import Uuids

_RANGES_MAX = 4
# Keys no further apart than a row group has rows are likely to share one.
_ROW_GROUP = 122_880
# About an hour of UUIDv7, in steps of 65 s.
_HEADS = 60


def spans(values: IntArray, gap: int) -> list[tuple[int, int]]:
    """Return a few ranges, both ends included, that hold all `values`, cut at the widest gaps.

    Ranges are not cut where the distance is `gap` or less: a range more is a scan more.
    """
    ordered = distinct(values)
    distances = ordered[1:] - ordered[:-1]
    widest = np.argsort(distances)[::-1][: _RANGES_MAX - 1]
    cuts = np.sort(widest[distances[widest] > gap]) + 1
    parts = np.split(ordered, cuts)
    return [(int(part[0]), int(part[-1])) for part in parts if len(part)]


def rows_near(table: str, column: str, values: IntArray) -> str:
    """Return a relation in SQL: rows of `table` whose `column` is in the `spans` of `values`."""
    # Without values, one empty range.
    ranges = spans(values, _ROW_GROUP) or [(1, 0)]
    return _union(table, column, [(str(first), str(last)) for first, last in ranges])


def rows_near_uuids(table: str, column: str, uuids: Uuids) -> str:
    """Return the same as `rows_near`, for UUIDs, by their first 32 bits: 65 s of a UUIDv7."""
    heads = (uuids[:, 0] >> np.uint64(32)).astype(np.int64)
    low, high = "-0000-0000-0000-000000000000", "-ffff-ffff-ffff-ffffffffffff"
    ranges = [
        (f"'{first:08x}{low}'", f"'{last:08x}{high}'") for first, last in spans(heads, _HEADS)
    ]
    return _union(table, column, ranges)


def _union(table: str, column: str, ranges: list[tuple[str, str]]) -> str:
    # Not OR: only a condition of one range lets a row group be skipped.
    parts = (
        f"SELECT * FROM {table} WHERE {column} BETWEEN {first} AND {last}"  # noqa: S608 -- names and numbers of ours
        for first, last in ranges
    )
    return f"({' UNION ALL '.join(parts)})"
