"""Records of Kafka, fetched together or to be sent; without Faust, for the decoder's process."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from lineage.codec import DeadLetter

__all__ = [
    "Header",
    "OriginalRecord",
    "OutgoingRecord",
    "Place",
    "Records",
    "RefusedBatch",
    "originals_at",
]

Place = tuple[str, int, int]
"""Topic, partition and offset of a record."""
Header = tuple[str, bytes | None]


class OriginalRecord(Protocol):
    """A record as a client of Kafka gives it."""

    @property
    def key(self) -> bytes | None:
        """Return the key, None if it has none."""

    @property
    def value(self) -> bytes | None:
        """Return the value, None for a tombstone."""

    @property
    def headers(self) -> Sequence[Header]:
        """Return the headers in their order; a name can come several times."""

    @property
    def timestamp(self) -> int | None:
        """Return the time that Kafka has for it, in milliseconds since 1970."""


@dataclass(frozen=True)
class RefusedBatch:
    """A batch whose records are not read; it stands for them where its last one would be.

    first, offset: of its records. reason: what is wrong with it. sha256: of its bytes as they came,
    in hex. timestamp: of the last of its records, in milliseconds since 1970.
    """

    first: int
    offset: int
    reason: str
    sha256: str
    timestamp: int | None = None
    timestamp_type: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[Header] = ()


@dataclass(frozen=True)
class Records:
    """Records of one partition, in order; `offsets` ascend but may have gaps.

    offsets and values (None: a tombstone) have one entry for each record. timestamp: what Kafka
    has for the first of those that were fetched together, in milliseconds since 1970. originals:
    the records whole, with key and headers, or none at all: they are looked at only where one of
    them becomes a dead letter, and go to no other process. refused: the batches among them that are
    not read: each has an entry without a value.
    """

    topic: str
    partition: int
    offsets: Sequence[int]
    values: Sequence[bytes | None] = field(repr=False)
    timestamp: int | None = None
    originals: Sequence[OriginalRecord] = field(default=(), repr=False, compare=False)
    refused: Sequence[RefusedBatch] = ()

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def next_offset(self) -> int:
        """The offset from which to read on."""
        return self.offsets[-1] + 1

    @property
    def latest(self) -> int | None:
        """Return the time of the last record, else of the first that was fetched with it."""
        return self.originals[-1].timestamp if self.originals else self.timestamp

    def since(self, offset: int) -> Records | None:
        """Return the records from an offset on, None if there are none."""
        first = bisect_left(self.offsets, offset)
        if first == len(self.offsets):
            return None
        return replace(
            self,
            offsets=self.offsets[first:],
            values=self.values[first:],
            originals=self.originals[first:],
            refused=[one for one in self.refused if one.offset >= offset],
        )

    def read(self) -> Records | None:
        """Return the records that were read, without what stands for others; None if none was."""
        if not self.refused:
            return self
        refused = {one.offset for one in self.refused}
        places = [place for place, at in enumerate(self.offsets) if at not in refused]
        if not places:
            return None
        return replace(
            self,
            offsets=[self.offsets[place] for place in places],
            values=[self.values[place] for place in places],
            originals=[self.originals[place] for place in places] if self.originals else (),
            refused=(),
        )

    def refusals(self) -> list[DeadLetter]:
        """Return a dead letter for each batch that was not read."""
        return [
            DeadLetter(self.topic, self.partition, one.first, one.reason, one.sha256)
            for one in self.refused
        ]

    def without_originals(self) -> Records:
        """Return the same without keys and headers, for another process."""
        return replace(self, originals=())

    def value_at(self, offset: int) -> bytes | None:
        """Return the value of the record at an offset, None if it has none or is not here."""
        index = self._index_of(offset)
        return None if index is None else self.values[index]

    def original_at(self, offset: int) -> OriginalRecord | None:
        """Return the record at an offset as it came, None if it is not here."""
        index = self._index_of(offset)
        return None if index is None or not self.originals else self.originals[index]

    def _index_of(self, offset: int) -> int | None:
        index = bisect_left(self.offsets, offset)
        return index if index < len(self.offsets) and self.offsets[index] == offset else None


def originals_at(lists: Iterable[Records], places: Iterable[Place]) -> dict[Place, OriginalRecord]:
    """Return the records at some places as they came; places that are in no list are left out."""
    partitions: dict[tuple[str, int], list[Records]] = {}
    for one in lists:
        partitions.setdefault((one.topic, one.partition), []).append(one)
    found: dict[Place, OriginalRecord] = {}
    for topic, partition, offset in places:
        for records in partitions.get((topic, partition), ()):
            original = records.original_at(offset)
            if original is not None:
                found[topic, partition, offset] = original
                break
    return found


class OutgoingRecord(NamedTuple):
    """A record to be sent. One without a value must have a key."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()
