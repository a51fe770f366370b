"""Which events of a batch are new: repeats change nothing, and of a conflict one version counts.

An event is known by its type and its id. The same id with other content is a conflict: every
version is kept, and the one with the smallest SHA-256 of its canonical JSON counts, so that the
order of coming does not matter.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import NO_INTS, IntArray, distinct, int_array
from lineage.codec import (
    CONSENT_CHANGED,
    DATASET_DECLARED,
    MESSAGE_SENT,
    POLICY_PUBLISHED,
    RECORDS_MOVED,
    EventType,
    canonical_json,
)
from lineage.codec.fingerprint import as_events, contents
from lineage.database.relations import run_with
from lineage.database.statements import sql
from lineage.ingest.encode import EncodedBatch
from lineage.keys.duplicates import IN_NUMBERS, repeats, stored_events
from lineage.keys.stage import CHILDREN, KeyedBatch

# Table of the store -> its type of event, and where a batch has its rows and those of its children.
_TYPES: dict[str, tuple[EventType, str, tuple[str, ...]]] = {
    "message": (MESSAGE_SENT, "messages", ("parties",)),
    "hop": (RECORDS_MOVED, "hops", ("hop_inputs", "hop_outputs")),
    "consent_change": (CONSENT_CHANGED, "consent_changes", ()),
    "declaration": (DATASET_DECLARED, "declarations", ()),
    "policy": (POLICY_PUBLISHED, "policies", ()),
}
IDENTIFIED = tuple(_TYPES)


@dataclass(frozen=True)
class Settled:
    """What a batch changes in the record of events.

    Attributes:
        fresh: The events to insert.
        replaced: By table the numbers of events whose stored version no longer counts, if any;
            `fresh` holds the version that does.
    """

    fresh: KeyedBatch
    replaced: dict[str, IntArray] = field(default_factory=dict)


def resolve(
    connection: duckdb.DuckDBPyConnection, prepared: EncodedBatch, staged: KeyedBatch
) -> Settled:
    """Tell new events from repeats and conflicts; conflicts are recorded here."""
    fresh, replaced = staged, {}
    for table in _TYPES:
        again, stored = _again(connection, staged, table)
        if again.is_empty():
            continue
        gone, left = NO_INTS, int_array(again["row"])
        if table in IN_NUMBERS:
            disputed = _disputed(connection, table, int_array(again["n"]))
            gone, left = repeats(connection, staged, table, again, stored, disputed)
        if len(left):
            some = again.filter(np.isin(int_array(again["row"]), left))
            collision = _Collision(connection, table, prepared, some, staged.first_new)
            counting, no_more = collision.resolve()
            if len(no_more):
                replaced[table] = no_more
            gone = np.concatenate([gone, np.setdiff1d(left, counting)])
        fresh = fresh.without(table, gone)
    return Settled(fresh, replaced)


def _again(
    connection: duckdb.DuckDBPyConnection, staged: KeyedBatch, table: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The events that come more than once, in the batch or with the store; and what the store has
    of them (`stored_events`).
    """
    frame = getattr(staged, table)
    n = int_array(frame["n"])
    stored = stored_events(connection, staged, table, distinct(n[n < staged.first_new]))
    # New ones are numbered as they come: where they go up all the way, none comes twice.
    if stored.is_empty() and (np.diff(n) > 0).all():
        return frame[:0], stored
    known = stored["n"].implode()
    return frame.filter(frame["n"].is_duplicated() | frame["n"].is_in(known)), stored


def _disputed(connection: duckdb.DuckDBPyConnection, table: str, among: IntArray) -> IntArray:
    """The numbers of the events of a type, and in the range of some, that have conflicts."""
    disputed: IntArray = connection.execute(
        f"SELECT n FROM core.conflict WHERE event = '{_TYPES[table][0].name}' "  # noqa: S608 -- a name and numbers of ours
        f"AND n BETWEEN {among.min()} AND {among.max()}"
    ).fetchnumpy()["n"]
    return disputed


