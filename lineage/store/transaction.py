"""One batch in one transaction: derives lineage, facts and flags from its events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import duckdb
import pyarrow as pa

from lineage.ingest.encode import EncodedBatch
from lineage.judge import flags
from lineage.judge.breaches import breaches
from lineage.judge.consents import Consents
from lineage.judge.flag_history import FlagHistory
from lineage.judge.invalidate import record
from lineage.judge.outbox import Outbox, change_counts
from lineage.judge.rules import Judge
from lineage.judge.timeline import Timeline
from lineage.judge.watermarks import Watermarks
from lineage.keys.assign import Keys
from lineage.keys.deduplicate import resolve
from lineage.keys.keyed_batch import KeyedBatch
from lineage.limits import Limits
from lineage.reach.fixpoint import derive
from lineage.reach.recorder import Recorder
from lineage.reach.unmatched import count_unmatched
from lineage.store.batch_result import BatchResult
from lineage.store.flag_changes import FlagChanges, HeldChanges, StoredChanges


class Derivation:
    """Derives, batch after batch, in transactions of the caller.

    Between batches the object keeps a cache of the store alone; after a roll-back make another one.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        limits: Limits,
        stored_changes: Callable[[int, int], pa.Table],
    ) -> None:
        """Take a connection; stored_changes: see `StoredChanges`, by the seqs before and last."""
        self._connection = connection
        self._stored_changes = stored_changes
        self._limits = limits
        self._keys = Keys(connection, limits)
        self._outbox = Outbox(connection)
        self._watermarks = Watermarks.stored(connection)
        self._unmatched = count_unmatched(connection)
        self._judge: Judge | None = None

    def apply(self, batch: EncodedBatch, at: datetime | None) -> BatchResult:
        """Record a batch, and derive arrivals and flags; at: naive UTC, for `recorded_at`."""
        connection, limits, latest = self._connection, self._limits, self._watermarks
        keyed = self._keys.assign(batch)
        events = resolve(connection, batch, keyed)
        recorder = Recorder(connection, at)
        stale = record(connection, events, batch.policies, latest.arrival, recorder, limits)
        arrivals = derive(
            connection, stale.events, stale.rederive, stale.vacated, latest.hop, recorder, limits
        )
        stale.rejudge.add_arrivals(arrivals.upgraded)
        broken = breaches(connection, self._judged_by(events), arrivals, stale, limits)
        history = flags.update(connection, broken, latest.flag, limits)
        recorder.close()

        self._watermarks = latest.after(events, arrivals.new, history.count)
        more = arrivals.stored - stale.retracted
        told = self._told(history, at, batch, events)
        before, self._unmatched = self._unmatched, count_unmatched(connection)
        unmatched = self._unmatched - before
        return BatchResult(events.events, more, batch.dead_letters, unmatched, told)

    def _told(
        self, history: FlagHistory, at: datetime | None, batch: EncodedBatch, events: KeyedBatch
    ) -> FlagChanges:
        """Return the changes of flags as others get them: at once where they are few."""
        if history.frames is not None:
            return HeldChanges(self._outbox.rows(history.frames, at, batch, events))
        first, last = history.first, history.first + history.count
        read = partial(self._stored_changes, first, last)
        return StoredChanges(change_counts(self._connection, first), read)

    def _judged_by(self, events: KeyedBatch) -> Judge:
        """Return the judge, up to date with the batch's consents, policies and declarations."""
        connection, judge = self._connection, self._judge
        if judge is None or len(events.replaced.get("consent_change", ())):
            consents = Consents.stored(connection)
        elif len(events["policy"]) or len(events["declaration"]) or events.replaced:
            consents = judge.consents
            consents.add(events["consent_change"])
        else:
            judge.consents.add(events["consent_change"])
            return judge
        self._judge = Judge(connection, consents, Timeline(connection), self._limits)
        return self._judge
