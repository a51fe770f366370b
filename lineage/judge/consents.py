"""Consents: the changes of all members, in memory: 17 bytes a change, and one a member."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import (
    NO_INTS,
    BoolArray,
    IntArray,
    Ranks,
    differs,
    distinct,
    expand_ranges,
    int_array,
)
from lineage.codec.contract.events import PURPOSES
from lineage.database.relations import execute_on

NO_DECISION = -1
_CHANGES = (
    "SELECT CAST(member AS BIGINT) AS member, CAST(purpose AS BIGINT) AS purpose, "
    "granted, epoch_us(effective_at) AS effective_at FROM {rows}"
)


class Consents:
    """Consent changes by member and purpose; a purpose is its index in `PURPOSES`."""

    def __init__(self) -> None:
        self._key = NO_INTS  # in order; equal keys in the order in which their changes came
        self._at = NO_INTS
        self._granted: BoolArray = np.array([], dtype=np.bool_)
        self._purposes = np.zeros(0, dtype=np.uint8)  # by member, a bit for each purpose

    @classmethod
    def stored(cls, connection: duckdb.DuckDBPyConnection) -> Consents:
        """Return all stored consent changes."""
        return cls()._with(
            connection.execute(_CHANGES.format(rows="core.consent_change")).fetchnumpy()
        )

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, members: IntArray) -> Consents:
        """Return the stored consent changes of some members."""
        rows = ("core.consent_change", "member")
        return cls()._with(
            execute_on(connection, distinct(members), _CHANGES, rows=rows).fetchnumpy()
        )

    def add(self, changes: pl.DataFrame) -> None:
        """Add new changes, in the columns of core.consent_change."""
        names = ("member", "purpose", "granted", "effective_at")
        self._with({name: int_array(changes[name]) for name in names})

    def _with(self, changes: dict[str, IntArray]) -> Consents:
        member, purpose = changes["member"], changes["purpose"]
        if not len(member):
            return self
        key = member * len(PURPOSES) + purpose
        order = np.argsort(key, kind="stable")
        at = np.searchsorted(self._key, key[order], "right")
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

    def changed(self, member: IntArray, purpose: int) -> BoolArray:
        """Say which of the members ever changed their consent for a purpose."""
        known = len(self._purposes)
        if not known:
            return np.zeros(len(member), dtype=np.bool_)
        bits = self._purposes[np.minimum(member, known - 1)]
        return (bits >> purpose & 1).astype(np.bool_) & (member < known)

    def history(self, member: IntArray, purpose: int, since: int, until: int) -> ConsentHistory:
        """Return the decisions of members on a purpose in an interval.

        member: each one has changed the consent for the purpose at some time. since, until:
        microseconds; a change at `since` counts as before the interval.
        """
        places = Ranks(member)
        asked = places.distinct * len(PURPOSES) + purpose
        first = np.searchsorted(self._key, asked)
        count = np.searchsorted(self._key, asked, "right") - first
        line, row = expand_ranges(first, count)
        at = self._at[row]
        if ((np.diff(at) < 0) & (line[1:] == line[:-1])).any():
            # Changes may come out of order: a later one for an earlier instant.
            order = np.lexsort((at, line))
            row, at = row[order], at[order]
        change = np.flatnonzero(differs(line) | differs(at))
        line, at = line[change], at[change]
        # At one instant a refusal wins.
        decision = np.logical_and.reduceat(self._granted[row], change).astype(np.int64)
        before = np.full(len(asked), NO_DECISION)
        early = at <= since
        before[line[early]] = decision[early]  # of several, numpy keeps the last
        previous = np.where(differs(line), NO_DECISION, np.roll(decision, 1))
        within = ~early & (at <= until)
        changes = np.bincount(line[within], minlength=len(asked))
        return ConsentHistory(
            of=places.of(member),
            before=before,
            first=np.cumsum(changes) - changes,
            changes=changes,
            at=at[within],
            decision=decision[within],
            previous=previous[within],
        )


@dataclass(frozen=True)
class ConsentHistory:
    """The decisions of members in an interval: 1 for consent, 0 for a refusal, or NO_DECISION.

    of: for each member asked about the line of the member's history. before, first, changes: by
    line, the decision as of the beginning, the place of the first change after that, and the number
    of changes. at, decision, previous: of each change the instant, the decision, and that before.
    """

    of: IntArray
    before: IntArray
    first: IntArray
    changes: IntArray
    at: IntArray
    decision: IntArray
    previous: IntArray
