"""One batch in one transaction: derives lineage, facts and flags from its events."""

from __future__ import annotations

from datetime import datetime

import duckdb

from lineage.ingest.encode import EncodedBatch
from lineage.judge import flags
from lineage.judge.breaches import breaches
from lineage.judge.consents import Consents
from lineage.judge.invalidate import record
from lineage.judge.outbox import Outbox
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


class Derivation:
    """Derives, batch after batch, in transactions of the caller.

    Between batches the object keeps a cache of the store alone; after a roll-back make another one.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, limits: Limits) -> None:
        self._connection = connection
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
        changes = flags.update(connection, broken, latest.flag)
        recorder.close()

        self._watermarks = latest.after(events, arrivals.new, sum(map(len, changes)))
        more = arrivals.stored - stale.retracted
        told = self._outbox.rows(changes, at, batch, events)
        before, self._unmatched = self._unmatched, count_unmatched(connection)
        unmatched = self._unmatched - before
        return BatchResult(events.events, more, batch.dead_letters, unmatched, told)

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
