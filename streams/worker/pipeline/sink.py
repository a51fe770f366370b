"""Adapts the store to the group committer."""

from __future__ import annotations

import gc
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa

import lineage
from lineage import BatchResult, StoreError
from lineage.codec import FLAG_RAISED, Encoder
from lineage.database.positions import TopicIdentity
from lineage.ingest.encode import EncodedBatch
from lineage.judge.outbox import NO_CHANGES
from lineage.store.alert_outbox import AlertOutbox
from lineage.store.backup import Backup
from streams.errors import causes
from streams.serve.readers import Readers
from streams.worker.configuration.settings import WRITER_MEMORY_MIB
from streams.worker.limits import WORKER_LIMITS, WorkerLimits

__all__ = ["StoreSink", "flag_key"]

logger = logging.getLogger(__name__)

Partition = tuple[str, int]
T = TypeVar("T")

# A COMMIT that lacks memory fails with an error of another class than other statements.
_LACK_OF_MEMORY = re.compile(r"Out of Memory|could not allocate|failed to (allocate|pin|offload)")


class StoreSink:
    """A DuckDB store that records batches and hands out the flags to be published.

    readers: those who ask the store meanwhile. They have their memory of the writer's: where that
    does not suffice, they are ended, and what was to be recorded is tried again, once.

    Raises what `lineage.open` and the store raise, from the thread that calls it.
    """

    def __init__(
        self,
        db: str,
        encoder: Encoder,
        memory_mib: int = WRITER_MEMORY_MIB,
        limits: WorkerLimits = WORKER_LIMITS,
    ) -> None:
        self._db = db
        self._flags_max = limits.published_flags_max
        self._memory_mib = memory_mib
        self._store = lineage.open(db, memory_mib=memory_mib)
        if self._store.unfinished is not None:
            logger.warning("%s", self._store.unfinished)
        self.readers = Readers(self._store)
        self._encoder = encoder
        self.retried = 0  # transactions, for lack of memory
        # The flags that are not published yet; None where the store has to be asked, which costs as
        # much as a small batch: at the start, and while they are many.
        self._changes: list[pa.Table] | None = None

    def positions(self) -> dict[Partition, int]:
        """Return (topic, partition) to the offset that comes next."""
        return self._store.positions()

    def hashes(self) -> dict[Partition, str]:
        """Return the SHA-256 (hex) of the record before each position, where it is known."""
        return self._store.hashes()

    def identities(self) -> dict[str, TopicIdentity]:
        """Return the identity of each topic that the positions are of."""
        return self._store.identities()

    def identify(self, identities: Mapping[str, TopicIdentity]) -> None:
        """Keep the identity of topics: from now on their positions are of these."""
        self._with_memory(lambda: self._store.identify(identities))

    def apply(
        self,
        batch: EncodedBatch,
        positions: Mapping[Partition, int],
        hashes: Mapping[Partition, str],
    ) -> BatchResult:
        """Record all in one transaction, or raise."""
        at = datetime.now(UTC)
        applied = self._with_memory(
            lambda: self._store.apply_batch(batch, positions, at=at, hashes=hashes)
        )
        self._hold(applied.flags.held)
        return applied

    def flags(self) -> tuple[int, Sequence[tuple[bytes, bytes]]]:
        """Return what is to be published next: its last number; (key, FlagRaised) pairs.

        They are so many at the most (`WorkerLimits.published_flags_max`). The key is that of the
        flag (`flag_key`): the changes of one flag are in their order, and the last of them is how
        it stands. A change that is published again has its number again.
        """
        if self._changes is None:
            count = self._flags_max
            some = self._with_memory(lambda: self._store.unpublished(count))
            if some.num_rows < count:
                self._changes = [some]
        else:
            some = pa.concat_tables([NO_CHANGES, *self._changes])
        if not some.num_rows:
            return 0, []
        rows = self._with_memory(lambda: self._store.flag_records(some))
        pairs = [(flag_key(row), self._encoder.encode(_json_spelling(row))) for row in rows]
        return int(rows[-1]["seq"]), pairs

    def published(self, number: int) -> bool:
        """Note that all flags up to this number are published; say if there may be others."""
        self._with_memory(lambda: self._store.published(number))
        if self._changes is None:
            return True
        self._changes = [table for table in self._changes if _last_seq(table) > number]
        return bool(self._changes)

    def _hold(self, changes: pa.Table | None) -> None:
        """Hold changes of flags to be published, unless there are too many."""
        if self._changes is None:
            return
        if changes is None:
            self._changes = None
        elif changes.num_rows:
            self._changes.append(changes)
            if sum(table.num_rows for table in self._changes) > self._flags_max:
                self._changes = None

    def with_alerts(self, work: Callable[[AlertOutbox], T]) -> T:
        """Return the result of work on what receivers of alerts are to be told."""
        return self._with_memory(lambda: work(self._store.alert_outbox))

    def backup(self, to: Path) -> Backup:
        """Copy the database as it is now to a file; any thread may."""
        return self._store.backup(to)

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _with_memory(self, work: Callable[[], T]) -> T:
        """Do a transaction; a second time, and alone, where it lacks memory.

        Readers may have had it, or what the database has gathered since it was opened.
        """
        try:
            return work()
        except (StoreError, duckdb.Error) as error:
            lacking = next(
                (str(one) for one in causes(error) if _LACK_OF_MEMORY.search(str(one))), None
            )
            if lacking is None:
                raise
        logger.warning(
            "a transaction lacks memory (%s): all questions are ended, and it is tried again with "
            "the database opened anew",
            lacking,
        )
        self.retried += 1
        with self.readers.held_off():
            # A transaction may have lacked memory even to be rolled back, which leaves a database
            # that does nothing any more, or wrong things. On the disk it is as after a kill.
            self._reopen()
            return work()

    def _reopen(self) -> None:
        """Close the database, which nobody else asks now, and open it as it is on the disk."""
        with suppress(duckdb.Error):
            self._store.close()
        gc.collect()  # what is left of answers, and in cycles, holds the database open
        self._store = lineage.open(self._db, memory_mib=self._memory_mib)
        self.readers.reader = self._store
        # It may have been committed after all: what is to be published is asked of the store.
        self._changes = None


def flag_key(flag: Mapping[str, object]) -> bytes:
    """Return the key of a flag on the topic: the JSON array of rule, message_id and dataset."""
    place = [flag["rule"], flag["message_id"], flag["dataset"]]
    return json.dumps(place, ensure_ascii=False, separators=(",", ":")).encode()


def _last_seq(changes: pa.Table) -> int:
    return int(changes["seq"][-1].as_py()) if changes.num_rows else 0


def _json_spelling(row: Mapping[str, object]) -> dict[str, object]:
    event: dict[str, object] = {"event": FLAG_RAISED.name}
    for name in (field.name for field in FLAG_RAISED.fields):
        value = row[name]
        event[name] = (
            value.isoformat(timespec="microseconds") + "Z" if isinstance(value, datetime) else value
        )
    return event
