"""One batch in, lineage and flags out: everything in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import duckdb
import polars as pl

from lineage.effects import record
from lineage.errors import StoreError, sentence
from lineage.identity import IDENTIFIED, settle
from lineage.interning import registered
from lineage.judging import judge
from lineage.policies import accept
from lineage.reach import trace
from lineage.sql import sql
from lineage.staging import Staged, Stager
from schemas import Batch, DeadLetter

Positions = Mapping[tuple[str, int], int]


@dataclass(frozen=True)
class Counts:
    """What a batch came to, and the last flag_history.seq before it; see `Applied`."""

    events: int
    arrivals: int
    history_before: int
    dead_letters: tuple[DeadLetter, ...]


class Applier:
    """Applies batches to a store through one connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._stager = Stager(connection)

    def apply(self, batch: Batch, positions: Positions, at: datetime | None) -> Counts:
        """Apply `batch` and note `positions` ((topic, partition) to next offset), or nothing.

        `at`, naive UTC, is when: it goes to the columns that tell when the tracker acted. Raises
        StoreError if the database fails.
        """
        try:
            self._connection.execute("BEGIN")
            counts = self._apply(batch, positions, at)
            self._connection.execute("COMMIT")
        except duckdb.Error as error:
            self._roll_back()
            raise StoreError(f"the batch was not recorded: {sentence(error)}") from error
        except BaseException:
            self._roll_back()
            raise
        return counts

    def _roll_back(self) -> None:
        # A failed COMMIT has ended the transaction already.
        with suppress(duckdb.TransactionException):
            self._connection.execute("ROLLBACK")
        self._stager.reload()

    def _apply(self, batch: Batch, positions: Positions, at: datetime | None) -> Counts:
        connection = self._connection
        batch, policies = accept(batch)
        (history_before,) = _one(connection, "SELECT coalesce(max(seq), 0) FROM core.flag_history")
        events = arrivals = 0
        if batch.events:
            staged = self._stager.stage(batch)
            settled = settle(connection, batch, staged)
            fresh, retracted = record(connection, settled, policies)
            with registered(connection, **_fresh(fresh)):
                trace(connection, fresh, anew=retracted > 0)
            arrivals = _record_arrivals(connection) - retracted
            if judge(connection):
                connection.execute(sql("insert_flag_history"), {"seq": history_before, "at": at})
            events = sum(len(getattr(fresh, name)) for name in IDENTIFIED)
        _record_dead_letters(connection, batch.dead_letters, at)
        _record_positions(connection, positions)
        return Counts(events, arrivals, history_before, batch.dead_letters)


def _fresh(staged: Staged) -> dict[str, pl.DataFrame]:
    """What tracing reads of the batch, as far as there is any."""
    frames = {name: getattr(staged, name) for name in ("message", "hop_input")}
    return {f"fresh_{name}": frame for name, frame in frames.items() if len(frame)}


def _record_arrivals(connection: duckdb.DuckDBPyConnection) -> int:
    """Record what arrived; what is identifiable after all is judged anew. Returns how many."""
    arrived, upgraded = _one(
        connection, "SELECT count(*) FILTER (NOT stored), count(*) FILTER (stored) FROM arrived"
    )
    if arrived:
        connection.execute(sql("insert_arrival"))
    if upgraded:
        connection.execute(sql("upgrade_arrival"))
        connection.execute("INSERT INTO touched SELECT m, ds FROM arrived WHERE stored")
    connection.execute("CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT m, ds FROM touched")
    return int(arrived)


def _record_dead_letters(
    connection: duckdb.DuckDBPyConnection, letters: tuple[DeadLetter, ...], at: datetime | None
) -> None:
    if not letters:
        return
    names = ("source", "partition", "position", "reason", "sha256")
    frame = pl.DataFrame(
        {name: [getattr(letter, name) for letter in letters] for name in names}
    ).unique(["source", "partition", "position", "sha256"], maintain_order=True)
    with registered(connection, dead=frame):
        connection.execute(sql("record_dead_letters"), {"at": at})


def _record_positions(connection: duckdb.DuckDBPyConnection, positions: Positions) -> None:
    for (topic, partition), next_offset in positions.items():
        connection.execute(
            "DELETE FROM core.ingest_position WHERE topic = ? AND partition = ?",
            [topic, partition],
        )
        connection.execute(
            "INSERT INTO core.ingest_position VALUES (?, ?, ?)", [topic, partition, next_offset]
        )


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    row = connection.execute(query).fetchone()
    if row is None:  # an aggregate always gives a row
        raise AssertionError(query)
    return row