class _Collision:
    """Events of one type whose ids come more than once, in the batch or with the store."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        prepared: EncodedBatch,
        rows: pl.DataFrame,
        first_new: int,
    ) -> None:
        self._connection = connection
        self._table = table
        self._event, frame, children = _TYPES[table]
        self._incoming = [prepared.rows(name, rows["row"]) for name in (frame, *children)]
        self._numbers = rows.select("row", "n")
        # Nothing is stored, and nothing disputed, under numbers that the batch brought.
        self._stored = [frame.clear() for frame in self._incoming]
        disputed = pl.Series([], dtype=pl.Int64)
        old = rows.filter(pl.col("n") < first_new).select("n").unique()
        if len(old):
            self._stored, disputed = self._of_store(old)
        self._disputed = disputed.implode()

    def _of_store(self, numbers: pl.DataFrame) -> tuple[list[pl.DataFrame], pl.Series]:
        """The stored versions of events, and which of them have conflicts already."""
        connection, table = self._connection, self._table
        stored = [
            run_with(connection, numbers, sql(f"keys/stored_{name}")).pl()
            for name in (table, *CHILDREN.get(table, ()))
        ]
        disputed = run_with(
            connection,
            numbers,
            "SELECT DISTINCT n FROM core.conflict SEMI JOIN given USING (n) WHERE event = $event",
            {"event": self._event.name},
        ).pl()["n"]
        return stored, disputed

    def resolve(self) -> tuple[IntArray, IntArray]:
        """The rows of the batch that count, and the numbers whose stored version does not."""
        incoming = contents(self._incoming).join(self._numbers, on="row")
        stored = contents(self._stored).with_columns(n=pl.col("row").cast(pl.Int64))
        number = pl.col("row").cast(pl.Int64)
        both = pl.concat(
            [
                stored.select("n", number, "content", stored=pl.lit(True)),
                incoming.select("n", number, "content", stored=pl.lit(False)),
            ]
        )
        versions = both.group_by("n").agg(
            pl.col("content").n_unique().alias("versions"), pl.col("stored").any()
        )
        conflicting = (pl.col("versions") > 1) | pl.col("n").is_in(self._disputed)
        repeats = versions.filter(~conflicting & ~pl.col("stored"))["n"].implode()
        first = (
            incoming.filter(pl.col("n").is_in(repeats))
            .unique("n", keep="first", maintain_order=True)["row"]
            .to_list()
        )
        disputed = versions.filter(conflicting)["n"]
        replaced: list[int] = []
        if len(disputed):
            distinct = both.unique(["n", "content"], maintain_order=True)
            among = distinct.filter(pl.col("n").is_in(disputed.implode()))
            rows, replaced = self._settle_conflicts(among)
            first += rows
        return np.array(first, dtype=np.int64), np.array(replaced, dtype=np.int64)

    def _settle_conflicts(self, versions: pl.DataFrame) -> tuple[list[int], list[int]]:
        """Record the versions (n, row, stored) of events that conflict.

        Returns the rows of the batch that count, and the numbers whose stored version does not.
        """
        rows_by_sha: dict[int, dict[str, tuple[int | None, str]]] = {}
        were_stored: set[int] = set()
        for is_stored, frames in ((True, self._stored), (False, self._incoming)):
            some = versions.filter(stored=is_stored)
            events = as_events(self._event, frames, some["row"])
            for n, row in some.select("n", "row").iter_rows():
                content = canonical_json(self._event, events[row])
                sha = hashlib.sha256(content).hexdigest()
                found = rows_by_sha.setdefault(n, {})
                found.setdefault(sha, (None if is_stored else row, content.decode()))
                if is_stored:
                    were_stored.add(n)
        for n, sha, text in self._recorded(versions["n"].unique()):
            rows_by_sha[n].setdefault(sha, (None, text))
        self._record(rows_by_sha)
        counting = {n: found[min(found)][0] for n, found in rows_by_sha.items()}
        rows = {n: row for n, row in counting.items() if row is not None}
        return list(rows.values()), [n for n in rows if n in were_stored]

    def _recorded(self, numbers: pl.Series) -> list[tuple[int, str, str]]:
        """The versions that are recorded already: number, sha256 and content."""
        return run_with(
            self._connection,
            pl.DataFrame({"n": numbers}),
            "SELECT n, sha256, content FROM core.conflict SEMI JOIN given USING (n) "
            "WHERE event = $event",
            {"event": self._event.name},
        ).fetchall()

    def _record(self, rows_by_sha: dict[int, dict[str, tuple[int | None, str]]]) -> None:
        versions = pl.DataFrame(
            [
                (self._event.name, n, sha, text, sha == min(found))
                for n, found in rows_by_sha.items()
                if len(found) > 1
                for sha, (_, text) in found.items()
            ],
            schema={
                **dict.fromkeys(("event", "n", "sha256", "content"), pl.String),
                "n": pl.Int64,
                "counts": pl.Boolean,
            },
            orient="row",
        )
        run_with(self._connection, versions, sql("keys/record_conflicts"))
