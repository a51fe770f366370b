"""The store: a lineage database, its writer and its reader in one object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from lineage.audit.digest.fingerprints import fingerprints
from lineage.codec import Batch, from_events
from lineage.codec import LogError as CodecLogError
from lineage.codec.json.python_events import in_json_spelling
from lineage.database.connection import MEMORY_MIB
from lineage.database.positions import Hashes, Positions, TopicIdentity
from lineage.errors import EventError, LogError, StoreError
from lineage.ingest.encode import EncodedBatch, encode
from lineage.ingest.replay import encoded_batches
from lineage.limits import DEFAULT_LIMITS, Limits
from lineage.store.alert_outbox import AlertOutbox
from lineage.store.batch_result import BatchResult
from lineage.store.reader import Reader
from lineage.store.writer import Writer


@dataclass(frozen=True)
class Replayed:
    """The counts of a replay: new events and arrivals, dead letters, flags raised and cleared."""

    events: int = 0
    arrivals: int = 0
    dead_letters: int = 0
    raised: int = 0
    cleared: int = 0


class Store(Reader):
    """A lineage database: a Reader, and, unless it was opened read-only, a Writer.

    One thread at a time may apply; any thread may query meanwhile.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        read_only: bool = False,
        memory_mib: int = MEMORY_MIB,
        threads: int | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        super().__init__(
            path, read_only=read_only, memory_mib=memory_mib, threads=threads, limits=limits
        )
        self._writer = None if read_only else Writer(self._connection, path, limits)

    def apply(
        self,
        events: Iterable[Mapping[str, object]],
        at: datetime | None = None,
        *,
        strict: bool = False,
    ) -> BatchResult:
        """Apply events, dicts in the JSON spelling, as one batch in one transaction.

        `inputs` and `outputs` may be sets, tuples or other iterables, and `outputs` left out.
        An event that breaks the contract becomes a dead letter, known by its index in `events`;
        with `strict`, nothing is applied and EventError says what is wrong with the first. `at`:
        when, for the columns that tell when the tracker acted; they are null without it.
        """
        given = [in_json_spelling(event) for event in events]
        batch = encode(from_events(given))
        if strict and batch.dead_letters:
            first = min(batch.dead_letters, key=lambda letter: letter.position)
            raise EventError(
                f"{len(batch.dead_letters):,} of {len(given):,} events break the contract, and "
                f"nothing was applied; event {first.position}: {first.reason}"
            )
        return self.apply_batch(batch, at=at)

    def apply_batch(
        self,
        batch: Batch | EncodedBatch,
        positions: Positions | None = None,
        at: datetime | None = None,
        hashes: Hashes | None = None,
    ) -> BatchResult:
        """Apply a decoded batch and record `positions`, (topic, partition) to next offset.

        hashes: the SHA-256 (hex) of the value of the record before each position, if known.
        An encoded batch (`encode`) is applied faster, and can be made in another thread.
        """
        encoded = batch if isinstance(batch, EncodedBatch) else encode(batch)
        return self._writing.apply(encoded, positions or {}, hashes or {}, _naive(at))

    def replay(
        self,
        *paths: str | Path,
        batch_events: int | None = None,
        progress: Callable[[int], None] | None = None,
        at: datetime | None = None,
    ) -> Replayed:
        """Apply the event logs at `paths`, `batch_events` (None: the store's limit) at a time.

        progress: called with the number of bytes read since its last call. A large log is
        decoded in a second process. Raises LogError for a path that is no event log.
        """
        total = Replayed()
        some = batch_events or self._limits.batch_events
        try:
            for encoded in encoded_batches(paths, some, progress, self._limits):
                applied = self.apply_batch(encoded, at=at)
                total = replace(
                    total,
                    events=total.events + applied.events,
                    arrivals=total.arrivals + applied.arrivals,
                    dead_letters=total.dead_letters + len(applied.dead_letters),
                    raised=total.raised + applied.count_of("RAISED"),
                    cleared=total.cleared + applied.count_of("CLEARED"),
                )
        except CodecLogError as error:
            raise LogError(str(error)) from error
        return total

    def identify(self, identities: Mapping[str, TopicIdentity]) -> None:
        """Record the identity of topics: from now on positions are of these topics."""
        self._writing.identify(identities)

    def unpublished(self, count: int | None = None) -> pa.Table:
        """Return the changes of flags not known to have been published, in order of seq.

        They are as `flag_changes` of a BatchResult. count: the first so many; None for all.
        """
        return self._writing.unpublished(count)

    def flag_records(self, changes: pa.Table) -> list[dict[str, Any]]:
        """Return changes of flags (`unpublished`, `flag_changes`) as the flag topic has them.

        The keys are the fields of FlagRaised; instants are naive UTC.
        """
        return self._writing.flag_records(changes)

    def published(self, seq: int) -> None:
        """Record that all changes of flags up to `seq` have been published."""
        self._writing.published(seq)

    @property
    def alert_outbox(self) -> AlertOutbox:
        """Return what receivers of alerts are to be told; its methods write."""
        return AlertOutbox(self._writing)

    def note_digest(self, at: datetime | None = None) -> str:
        """Note the digest, with what tells which table was changed since; return it."""
        with self._damage_told():
            found = fingerprints(self._cursor())
        value = self.digest()
        self._writing.note_digest(value, found, _naive(at))
        return value

    def _paused(self) -> AbstractContextManager[None]:
        return nullcontext() if self._writer is None else self._writer.paused()

    @property
    def _writing(self) -> Writer:
        if self._writer is None:
            raise StoreError(f"{self._path} was opened read-only; open it without read_only")
        return self._writer


def _naive(at: datetime | None) -> datetime | None:
    """Return `at` as naive UTC."""
    if at is None or at.tzinfo is None:
        return at
    return at.astimezone(UTC).replace(tzinfo=None)
