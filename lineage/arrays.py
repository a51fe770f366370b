"""Arrays of whole numbers, and what tracing and judging ask of them again and again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Columns = dict[str, npt.NDArray[Any]]

# A table of places may be so many times longer than what is in it.
_DENSE = 16
NO_INTS: IntArray = np.array([], dtype=np.int64)


def int_array(column: pl.Series) -> IntArray:
    """A column without nulls as int64: numbers as they are, instants in microseconds."""
    # polars' own casts cost a tenth of a millisecond each, however short the column.
    values = column.to_numpy()
    if values.dtype.kind == "M":
        values = values.view(np.int64)
    return values.astype(np.int64, copy=False)


def instants(values: IntArray) -> pl.Series:
    """Microseconds since 1970 as instants."""
    return pl.Series(values).cast(pl.Datetime("us"))


def expand_ranges(first: IntArray, count: IntArray) -> tuple[IntArray, IntArray]:
    """For each i the numbers first[i], first[i] + 1 … (count[i] of them): i of each, and each."""
    owner = np.repeat(np.arange(len(first)), count)
    before = np.cumsum(count) - count
    return owner, (first - before)[owner] + np.arange(len(owner))


def differs(values: IntArray) -> BoolArray:
    """Where a value is another than the one before; the first is."""
    differing = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=differing[1:])
    return differing


def run_starts(ordered: IntArray) -> IntArray:
    """Where in an ordered array each distinct value begins."""
    return np.flatnonzero(differs(ordered))


def distinct(values: IntArray) -> IntArray:
    """The distinct values in order; sorting is faster than the hashing of np.unique."""
    ordered = np.sort(values)
    return ordered[run_starts(ordered)]


def lookup_sorted(ordered: IntArray, wanted: IntArray) -> tuple[IntArray, BoolArray]:
    """Where `wanted` are in an ordered array of distinct values, and which of them are there."""
    if not len(ordered):
        return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=np.bool_)
    at = np.searchsorted(ordered, wanted)
    at[at == len(ordered)] = 0
    return at, ordered[at] == wanted


class Ranks:
    """The distinct ones of some numbers, in order, and the place among them of each number."""

    def __init__(self, values: IntArray) -> None:
        self._low = int(values.min()) if len(values) else 0
        span = int(values.max()) - self._low + 1 if len(values) else 0
        self._dense = span <= _DENSE * len(values)
        if self._dense:
            # A table of all between the least and the greatest is faster than any search.
            there = np.zeros(span, dtype=np.bool_)
            there[values - self._low] = True
            self.distinct: IntArray = np.flatnonzero(there) + self._low
            self._table = np.cumsum(there, dtype=np.int32) - 1
        else:
            self.distinct = distinct(values)

    def of(self, values: IntArray) -> IntArray:
        """The places of values that are among them."""
        if self._dense:
            return self._table[values - self._low].astype(np.int64)
        return np.searchsorted(self.distinct, values)


class Index:
    """Rows by their key: ordered once, looked up many times."""

    def __init__(self, keys: IntArray) -> None:
        self._order = np.argsort(keys)
        ordered = keys[self._order]
        self._first = run_starts(ordered)
        self._keys = ordered[self._first]
        self._count = np.diff(self._first, append=len(keys))

    def pairs(self, wanted: IntArray) -> tuple[IntArray, IntArray]:
        """Each row that has one of the keys `wanted`: which of these it has, and the row."""
        at, there = lookup_sorted(self._keys, wanted)
        asked = np.flatnonzero(there)
        owner, place = expand_ranges(self._first[at[asked]], self._count[at[asked]])
        return asked[owner], self._order[place]


class AsOf:
    """Which row of a group holds when: the one with the latest instant not after it."""

    def __init__(self, group: IntArray, at: IntArray) -> None:
        """Rows ordered by group and instant, no instant twice in a group."""
        self._group = group
        self._instants = distinct(at)
        self._codes = self._coded(group, np.searchsorted(self._instants, at) + 1)

    def rows(self, group: IntArray, at: IntArray) -> IntArray:
        """The row that holds for each of these groups at its instant; -1: none."""
        if not len(self._codes):
            return np.full(len(group), -1)
        asked = self._coded(group, np.searchsorted(self._instants, at, "right"))
        row = np.searchsorted(self._codes, asked, "right") - 1
        row[self._group[row] != group] = -1
        return row

    def _coded(self, group: IntArray, rank: IntArray) -> IntArray:
        return group * (len(self._instants) + 1) + rank
