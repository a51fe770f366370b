"""The writer: applies batches to the database, each in one transaction: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from lineage.codec import DeadLetter
from lineage.database.positions import (
    Positions,
    TopicIdentity,
    record_identities,
    record_positions,
    stored_positions,
)
from lineage.database.relations import execute_with, release_frames
from lineage.database.statements import sql
from lineage.errors import StoreError, sentence
from lineage.ingest.encode import EncodedBatch
from lineage.judge.outbox import NO_CHANGES, flag_records, unpublished
from lineage.limits import Limits
from lineage.store.batch_result import BatchResult
from lineage.store.transaction import Derivation


class Writer:
    """Writes to a store through one connection, in one thread at a time."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, limits: Limits) -> None:
        self._connection = connection
        self._limits = limits
        self._derivation: Derivation | None = None
        self._positions: dict[tuple[str, int], int] | None = None

    def apply(self, batch: EncodedBatch, positions: Positions, at: datetime | None) -> BatchResult:
        """Apply a batch and record `positions` ((topic, partition) to next offset), or nothing.

        at: naive UTC, for `recorded_at`. Raises StoreError if the database fails.
        """
        try:
            self._connection.execute("BEGIN")
            result = self._derive(batch, at)
            self._record_dead_letters(batch.dead_letters, at)
            self._record_positions(positions)
            self._connection.execute("COMMIT")
            if batch.events >= self._limits.released_events:
                release_frames(self._connection)
        except duckdb.OutOfMemoryException as error:
            self._roll_back()
            raise StoreError(
                "the batch was not recorded: it needs more memory than the database may take; "
                "give it more (--memory, LINEAGE_MEMORY, memory_mib) and record it again"
            ) from error
        except duckdb.Error as error:
            self._roll_back()
            raise StoreError(f"the batch was not recorded: {sentence(error)}") from error
        except BaseException:
            self._roll_back()
            raise
        return result

    def identify(self, identities: Mapping[str, TopicIdentity]) -> None:
        """Record the identity of topics: from now on positions are of these topics."""
        record_identities(self._connection, identities)

    def unpublished(self) -> pa.Table:
        """Return the changes of flags not known to have been published, in order of seq."""
        return unpublished(self._connection)

    def flag_records(self, changes: pa.Table) -> list[dict[str, Any]]:
        """Return changes of flags as the flag topic has them, in the fields of FlagRaised."""
        return flag_records(self._connection, changes)

    def published(self, seq: int) -> None:
        """Record that all changes of flags up to `seq` have been published."""
        self._connection.execute("UPDATE core.outbox SET published = ?", [seq])

    def _derive(self, batch: EncodedBatch, at: datetime | None) -> BatchResult:
        if not batch.events:
            return BatchResult(0, 0, batch.dead_letters, 0, NO_CHANGES)
        if self._derivation is None:
            self._derivation = Derivation(self._connection, self._limits)
        return self._derivation.apply(batch, at)

    def _roll_back(self) -> None:
        # A failed COMMIT has ended the transaction already; a closed store has none.
        with suppress(duckdb.TransactionException, duckdb.ConnectionException):
            self._connection.execute("ROLLBACK")
        self._derivation = self._positions = None

    def _record_positions(self, positions: Positions) -> None:
        if not positions:
            return
        before = self._positions
        if before is None:
            before = stored_positions(self._connection)
        self._positions = {**before, **positions}
        record_positions(self._connection, self._positions)

    def _record_dead_letters(self, letters: tuple[DeadLetter, ...], at: datetime | None) -> None:
        if not letters:
            return
        names = ("source", "partition", "position", "reason", "sha256")
        frame = pl.DataFrame(
            {name: [getattr(letter, name) for letter in letters] for name in names}
        ).unique(["source", "partition", "position", "sha256"], maintain_order=True)
        statement = sql("database/record_dead_letters")
        execute_with(self._connection, statement, {"at": at}, batch_dead_letter=frame)
