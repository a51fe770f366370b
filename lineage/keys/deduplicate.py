"""Deduplicates the events of a batch: repeats change nothing, of a conflict one version counts.

An event is known by its type and its id. The same id with other content is a conflict: every
version is kept, and the one with the smallest SHA-256 of its canonical JSON counts, so that the
order of arrival does not matter: applying events is idempotent and commutative.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

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
    RUN_REPORTED,
    EventType,
    canonical_json,
)
from lineage.codec.fingerprint import as_events, contents
from lineage.database.relations import execute_with
from lineage.database.schema.ddl import stored
from lineage.database.schema.tables import table
from lineage.database.statements import sql
from lineage.ingest.encode import EncodedBatch
from lineage.keys.duplicates import IN_INTEGERS, repeats, stored_events
from lineage.keys.keyed_batch import CHILDREN, PROVENANCE, KeyedBatch

# By table of the store that has a row an event: the event type.
_TYPES: dict[str, EventType] = {
    "message": MESSAGE_SENT,
    "hop": RECORDS_MOVED,
    "consent_change": CONSENT_CHANGED,
    "declaration": DATASET_DECLARED,
    "policy": POLICY_PUBLISHED,
    "run_report": RUN_REPORTED,
}


def resolve(
    connection: duckdb.DuckDBPyConnection, batch: EncodedBatch, keyed: KeyedBatch
) -> KeyedBatch:
    """Return the batch without repeats, and of each conflict with the version that counts.

    Conflicts are recorded. `replaced` of the result has the events whose stored version counts no
    longer.
    """
    events = keyed
    for name in _TYPES:
        if keyed[name].is_empty():
            continue
        again, stored = _again(connection, keyed, name)
        if again.is_empty():
            continue
        duplicates, left = NO_INTS, int_array(again["row"])
        if name in IN_INTEGERS:
            disputed = _disputed(connection, name, int_array(again["id"]))
            duplicates, left = repeats(connection, keyed, name, again, stored, disputed)
        if len(left):
            some = again.filter(np.isin(int_array(again["row"]), left))
            collision = _Collision(connection, name, batch, some, keyed.first_new)
            counting, replaced = collision.resolve()
            if len(replaced):
                events = replace(events, replaced={**events.replaced, name: replaced})
            duplicates = np.concatenate([duplicates, np.setdiff1d(left, counting)])
        events = events.without(name, duplicates)
    return events


def _again(
    connection: duckdb.DuckDBPyConnection, keyed: KeyedBatch, name: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the events that come more than once, and the stored ones (`stored_events`).

    An event may come twice in the batch, or in the batch and in the store.
    """
    frame = keyed[name]
    ids = int_array(frame["id"])
    stored = stored_events(connection, keyed, name, distinct(ids[ids < keyed.first_new]))
    # New ids get keys in the order of the batch: where keys only go up, no id comes twice.
    if stored.is_empty() and (np.diff(ids) > 0).all():
        return frame[:0], stored
    frame = frame[[column for column in frame.columns if column not in PROVENANCE]]
    known = stored["id"].implode()
    return frame.filter(frame["id"].is_duplicated() | frame["id"].is_in(known)), stored


def _disputed(connection: duckdb.DuckDBPyConnection, name: str, among: IntArray) -> IntArray:
    """Return the events of a type with conflicts, among the keys from the least to the greatest."""
    disputed: IntArray = connection.execute(
        f"SELECT id FROM core.conflict WHERE event = '{_TYPES[name].name}' "  # noqa: S608 -- a name and keys of ours
        f"AND id BETWEEN {among.min()} AND {among.max()}"
    ).fetchnumpy()["id"]
    return disputed


