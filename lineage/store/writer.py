"""The writer: applies batches to the database, each in one transaction: all of it, or nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from lineage.codec import DeadLetter
from lineage.database.digest_notes import Fingerprints, note_digest, outdate_note
from lineage.database.positions import (
    Hashes,
    Positions,
    TopicIdentity,
    record_identities,
    record_positions,
    stored_hashes,
    stored_positions,
)
from lineage.database.relations import execute_with, release_frames
from lineage.database.statements import sql
from lineage.database.storage.faults import not_recorded, store_error
from lineage.ingest.encode import EncodedBatch
from lineage.judge.outbox import flag_records, stored_changes, unpublished
from lineage.limits import Limits
from lineage.store.batch_result import BatchResult
from lineage.store.transaction import Derivation


class Writer:
    """Writes to a store through one connection, in one thread at a time.

    While another thread copies the database (`paused`), it waits.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, path: str | Path, limits: Limits
    ) -> None:
        self._connection = connection
        self._path = path
        self._between = threading.Lock()
        # Whether there may be a note of a digest that holds until something is recorded.
        self._noted = True
        self._limits = limits
        self._derivation: Derivation | None = None
        self._positions: dict[tuple[str, int], int] | None = None
        self._hashes: dict[tuple[str, int], str] = {}

    def apply(
        self, batch: EncodedBatch, positions: Positions, hashes: Hashes, at: datetime | None
    ) -> BatchResult:
        """Apply a batch and record `positions` ((topic, partition) to next offset), or nothing.

        hashes: the SHA-256 of the record before each. at: naive UTC, for `recorded_at`. Raises
        StoreError if the database fails.
        """
        with self._between:
            try:
                self._connection.execute("BEGIN")
                result = self._derive(batch, at)
                self._record_dead_letters(batch.dead_letters, at)
                self._record_positions(positions, hashes)
                if batch.events or batch.dead_letters or positions:
                    self.outdate_note()
                self._connection.execute("COMMIT")
                if batch.events >= self._limits.released_events:
                    release_frames(self._connection)
            except duckdb.Error as error:
                self._roll_back()
                raise not_recorded(self._path, error) from error
            except BaseException:
                self._roll_back()
                raise
            return result

    def identify(self, identities: Mapping[str, TopicIdentity]) -> None:
        """Record the identity of topics: from now on positions are of these topics."""
        with self.written():
            self.outdate_note()
            record_identities(self._connection, identities)

    def unpublished(self, count: int | None = None) -> pa.Table:
        """Return (so many of) the changes of flags not known to have been published, by seq."""
        with self.written():
            return unpublished(self._connection, count)

    def flag_records(self, changes: pa.Table) -> list[dict[str, Any]]:
        """Return changes of flags as the flag topic has them, in the fields of FlagRaised."""
        with self.written():
            return flag_records(self._connection, changes)

    def published(self, seq: int) -> None:
        """Record that all changes of flags up to `seq` have been published."""
        with self.written():
            self.outdate_note()
            self._connection.execute("UPDATE core.outbox SET published = ?", [seq])

    def note_digest(self, digest: str, fingerprints: Fingerprints, at: datetime | None) -> None:
        """Note a digest of what is in the database; at: naive UTC."""
        with self.written():
            note_digest(self._connection, digest, fingerprints, at)
            self._noted = True

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hold back all that would write, from the end of a transaction on."""
        with self._between:
            yield

    @contextmanager
    def written(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give the connection, for a transaction or a look. Raises StoreError."""
        with self._between:
            try:
                yield self._connection
            except duckdb.Error as error:
                self._roll_back()
                raise store_error(self._path, error) from error

    def outdate_note(self) -> None:
        """Say, in the transaction that records something, that a noted digest holds no more."""
        if self._noted:
            outdate_note(self._connection)
            self._noted = False

    def _derive(self, batch: EncodedBatch, at: datetime | None) -> BatchResult:
        if not batch.events:
            return BatchResult(0, 0, batch.dead_letters, 0)
        if self._derivation is None:
            self._derivation = Derivation(self._connection, self._limits, self._stored_changes)
        return self._derivation.apply(batch, at)

    def _stored_changes(self, seq: int, last: int) -> pa.Table:
        with self.written():
            return stored_changes(self._connection, seq, last)

    def _roll_back(self) -> None:
        # A failed COMMIT has ended the transaction already; a closed store has none.
        with suppress(duckdb.TransactionException, duckdb.ConnectionException):
            self._connection.execute("ROLLBACK")
        self._derivation = self._positions = None
        self._noted = True

    def _record_positions(self, positions: Positions, hashes: Hashes) -> None:
        if not positions:
            return
        if self._positions is None:
            self._positions = stored_positions(self._connection)
            self._hashes = stored_hashes(self._connection)
        self._positions |= positions
        for at in positions:  # a hash belongs to its position alone
            self._hashes.pop(at, None)
        self._hashes |= hashes
        record_positions(self._connection, self._positions, self._hashes)

    def _record_dead_letters(self, letters: tuple[DeadLetter, ...], at: datetime | None) -> None:
        if not letters:
            return
        names = ("source", "partition", "position", "reason", "sha256")
        frame = pl.DataFrame(
            {name: [getattr(letter, name) for letter in letters] for name in names}
        ).unique(["source", "partition", "position", "sha256"], maintain_order=True)
        statement = sql("database/record_dead_letters")
        execute_with(self._connection, statement, {"at": at}, batch_dead_letter=frame)
