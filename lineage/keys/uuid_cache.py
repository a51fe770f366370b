"""Caches the keys of the latest UUIDs: nearly every repeated id came a short while ago.

The cache is a list of sorted runs, and short runs are merged until each is at least twice as long
as the next: so a batch of any size is added at a small cost, and looked up by a few searches. The
idea is that of the log-structured merge-tree (O'Neil, Cheng, Gawlick and O'Neil, 1996).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from lineage.arrays import BoolArray, IntArray
from lineage.limits import Limits
from lineage.uuids import Uuids, is_v7

_Halves = npt.NDArray[np.uint64]
_Sort = Literal["quicksort", "stable"]


class UuidCache:
    """Cache of every UUIDv7 of the store whose first 64 bits are greater than `since`."""

    def __init__(self, since: int, limits: Limits) -> None:
        """Begin with no UUIDs. since: the greatest first 64 bits of any UUIDv7 in the store."""
        self._since = since
        self._limits = limits
        self._runs: list[_Run] = []

    def covers(self, uuids: Uuids) -> BoolArray:
        """Say which UUIDs are in the cache if they are in the store at all."""
        return is_v7(uuids) & (uuids[:, 0] > self._since)

    def keys(self, uuids: Uuids) -> IntArray:
        """Return the keys of UUIDs; 0 for those that are not in the cache."""
        found = np.zeros(len(uuids), dtype=np.int64)
        for run in self._runs:
            left = np.flatnonzero((found == 0) & run.may_have(uuids))
            found[left] = run.find(uuids[left])
        return found

    def add(self, uuids: Uuids, keys: IntArray) -> None:
        """Add the new UUIDs of a batch, with their keys."""
        covered = self.covers(uuids)
        self._push(_Run.of(uuids[covered, 0], uuids[covered, 1], keys[covered]))
        if sum(map(len, self._runs)) > self._limits.cached_uuids:
            self._let_go()

    def _push(self, run: _Run) -> None:
        while self._runs and run.takes_in(self._runs[-1], self._limits.merged_uuids):
            run = run.merged(self._runs.pop())
        if len(run):
            self._runs.append(run)

    def _let_go(self) -> None:
        """Evict all but the UUIDs of the latest times, whenever they came.

        A UUID far ahead of its time is one of many.
        """
        heads = np.concatenate([run.heads for run in self._runs])
        gone = len(heads) - self._limits.kept_uuids
        self._since = int(np.partition(heads, gone - 1)[gone - 1])
        runs, self._runs = self._runs, []
        for run in runs:
            self._push(run.after(self._since))


@dataclass(frozen=True)
class _Run:
    """UUIDs in order, by their first and their last 64 bits, and the key of each."""

    heads: _Halves
    tails: _Halves
    keys: IntArray

    def __len__(self) -> int:
        return len(self.heads)

    @classmethod
    def of(cls, heads: _Halves, tails: _Halves, keys: IntArray, kind: _Sort = "quicksort") -> _Run:
        order = np.argsort(heads, kind=kind)
        equal = np.flatnonzero(heads[order[1:]] == heads[order[:-1]])
        if len(equal):
            tied = np.union1d(equal, equal + 1)
            rows = order[tied]
            order[tied] = rows[np.lexsort((tails[rows], heads[rows]))]
        return cls(heads[order], tails[order], keys[order])

    def takes_in(self, other: _Run, merged_max: int) -> bool:
        return len(other) < 2 * len(self) and len(other) + len(self) <= merged_max

    def merged(self, other: _Run) -> _Run:
        return _Run.of(
            np.concatenate([self.heads, other.heads]),
            np.concatenate([self.tails, other.tails]),
            np.concatenate([self.keys, other.keys]),
            # A stable sort merges two runs in one pass.
            kind="stable",
        )

    def after(self, since: int) -> _Run:
        first = int(np.searchsorted(self.heads, np.uint64(since), "right"))
        # A slice alone would hold all of it in memory.
        return _Run(self.heads[first:].copy(), self.tails[first:].copy(), self.keys[first:].copy())

    def may_have(self, uuids: Uuids) -> BoolArray:
        within: BoolArray = (uuids[:, 0] >= self.heads[0]) & (uuids[:, 0] <= self.heads[-1])
        return within

    def find(self, uuids: Uuids) -> IntArray:
        """Return the keys of UUIDs; 0 for those that are not in the run."""
        found = np.zeros(len(uuids), dtype=np.int64)
        at = np.searchsorted(self.heads, uuids[:, 0])
        there = np.flatnonzero(at < len(self))
        there = there[self.heads[at[there]] == uuids[there, 0]]
        at = self._exact(at[there], uuids[there])
        same = self.tails[at] == uuids[there, 1]
        found[there[same]] = self.keys[at[same]]
        return found

    def _exact(self, at: IntArray, uuids: Uuids) -> IntArray:
        """Bisect from the first place of each UUID's head to the last whose tail is not later."""
        end = at + 1
        more = np.flatnonzero(end < len(self))
        more = more[self.heads[end[more]] == uuids[more, 0]]
        end[more] = np.searchsorted(self.heads, uuids[more, 0], "right")
        while len(more := more[end[more] - at[more] > 1]):
            middle = (at[more] + end[more]) // 2
            later = self.tails[middle] > uuids[more, 1]
            end[more] = np.where(later, middle, end[more])
            at[more] = np.where(later, at[more], middle)
        return at
