"""The store: a lineage database, and what can be done with it and asked of it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import duckdb
import pyarrow as pa

from lineage.audit.digest import digest
from lineage.audit.query import QueryLimits, Question, query
from lineage.audit.route import route
from lineage.audit.select_check.check import Parameters, check
from lineage.batch_result import BatchResult
from lineage.codec import Batch, from_events
from lineage.codec import LogError as SchemasLogError
from lineage.database.connection import MEMORY_MIB, connect, store_error
from lineage.database.positions import (
    Positions,
    TopicIdentity,
    record_identities,
    stored_identities,
    stored_positions,
)
from lineage.database.spill import Spill
from lineage.database.statements import sql
from lineage.errors import LogError
from lineage.ingest.encode import EncodedBatch, encode
from lineage.ingest.replay import encoded_batches
from lineage.judge.outbox import unpublished
from lineage.judge.timeline import Timeline
from lineage.transaction import Applier

# More is faster, as much of a batch's cost does not grow with it, and takes more memory.
BATCH_EVENTS = 200_000
# What a question may take beside the database's own memory and its answer.
_BESIDE_MIB = 1024


@dataclass(frozen=True)
class Replayed:
    """What a replay came to: new events and arrivals, dead letters, flags raised and cleared."""

    events: int = 0
    arrivals: int = 0
    dead_letters: int = 0
    raised: int = 0
    cleared: int = 0


class Store:
    """A lineage database. Use it in a `with` block, or `close` it.

    One thread at a time may apply; questions may be asked from any thread meanwhile.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        read_only: bool = False,
        memory_mib: int = MEMORY_MIB,
        threads: int | None = None,
    ) -> None:
        self._path = path
        self._spill = Spill(None if str(path) == ":memory:" else Path(path))
        self._end = weakref.finalize(self, self._spill.close)
        try:
            self._connection = connect(
                path,
                read_only=read_only,
                memory_mib=memory_mib,
                threads=threads,
                spill=self._spill.path,
            )
        except BaseException:
            self._end()
            raise
        self._applier = Applier(self._connection)
        self._read_only = read_only
        self._memory_mib = memory_mib
        self._lasting: Timeline | None = None

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database. What was applied is on disk already."""
        self._connection.close()
        self._end()

    def apply(
        self, events: Sequence[Mapping[str, object]], at: datetime | None = None
    ) -> BatchResult:
        """Apply events, dicts in the JSON spelling, as one batch in one transaction.

        What breaks the contract becomes a dead letter, known by its index in `events`. `at` is
        when, for the columns that tell when the tracker acted; they are null without it.
        """
        return self.apply_batch(from_events(events), at=at)

    def apply_batch(
        self,
        batch: Batch | EncodedBatch,
        positions: Positions | None = None,
        at: datetime | None = None,
    ) -> BatchResult:
        """Apply a decoded batch and note `positions`, (topic, partition) to next offset.

        What `prepare` makes of a batch is applied faster, and can be made in another thread.
        """
        prepared = batch if isinstance(batch, EncodedBatch) else encode(batch)
        return self._applier.apply(prepared, positions or {}, _naive(at))

    def replay(
        self,
        *paths: str | Path,
        batch_events: int = BATCH_EVENTS,
        progress: Callable[[int], None] | None = None,
        at: datetime | None = None,
    ) -> Replayed:
        """Apply the event logs at `paths`, `batch_events` at a time.

        `progress` is called with the number of bytes read since its last call. A large log is
        decoded in a second process. Raises LogError for a path that is no event log.
        """
        total = Replayed()
        try:
            for prepared in encoded_batches(paths, batch_events, progress):
                applied = self.apply_batch(prepared, at=at)
                total = replace(
                    total,
                    events=total.events + applied.events,
                    arrivals=total.arrivals + applied.arrivals,
                    dead_letters=total.dead_letters + len(applied.dead_letters),
                    raised=total.raised + _count(applied.changes, "RAISED"),
                    cleared=total.cleared + _count(applied.changes, "CLEARED"),
                )
        except SchemasLogError as error:
            raise LogError(str(error)) from error
        return total

    def flags(
        self, rule: str | None = None, dataset: str | None = None, message_id: str | None = None
    ) -> duckdb.DuckDBPyRelation:
        """The flags, in the columns of `flag`, ordered by rule, message and dataset."""
        wanted = {"rule": rule, "dataset": dataset, "message_id": message_id}
        with self._damage_told():
            return query(self._connection.cursor(), sql("audit/flags"), wanted)

    def route(self, message_id: str) -> duckdb.DuckDBPyRelation:
        """The way of one message: a row for each arrival and record that it came from.

        The columns of the macro `route`, then the facts and `rules`, the ids of the rules that
        the arrival broke; in the order of arriving. No rows for a message that is not known.
        """
        cursor = self._connection.cursor()
        with self._damage_told():
            return route(cursor, message_id, self._in_force(cursor))

    def sql(
        self, text: str, params: Parameters = None, timeout_seconds: float | None = None
    ) -> duckdb.DuckDBPyRelation:
        """Answer one SELECT that reads the database and does nothing else.

        Params are values for ?, $1 or $name. A question that takes longer than timeout_seconds is
        ended (None: never). Raises QueryError; see `lineage.audit.select_check.check` for what is
        allowed.
        """
        cursor = self._connection.cursor()
        with self._damage_told():
            check(cursor, text, params)
            return query(cursor, text, params, self._query_limits(timeout_seconds))

    def sql_batches(
        self, text: str, params: Parameters = None, timeout_seconds: float | None = None
    ) -> Question:
        """Ask as `sql` does, for an answer of any size: a context manager that gives batches."""
        cursor = self._connection.cursor()
        check(cursor, text, params)
        return Question(cursor, text, params, self._query_limits(timeout_seconds))

    def digest(self) -> str:
        """SHA-256 in hex over the events, arrivals and flags; see `lineage.audit.digest`."""
        with self._damage_told():
            return digest(self._connection.cursor(), self._memory_mib, self._spill.path)

    def positions(self) -> dict[tuple[str, int], int]:
        """(topic, partition) to the offset to go on from."""
        return stored_positions(self._connection.cursor())

    def identities(self) -> dict[str, TopicIdentity]:
        """The identity of each topic that `positions` are of."""
        return stored_identities(self._connection.cursor())

    def identify(self, identities: Mapping[str, TopicIdentity]) -> None:
        """Keep the identity of topics: from now on their positions are of these."""
        record_identities(self._connection, identities)

    def unpublished(self) -> pa.Table:
        """The rows of `flag_history` not known to have been published, in the order of seq."""
        return unpublished(self._connection)

    def published(self, seq: int) -> None:
        """Note that all rows of `flag_history` up to `seq` have been published."""
        self._connection.execute("UPDATE core.outbox SET published = ?", [seq])

    @contextmanager
    def _damage_told(self) -> Iterator[None]:
        try:
            yield
        except duckdb.IOException as error:
            raise store_error(self._path, error) from error

    def _query_limits(self, timeout_seconds: float | None) -> QueryLimits:
        memory = 2 * self._memory_mib + _BESIDE_MIB
        return QueryLimits(timeout_seconds, self._memory_mib, memory)

    def _in_force(self, cursor: duckdb.DuckDBPyConnection) -> Timeline:
        """What is in force. Who only reads can keep it: nobody else can write meanwhile."""
        in_force = self._lasting or Timeline(cursor)
        if self._read_only:
            self._lasting = in_force
        return in_force


def _count(changes: pa.Table, status: str) -> int:
    return changes["status"].to_pylist().count(status)


def _naive(at: datetime | None) -> datetime | None:
    """`at` as naive UTC."""
    if at is None or at.tzinfo is None:
        return at
    return at.astimezone(UTC).replace(tzinfo=None)
