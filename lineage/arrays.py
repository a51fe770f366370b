"""Integer arrays: the sorted-array algebra of deriving and judging; lookup, runs, ranks, as-of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Columns = dict[str, npt.NDArray[Any]]

# A dense lookup table may be so many times longer than the values in it.
_DENSE = 16
NO_INTS: IntArray = np.array([], dtype=np.int64)


def int_array(column: pl.Series) -> IntArray:
    """Return a column without nulls as int64: numbers as they are, instants in microseconds."""
    # polars' own casts cost a tenth of a millisecond each, however short the column.
    values = column.to_numpy()
    if values.dtype.kind == "M":
        values = values.view(np.int64)
    return values.astype(np.int64, copy=False)


def instants(values: IntArray) -> pl.Series:
    """Return microseconds since 1970 as a column of instants."""
    return pl.Series(values).cast(pl.Datetime("us"))


def expand_ranges(first: IntArray, count: IntArray) -> tuple[IntArray, IntArray]:
    """Expand each i to the numbers first[i], first[i] + 1 … (count[i] of them).

    Returns the i of each number, and the numbers.
    """
    owner = np.repeat(np.arange(len(first)), count)
    before = np.cumsum(count) - count
    return owner, (first - before)[owner] + np.arange(len(owner))


def differs(values: IntArray) -> BoolArray:
    """Say which values differ from the value before; the first one does."""
    differing = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=differing[1:])
    return differing


def run_starts(ordered: IntArray) -> IntArray:
    """Return the places in an ordered array at which each distinct value begins."""
    return np.flatnonzero(differs(ordered))


def distinct(values: IntArray) -> IntArray:
    """Return the distinct values in order; sorting is faster than the hashing of np.unique."""
    ordered = np.sort(values)
    return ordered[run_starts(ordered)]


def lookup_sorted(ordered: IntArray, wanted: IntArray) -> tuple[IntArray, BoolArray]:
    """Look up `wanted` in an ordered array of distinct values: their places, and which are there.

    The place of a value that is not there means nothing.
    """
    if not len(ordered):
        return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=np.bool_)
    at = np.searchsorted(ordered, wanted)
    at[at == len(ordered)] = 0
    return at, ordered[at] == wanted


class Ranks:
    """Dense ranks: the distinct values of an array, in order, and the place of each value in it."""

    def __init__(self, values: IntArray) -> None:
        self._low = int(values.min()) if len(values) else 0
        span = int(values.max()) - self._low + 1 if len(values) else 0
        self._dense = span <= _DENSE * len(values)
        if self._dense:
            # A table of all numbers from the least to the greatest is faster than any search.
            there = np.zeros(span, dtype=np.bool_)
            there[values - self._low] = True
            self.distinct: IntArray = np.flatnonzero(there) + self._low
            self._table = np.cumsum(there, dtype=np.int32) - 1
        else:
            self.distinct = distinct(values)

    def of(self, values: IntArray) -> IntArray:
        """Return the ranks of values, all of which are among the distinct ones."""
        if self._dense:
            return self._table[values - self._low].astype(np.int64)
        return np.searchsorted(self.distinct, values)


class Index:
    """Index of rows by their key: ordered once, looked up many times."""

    def __init__(self, keys: IntArray) -> None:
        self._order = np.argsort(keys)
        ordered = keys[self._order]
        self._first = run_starts(ordered)
        self._keys = ordered[self._first]
        self._count = np.diff(self._first, append=len(keys))

    def pairs(self, wanted: IntArray) -> tuple[IntArray, IntArray]:
        """Return the rows that have a key of `wanted`: the place of the key in it, and the row."""
        at, there = lookup_sorted(self._keys, wanted)
        asked = np.flatnonzero(there)
        owner, place = expand_ranges(self._first[at[asked]], self._count[at[asked]])
        return asked[owner], self._order[place]


class AsOf:
    """As-of lookup: the row of a group with the latest instant not after the one asked about."""

    def __init__(self, group: IntArray, at: IntArray) -> None:
        """Index rows ordered by group and instant, no instant twice in a group."""
        self._group = group
        self._instants = distinct(at)
        self._codes = self._coded(group, np.searchsorted(self._instants, at) + 1)

    def rows(self, group: IntArray, at: IntArray) -> IntArray:
        """Return the row that holds for each of these groups at its instant; -1: none."""
        if not len(self._codes):
            return np.full(len(group), -1)
        asked = self._coded(group, np.searchsorted(self._instants, at, "right"))
        row = np.searchsorted(self._codes, asked, "right") - 1
        row[self._group[row] != group] = -1
        return row

    def _coded(self, group: IntArray, rank: IntArray) -> IntArray:
        return group * (len(self._instants) + 1) + rank
