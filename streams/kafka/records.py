"""Records of Kafka, fetched together or to be sent; without Faust, for the decoder's process."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

__all__ = ["OutgoingRecord", "Records"]


@dataclass(frozen=True)
class Records:
    """Records of one partition, in order; `offsets` ascend but may have gaps.

    offsets and values (None: a tombstone) have one entry for each record. timestamp: what Kafka
    has for the first of those that were fetched together, in milliseconds since 1970.
    """

    topic: str
    partition: int
    offsets: Sequence[int]
    values: Sequence[bytes | None] = field(repr=False)
    timestamp: int | None = None

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def next_offset(self) -> int:
        """The offset from which to read on."""
        return self.offsets[-1] + 1

    def since(self, offset: int) -> Records | None:
        """Return the records from an offset on, None if there are none."""
        first = bisect_left(self.offsets, offset)
        if first == len(self.offsets):
            return None
        return replace(self, offsets=self.offsets[first:], values=self.values[first:])

    def value_at(self, offset: int) -> bytes | None:
        """Return the value of the record at an offset, None if it has none or is not here."""
        index = bisect_left(self.offsets, offset)
        found = index < len(self.offsets) and self.offsets[index] == offset
        return self.values[index] if found else None


class OutgoingRecord(NamedTuple):
    """A record to be sent. One without a value must have a key. headers: names and UTF-8 text."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
