"""One batch in, lineage and flags out: everything in one transaction, or nothing."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from lineage.batch_result import BatchResult
from lineage.codec import DeadLetter
from lineage.database.positions import Positions, record_positions, stored_positions
from lineage.database.relations import run_with
from lineage.database.statements import sql
from lineage.errors import StoreError, sentence
from lineage.ingest.encode import EncodedBatch
from lineage.judge.consents import Consents
from lineage.judge.flags import Flagging
from lineage.judge.invalidate import record, touch_upgraded
from lineage.judge.outbox import NO_CHANGES, Outbox
from lineage.judge.rules import Judge
from lineage.judge.timeline import Timeline
from lineage.judge.watermarks import Watermarks
from lineage.keys.deduplicate import IDENTIFIED, Settled, resolve
from lineage.keys.stage import Stager
from lineage.policy.parse import Policy
from lineage.reach.fixpoint import Arrivals, derive, rederive
from lineage.reach.hops import place_keys

# So many messages are derived anew at a time, which bounds the memory that it takes.
_ANEW_MAX = 200_000


class Applier:
    """Applies batches to a store through one connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._stager = Stager(connection)
        self._judge: Judge | None = None
        self._latest: Watermarks | None = None
        self._wording = Outbox(connection)
        self._positions: dict[tuple[str, int], int] | None = None

    def apply(
        self, prepared: EncodedBatch, positions: Positions, at: datetime | None
    ) -> BatchResult:
        """Apply a batch and note `positions` ((topic, partition) to next offset), or nothing.

        `at`, naive UTC, is when: it goes to the columns that tell when the tracker acted. Raises
        StoreError if the database fails.
        """
        try:
            self._connection.execute("BEGIN")
            applied = self._apply(prepared, positions, at)
            self._connection.execute("COMMIT")
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
        return applied

    def _roll_back(self) -> None:
        # A failed COMMIT has ended the transaction already.
        with suppress(duckdb.TransactionException):
            self._connection.execute("ROLLBACK")
        self._stager.reload()
        self._judge = self._latest = self._positions = None
        self._wording = Outbox(self._connection)

    def _apply(
        self, prepared: EncodedBatch, positions: Positions, at: datetime | None
    ) -> BatchResult:
        connection = self._connection
        before = self._latest = self._latest or Watermarks.stored(connection)
        events = arrivals = 0
        changes = NO_CHANGES
        if prepared.events:
            settled = resolve(connection, prepared, self._stager.stage(prepared))
            arrivals, changes = self._derive(settled, prepared.policies, before, at)
            events = sum(len(getattr(settled.fresh, name)) for name in IDENTIFIED)
        _record_dead_letters(connection, prepared.dead_letters, at)
        self._record_positions(positions)
        return BatchResult(events, arrivals, prepared.dead_letters, changes)

    def _record_positions(self, positions: Positions) -> None:
        if not positions:
            return
        held = stored_positions(self._connection) if self._positions is None else self._positions
        self._positions = {**held, **positions}
        record_positions(self._connection, self._positions)

    def _derive(
        self,
        settled: Settled,
        policies: dict[str, Policy],
        latest: Watermarks,
        at: datetime | None,
    ) -> tuple[int, pa.Table]:
        """Record the events, their arrivals and flags; how many arrivals there are more, and
        which flags were raised and cleared.
        """
        connection = self._connection
        recorded = record(connection, settled, policies, latest.arrival)
        fresh = recorded.fresh
        judge = self._informed(settled)
        arrived, upgraded = derive(connection, fresh, latest.hop)
        _insert(connection, arrived)
        touched = touch_upgraded(connection, upgraded, recorded)
        flagging = Flagging(connection, judge, touched=touched)
        flagging.add(arrived, fresh)
        more = len(arrived) - recorded.retracted
        # Versions of messages that are in the batch have been traced with it.
        dirty = recorded.dirty.filter(~recorded.dirty.is_in(fresh.message["n"].implode()))
        for messages in dirty.to_frame().iter_slices(_ANEW_MAX):
            again = rederive(connection, messages["m"])
            _insert(connection, again)
            flagging.add(again)
            more += len(again)
        changed = flagging.finish(latest.flag, at)
        self._latest = latest.after(fresh, arrived, sum(map(len, changed)))
        return more, self._wording.table(pl.concat(changed), at) if changed else NO_CHANGES

    def _informed(self, settled: Settled) -> Judge:
        """The judge, who knows of the changes of consent, policies and declarations."""
        connection, judge, fresh = self._connection, self._judge, settled.fresh
        if judge is None or len(settled.replaced.get("consent_change", ())):
            consents = Consents.stored(connection)
            judge = Judge(connection, consents, Timeline(connection))
        else:
            judge.consents.add(fresh.consent_change)
            if len(fresh.policy) or len(fresh.declaration) or settled.replaced:
                judge = Judge(connection, judge.consents, Timeline(connection))
        self._judge = judge
        return judge


def _insert(connection: duckdb.DuckDBPyConnection, arrived: Arrivals) -> None:
    if len(arrived):
        # In this order neighbours are alike, and take less of the disk.
        together = arrived.only(np.argsort(place_keys(arrived.ds, arrived.m)))
        run_with(connection, together.frame(), sql("database/insert_arrival"))


def _record_dead_letters(
    connection: duckdb.DuckDBPyConnection, letters: tuple[DeadLetter, ...], at: datetime | None
) -> None:
    if not letters:
        return
    names = ("source", "partition", "position", "reason", "sha256")
    frame = pl.DataFrame(
        {name: [getattr(letter, name) for letter in letters] for name in names}
    ).unique(["source", "partition", "position", "sha256"], maintain_order=True)
    run_with(connection, frame, sql("database/record_dead_letters"), {"at": at})