class _Collision:
    """Events of one type whose ids come more than once, in the batch or with the store."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        name: str,
        batch: EncodedBatch,
        rows: pl.DataFrame,
        first_new: int,
    ) -> None:
        self._connection = connection
        self._tables = [table(of) for of in (name, *CHILDREN.get(name, ()))]
        self._event = _TYPES[name]
        self._incoming = [batch.rows(of.name, rows["row"]) for of in self._tables]
        self._ids = rows.select("row", "id")
        # No event is stored, and none disputed, under keys that the batch brought.
        self._stored = [frame.clear() for frame in self._incoming]
        disputed = pl.Series([], dtype=pl.Int64)
        old = rows.filter(pl.col("id") < first_new).select("id").unique()
        if len(old):
            self._stored, disputed = self._of_store(old)
        self._disputed = disputed.implode()

    def _of_store(self, ids: pl.DataFrame) -> tuple[list[pl.DataFrame], pl.Series]:
        """Return the stored versions of events, and those events that have conflicts already."""
        found = [
            execute_with(self._connection, stored(of, "known_event"), known_event=ids).pl()
            for of in self._tables
        ]
        disputed = execute_with(
            self._connection,
            "SELECT DISTINCT id FROM core.conflict SEMI JOIN known_event USING (id) "
            "WHERE event = $event",
            {"event": self._event.name},
            known_event=ids,
        ).pl()["id"]
        return found, disputed

    def resolve(self) -> tuple[IntArray, IntArray]:
        """Return the rows of the batch that count, and the events whose stored version does not."""
        incoming = contents(self._incoming).join(self._ids, on="row")
        before = contents(self._stored).with_columns(id=pl.col("row").cast(pl.Int64))
        row = pl.col("row").cast(pl.Int64)
        both = pl.concat(
            [
                before.select("id", row, "content", stored=pl.lit(True)),
                incoming.select("id", row, "content", stored=pl.lit(False)),
            ]
        )
        versions = both.group_by("id").agg(
            pl.col("content").n_unique().alias("versions"), pl.col("stored").any()
        )
        conflicting = (pl.col("versions") > 1) | pl.col("id").is_in(self._disputed)
        repeats = versions.filter(~conflicting & ~pl.col("stored"))["id"].implode()
        first = (
            incoming.filter(pl.col("id").is_in(repeats))
            .unique("id", keep="first", maintain_order=True)["row"]
            .to_list()
        )
        disputed = versions.filter(conflicting)["id"]
        replaced: list[int] = []
        if len(disputed):
            distinct = both.unique(["id", "content"], maintain_order=True)
            among = distinct.filter(pl.col("id").is_in(disputed.implode()))
            rows, replaced = self._settle_conflicts(among)
            first += rows
        return np.array(first, dtype=np.int64), np.array(replaced, dtype=np.int64)

    def _settle_conflicts(self, versions: pl.DataFrame) -> tuple[list[int], list[int]]:
        """Record the versions (id, row, stored) of events that conflict.

        Returns the rows of the batch that count, and the events whose stored version does not.
        """
        rows_by_sha: dict[int, dict[str, tuple[int | None, str]]] = {}
        were_stored: set[int] = set()
        for is_stored, frames in ((True, self._stored), (False, self._incoming)):
            some = versions.filter(stored=is_stored)
            events = as_events(self._event, frames, some["row"])
            for id_, row in some.select("id", "row").iter_rows():
                content = canonical_json(self._event, events[row])
                sha = hashlib.sha256(content).hexdigest()
                found = rows_by_sha.setdefault(id_, {})
                found.setdefault(sha, (None if is_stored else row, content.decode()))
                if is_stored:
                    were_stored.add(id_)
        for id_, sha, text in self._recorded(versions["id"].unique()):
            rows_by_sha[id_].setdefault(sha, (None, text))
        self._record(rows_by_sha)
        counting = {id_: found[min(found)][0] for id_, found in rows_by_sha.items()}
        rows = {id_: row for id_, row in counting.items() if row is not None}
        return list(rows.values()), [id_ for id_ in rows if id_ in were_stored]

    def _recorded(self, ids: pl.Series) -> list[tuple[int, str, str]]:
        """Return the versions that are recorded already: id, sha256 and content."""
        return execute_with(
            self._connection,
            "SELECT id, sha256, content FROM core.conflict SEMI JOIN known_event USING (id) "
            "WHERE event = $event",
            {"event": self._event.name},
            known_event=pl.DataFrame({"id": ids}),
        ).fetchall()

    def _record(self, rows_by_sha: dict[int, dict[str, tuple[int | None, str]]]) -> None:
        versions = pl.DataFrame(
            [
                (self._event.name, id_, sha, text, sha == min(found))
                for id_, found in rows_by_sha.items()
                if len(found) > 1
                for sha, (_, text) in found.items()
            ],
            schema={
                **dict.fromkeys(("event", "id", "sha256", "content"), pl.String),
                "id": pl.Int64,
                "counts": pl.Boolean,
            },
            orient="row",
        )
        execute_with(self._connection, sql("keys/record_conflicts"), batch_conflict=versions)
