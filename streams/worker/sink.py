"""Adapts the store to the group committer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pyarrow as pa

import lineage
from lineage import BatchResult
from lineage.codec import FLAG_RAISED, Encoder
from lineage.database.positions import TopicIdentity
from lineage.ingest.encode import EncodedBatch
from streams.worker.settings import WRITER_MEMORY_MIB

__all__ = ["StoreSink", "flag_key"]

Partition = tuple[str, int]


class StoreSink:
    """A DuckDB store that records batches and hands out the flags to be published.

    Raises what `lineage.open` and the store raise, from the thread that calls it.
    """

    def __init__(self, db: str, encoder: Encoder, memory_mib: int = WRITER_MEMORY_MIB) -> None:
        self._store = lineage.open(db, memory_mib=memory_mib)
        self._encoder = encoder
        # The flags that are not published yet; None until the store has been asked, which costs as
        # much as a small batch.
        self._changes: list[pa.Table] | None = None

    def positions(self) -> dict[Partition, int]:
        """Return (topic, partition) to the offset that comes next."""
        return self._store.positions()

    def identities(self) -> dict[str, TopicIdentity]:
        """Return the identity of each topic that the positions are of."""
        return self._store.identities()

    def identify(self, identities: Mapping[str, TopicIdentity]) -> None:
        """Keep the identity of topics: from now on their positions are of these."""
        self._store.identify(identities)

    def apply(self, batch: EncodedBatch, positions: Mapping[Partition, int]) -> BatchResult:
        """Record both in one transaction, or raise."""
        applied = self._store.apply_batch(batch, positions, at=datetime.now(UTC))
        if self._changes is not None and applied.flag_changes.num_rows:
            self._changes.append(applied.flag_changes)
        return applied

    def flags(self) -> tuple[int, Sequence[tuple[bytes, bytes]]]:
        """Return what is not published yet: its last number; (key, FlagRaised) pairs.

        The key is that of the flag (`flag_key`): the changes of one flag are in their order, and
        the last of them is how it stands. A change that is published again has its number again.
        """
        if self._changes is None:
            self._changes = [self._store.unpublished()]
        changes = pa.concat_tables(self._changes) if self._changes else None
        if changes is None or not changes.num_rows:
            return 0, []
        rows = self._store.flag_records(changes)
        pairs = [(flag_key(row), self._encoder.encode(_json_spelling(row))) for row in rows]
        return int(rows[-1]["seq"]), pairs

    def published(self, number: int) -> None:
        """Note that all flags up to this number are published."""
        self._store.published(number)
        changes = self._changes or []
        self._changes = [table for table in changes if _last_seq(table) > number]

    def close(self) -> None:
        """Close the store."""
        self._store.close()


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
