"""The reader: queries on a database."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import IO, Self

import duckdb

from lineage.audit.digest.digest import digest
from lineage.audit.known_names import check_known
from lineage.audit.query import QueryLimits, Question, query
from lineage.audit.route import route
from lineage.audit.select_check.check import Parameters, check
from lineage.audit.verify.verify import Checked, Sample, verify
from lineage.audit.whatif.changes import FlagChanges
from lineage.audit.whatif.period import Instant, Period
from lineage.audit.whatif.whatif import WhatIf
from lineage.database.connection import MEMORY_MIB, connect
from lineage.database.positions import (
    TopicIdentity,
    stored_hashes,
    stored_identities,
    stored_positions,
)
from lineage.database.statements import sql
from lineage.database.storage.faults import store_error
from lineage.database.storage.snapshot import snapshot
from lineage.database.storage.spill import Spill
from lineage.database.storage.write_ahead_log import unfinished
from lineage.errors import StoreError
from lineage.judge.timeline import Timeline
from lineage.keys.texts import key_of
from lineage.limits import DEFAULT_LIMITS, Limits
from lineage.policy.parse import parse_policy
from lineage.store.backup import Backup, Copy, check_target


@dataclass(frozen=True)
class UnmatchedInputs:
    """Counts of inputs of hops that held no message at the hop's instant.

    Attributes:
        seen_later: A message was in the record only after: a clock is off, or an event was late.
        spelled_like: None ever was, but in one that is spelled alike.
        never_seen: None ever was, in a dataset that other messages were in.
        in_other_datasets: None ever was in the dataset, whose records usually are other things.
    """

    seen_later: int
    spelled_like: int
    never_seen: int
    in_other_datasets: int


class Reader:
    """Reads a database from any thread: each query has a cursor of its own.

    Use a reader in a `with` block, or `close` it.

    Attributes:
        unfinished: A sentence about what was recorded last, if it was cut off; else None.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        read_only: bool = True,
        memory_mib: int = MEMORY_MIB,
        threads: int | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._path = path
        self._memory_mib = memory_mib
        self._limits = limits
        # No process writes a database that is open read-only, so its timeline is cached.
        self._is_frozen = read_only
        self._timeline: Timeline | None = None
        self._copied: IO[bytes] | None = None
        self._copying = Lock()
        self.unfinished = None if str(path) == ":memory:" else unfinished(Path(path))
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database. Every applied batch is on disk already."""
        self._connection.close()
        if self._copied is not None:
            self._copied.close()
        self._end()

    def flags(
        self,
        rule: str | None = None,
        dataset: str | None = None,
        message_id: str | None = None,
        severity: str | None = None,
    ) -> duckdb.DuckDBPyRelation:
        """Return the flags, ordered by rule, message and dataset.

        The columns are those of `flag`, then the job of the first breach's hop and the recipient as
        the dataset was declared then. Raises QueryError where no policy has the rule, no event
        names the dataset, no message has the id, or there is no such severity, with the nearest
        name there is: a typo would be answered with no flags.
        """
        cursor = self._cursor()
        wanted = _wanted(rule, dataset, message_id, severity)
        with self._damage_told():
            check_known(cursor, rule, dataset, message_id, severity)
            return query(cursor, sql("audit/flags"), wanted)

    def flag_batches(
        self,
        rule: str | None = None,
        dataset: str | None = None,
        message_id: str | None = None,
        severity: str | None = None,
        timeout_seconds: float | None = None,
    ) -> Question:
        """Return a context manager that yields the flags in batches; else as `flags`."""
        cursor = self._cursor()
        wanted = _wanted(rule, dataset, message_id, severity)
        check_known(cursor, rule, dataset, message_id, severity)
        return Question(cursor, sql("audit/flags"), wanted, QueryLimits(timeout_seconds))

    def route(self, message_id: str) -> duckdb.DuckDBPyRelation:
        """Return the route of one message: a row for each arrival and record that it came from.

        The columns are those of the macro `route`, then the facts and `rules`, the ids of the rules
        that the arrival broke; in the order of arrival. An unknown message has no rows.
        """
        cursor = self._cursor()
        with self._damage_told(), snapshot(cursor):
            timeline = self._timeline or Timeline(cursor)
            if self._is_frozen:
                self._timeline = timeline
            return route(cursor, message_id, timeline, self._limits)

    def sql(
        self, text: str, params: Parameters = None, timeout_seconds: float | None = None
    ) -> duckdb.DuckDBPyRelation:
        """Answer one SELECT that reads the database and does nothing else.

        params: values for ?, $1 or $name. timeout_seconds: a query that takes longer is ended
        (None: never). Raises QueryError; `lineage.audit.select_check.check` documents the SELECTs
        that are allowed.
        """
        cursor = self._cursor()
        with self._damage_told():
            check(cursor, text, params)
            return query(cursor, text, params, self._query_limits(timeout_seconds))

    def answer(self, text: str, params: Parameters = None) -> duckdb.DuckDBPyRelation:
        """Answer a SELECT that is part of the program, and so is not checked; else as `sql`."""
        with self._damage_told():
            return query(self._cursor(), text, params, self._query_limits(None))

    def key_of(self, id_: str) -> int | None:
        """Return the key of an id, as the tables of the schema core have it; None if unknown."""
        with self._damage_told():
            return key_of(self._cursor(), id_)

    def sql_batches(
        self, text: str, params: Parameters = None, timeout_seconds: float | None = None
    ) -> Question:
        """Return a context manager that yields an answer of any size in batches; else as `sql`."""
        cursor = self._cursor()
        check(cursor, text, params)
        return Question(cursor, text, params, self._query_limits(timeout_seconds))

    def whatif(
        self, document: str, since: Instant = None, until: Instant = None
    ) -> duckdb.DuckDBPyRelation:
        """Count the flags that a policy document would have raised against those that stand.

        The columns are rule, dataset, new, gone and same. The document takes the place of those of
        the policies in force from `since` until `until` (which is not in it); the policies keep
        their instants. Nothing is written. Raises PolicyError for an invalid document.
        """
        policy, period = parse_policy(document), Period.of(since, until)
        cursor = self._cursor()
        with self._damage_told(), snapshot(cursor):
            counts = WhatIf(cursor, policy, period, self._limits).counts()
            return cursor.from_arrow(counts.to_arrow())

    @contextmanager
    def whatif_batches(
        self, document: str, since: Instant = None, until: Instant = None
    ) -> Iterator[FlagChanges]:
        """Yield the flags that would be new or gone, in batches; else as `whatif`.

        A new flag has no policy_id where the document would raise it.
        """
        policy, period = parse_policy(document), Period.of(since, until)
        cursor = self._cursor()
        with self._damage_told(), snapshot(cursor):
            yield FlagChanges(WhatIf(cursor, policy, period, self._limits))

    def events(self) -> int:
        """Count the recorded events."""
        with self._damage_told():
            ((count,),) = query(self._cursor(), sql("audit/count_events")).fetchall()
        return int(count)

    def unmatched_inputs(self) -> UnmatchedInputs:
        """Count the inputs of hops that held no message, as the view `unmatched_input` has them."""
        with self._damage_told():
            (row,) = query(self._cursor(), sql("audit/unmatched_counts")).fetchall()
        return UnmatchedInputs(*row)

    def digest(self) -> str:
        """Return the SHA-256 in hex over events, arrivals and flags; see `audit.digest.digest`."""
        cursor = self._cursor()
        with self._damage_told(), snapshot(cursor):
            return digest(cursor, self._memory_mib, self._spill.path, self._limits)

    def verify(
        self,
        messages: int | None = 1_000,
        seed: int = 0,
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[Checked]:
        """Check that the database is whole, and that what is derived follows from its events.

        Yields the outcome of each check as it is made. messages: so many, chosen by `seed`, are
        followed again from their events, and compared with what is stored; None: all. progress:
        called with the number of messages that are done.
        """
        sample = None if messages is None else Sample(messages, seed)
        advance = progress or (lambda done: None)
        with self._damage_told():
            limits, folder = self._limits, self._spill.path
            yield from verify(self._cursor(), self._memory_mib, folder, limits, sample, advance)

    def backup(self, to: str | Path) -> Backup:
        """Make a copy of the database at `to`, as it is between two transactions.

        Call it from any thread: one that applies meanwhile waits until the file is copied. Raises
        BackupError where there is a file or can be none, StoreError where the disk is full.
        """
        database, target = Path(self._path), Path(to)
        self._cursor().close()
        check_target(database, target)
        with self._copying, Copy(target) as copy:
            with self._paused():
                self._copied = self._copied or database.open("rb")
                copy.take(database, self._copied)
            return copy.finish(self._memory_mib)

    def positions(self) -> dict[tuple[str, int], int]:
        """Return the positions: (topic, partition) to the next offset."""
        with self._damage_told():
            return stored_positions(self._cursor())

    def hashes(self) -> dict[tuple[str, int], str]:
        """Return the SHA-256 (hex) of the record before each position, where it is known."""
        return stored_hashes(self._cursor())

    def identities(self) -> dict[str, TopicIdentity]:
        """Return the identity of each topic that has positions."""
        return stored_identities(self._cursor())

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.cursor()
        except duckdb.ConnectionException:
            raise StoreError(f"{self._path}: the store is closed; open it again") from None

    @contextmanager
    def _damage_told(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise store_error(self._path, error) from error

    def _paused(self) -> AbstractContextManager[None]:
        """Return a context in which nothing is written; what is only read needs none."""
        return nullcontext()

    def _query_limits(self, timeout_seconds: float | None) -> QueryLimits:
        memory = 2 * self._memory_mib + self._limits.query_mib
        return QueryLimits(timeout_seconds, self._memory_mib, memory)


def _wanted(
    rule: str | None, dataset: str | None, message_id: str | None, severity: str | None
) -> dict[str, object]:
    return {"rule": rule, "dataset": dataset, "message_id": message_id, "severity": severity}
