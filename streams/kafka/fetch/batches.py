"""Reads the batches that a fetch brought, within limits, whatever is in them.

aiokafka unpacks a batch whatever it comes to, and fails on a damaged one, on which the worker would
end at every start. Here a batch that is too large, or damaged, is a `RefusedBatch` among the
records, which becomes a dead letter, and what comes after it is read.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from functools import partial
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords

from streams.kafka.fetch.header_names import AnyNameBatch
from streams.kafka.fetch.unpack import UnpackError, unpacked
from streams.kafka.limits import KAFKA_LIMITS, KafkaLimits
from streams.kafka.records import RefusedBatch

__all__ = ["BoundedRecords", "bound_batches"]

# A batch in Kafka's protocol: the offset of its first record, its length, and so many bytes.
_LENGTH_AT, _LENGTH_END = 8, 12
_MAGIC_AT, _ATTRIBUTES_AT, _COUNT_AT, _HEADER_BYTES = 16, 21, 57, 61
_CODEC_BITS = 0b111
# In the older formats a batch is a message whose value is packed.
_OLD_ATTRIBUTES_AT, _OLD_KEY_AT = 17, 18


def bound_batches(limits: KafkaLimits = KAFKA_LIMITS) -> None:
    """Let aiokafka's consumers in this process read batches within limits."""
    fetcher.MemoryRecords = partial(BoundedRecords, limits=limits)


class BoundedRecords:
    """The batches of records that were fetched from a partition, as aiokafka's MemoryRecords."""

    def __init__(self, data: bytes, limits: KafkaLimits = KAFKA_LIMITS) -> None:
        self._data = memoryview(data)
        self._records: Any = MemoryRecords(data)
        self._limits = limits
        self._at = 0
        self._bytes = self._count = 0

    def has_next(self) -> bool:
        """Say whether there is a further whole batch, to be read together with those before.

        Where these came to much, the others are fetched again.
        """
        limits = self._limits
        much = self._bytes > limits.fetched_bytes_max or self._count > limits.fetched_records_max
        return not much and bool(self._records.has_next())

    def size_in_bytes(self) -> int:
        """Return the size of all batches together."""
        return int(self._records.size_in_bytes())

    def next_batch(self) -> _Batch:
        """Return the next batch."""
        start = self._at
        length = int.from_bytes(self._data[start + _LENGTH_AT : start + _LENGTH_END], "big")
        self._at = start + _LENGTH_END + length
        batch = self._records.next_batch()
        return _Batch(batch, self._data[start : self._at], self._limits, self._take)

    def _take(self, count: int, size: int) -> None:
        self._count += count
        self._bytes += size


class _Batch:
    """A batch of aiokafka's, all of whose records are read at once."""

    def __init__(
        self,
        batch: Any,  # noqa: ANN401 - of several formats
        data: memoryview,
        limits: KafkaLimits,
        take: Any,  # noqa: ANN401 - a method
    ) -> None:
        self._batch = batch
        self._data = data
        self._limits = limits
        self._take = take

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a batch has
        return getattr(self._batch, name)

    def __next__(self) -> Any:  # noqa: ANN401 - of several formats
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(self._read())
        except UnpackError as error:
            return iter([self._refused(str(error))])

    def _read(self) -> list[Any]:
        if self._data[_MAGIC_AT] < 2:
            self._check_old()
            records = [*self._batch]
            self._take(len(records), len(self._data))
            return records
        count = int.from_bytes(self._data[_COUNT_AT:_HEADER_BYTES], "big", signed=True)
        if count > self._limits.batch_records_max:
            raise UnpackError(
                f"has {count:,} records, and at most {self._limits.batch_records_max:,} are read"
            )
        plain = self._plain()
        self._take(count, len(plain))
        try:
            try:
                return [*DefaultRecordBatch(plain)]
            except UnicodeDecodeError:
                return [*AnyNameBatch(bytearray(plain))]
        except (ValueError, IndexError, struct.error) as error:
            raise UnpackError("holds no records: its bytes are damaged") from error

    def _plain(self) -> memoryview:
        """Return the batch with its records as they are before they are packed."""
        attributes = int.from_bytes(self._data[_ATTRIBUTES_AT : _ATTRIBUTES_AT + 2], "big")
        if not attributes & _CODEC_BITS:
            return self._data
        packed = bytes(self._data[_HEADER_BYTES:])
        most = self._limits.unpacked_bytes_max
        plain = bytearray(unpacked(attributes & _CODEC_BITS, packed, most, _HEADER_BYTES))
        plain[:_HEADER_BYTES] = self._data[:_HEADER_BYTES]
        struct.pack_into(">i", plain, _LENGTH_AT, len(plain) - _LENGTH_END)
        struct.pack_into(">H", plain, _ATTRIBUTES_AT, attributes & ~_CODEC_BITS)
        return memoryview(plain)

    def _check_old(self) -> None:
        """Raise UnpackError for a batch of an older format that is not to be unpacked."""
        data = self._data
        codec = data[_OLD_ATTRIBUTES_AT] & _CODEC_BITS
        if not codec:
            return
        at = _OLD_KEY_AT + 8 * data[_MAGIC_AT]  # the time, in the second of these formats
        at += 4 + max(0, struct.unpack_from(">i", data, at)[0]) + 4
        unpacked(codec, bytes(data[at:]), self._limits.unpacked_bytes_max)

    def _refused(self, reason: str) -> RefusedBatch:
        data, last = self._data, int(self._batch.next_offset) - 1
        first = int(self._batch.base_offset) if data[_MAGIC_AT] >= 2 else last
        told = (
            f"a batch of {len(data):,} bytes, offsets {first} to {last}, {reason}; nothing of it is"
            " read, so let the producer make smaller batches (batch.size) and send it again"
        )
        sha256 = hashlib.sha256(data).hexdigest()
        timestamp = getattr(self._batch, "max_timestamp", None)
        return RefusedBatch(first, last, told, sha256, timestamp)
