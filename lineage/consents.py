"""What members said about their consents, in memory: 17 bytes a change, and one a member."""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import NO_NUMBERS, AsOf, Numbers, Truths, numbers, runs, starts
from lineage.interning import registered
from schemas.events import PURPOSES

_CHANGES = (
    "SELECT CAST(member AS BIGINT) AS member, CAST(enum_code(purpose) AS BIGINT) AS purpose, "
    "granted, epoch_us(effective_at) AS effective_at FROM core.consent_change"
)


class Consents:
    """Consent changes by member and purpose; a purpose is its index in `PURPOSES`."""

    def __init__(self) -> None:
        self._key = NO_NUMBERS  # in order
        self._at = NO_NUMBERS
        self._granted: Truths = np.array([], dtype=np.bool_)
        self._purposes = np.zeros(0, dtype=np.uint8)  # by member, a bit for each purpose

    @classmethod
    def stored(cls, connection: duckdb.DuckDBPyConnection) -> Consents:
        """All that are stored."""
        return cls()._with(connection.execute(_CHANGES).fetchnumpy())

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, members: Numbers) -> Consents:
        """Those of some members that are stored."""
        with registered(connection, wanted=pl.DataFrame({"member": np.unique(members)})):
            return cls()._with(
                connection.execute(f"{_CHANGES} SEMI JOIN wanted USING (member)").fetchnumpy()
            )

    def add(self, changes: pl.DataFrame) -> None:
        """Add new changes, in the columns of core.consent_change."""
        names = ("member", "purpose", "granted", "effective_at")
        self._with({name: numbers(changes[name]) for name in names})

    def _with(self, changes: dict[str, Numbers]) -> Consents:
        member, purpose = changes["member"], changes["purpose"]
        if not len(member):
            return self
        key = member * len(PURPOSES) + purpose
        order = np.argsort(key)
        at = np.searchsorted(self._key, key[order])
        self._key = np.insert(self._key, at, key[order])
        self._at = np.insert(self._at, at, changes["effective_at"][order])
        granted = changes["granted"].astype(np.bool_)
        self._granted = np.insert(self._granted, at, granted[order])
        more = int(member.max()) + 1 - len(self._purposes)
        if more > 0:
            # With room to spare: growing a little each time would copy all of it each time.
            self._purposes = np.pad(self._purposes, (0, more + len(self._purposes) // 4))
        np.bitwise_or.at(self._purposes, member, (1 << purpose).astype(np.uint8))
        return self

    def changed(self, member: Numbers, purpose: int) -> Truths:
        """Which of the members ever changed their consent for a purpose."""
        known = len(self._purposes)
        if not known:
            return np.zeros(len(member), dtype=np.bool_)
        bits = self._purposes[np.minimum(member, known - 1)]
        return (bits >> purpose & 1).astype(np.bool_) & (member < known)

    def granted(self, member: Numbers, purpose: int, at: Numbers, tag: Truths) -> Truths:
        """Whether each of the members consents at its instant; where nothing was said, `tag`.

        The latest change not after the instant counts, and a refusal wins a tie.
        """
        key = member * len(PURPOSES) + purpose
        asked = np.unique(key)
        first = np.searchsorted(self._key, asked)
        count = np.searchsorted(self._key, asked, "right") - first
        line, row = runs(first, count)
        order = np.lexsort((self._at[row], line))
        line, row = line[order], row[order]
        instants = self._at[row]
        change = starts_of_pairs(line, instants)
        if not len(change):
            return tag
        granted = np.logical_and.reduceat(self._granted[row], change)
        latest = AsOf(line[change], instants[change]).rows(np.searchsorted(asked, key), at)
        return np.where(latest < 0, tag, granted[latest])


def starts_of_pairs(one: Numbers, other: Numbers) -> Numbers:
    """Where in two arrays, ordered together, each distinct pair begins."""
    return np.union1d(starts(one), starts(other))
