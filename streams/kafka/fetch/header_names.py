r"""Reads records whose header names are not UTF-8: Kafka's protocol takes any bytes.

aiokafka fails on such a record, and with it the consumer: one record would end every worker that
reads its topic. Here it is read as any other, with \xNN in the name for what is no character.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

__all__ = ["AnyNameRecords", "read_any_header_name"]

# A batch in Kafka's protocol: the offset of its first record, its length, and so many bytes.
_LENGTH_AT, _LENGTH_END = 8, 12


def read_any_header_name() -> None:
    """Let aiokafka's consumers in this process read such records."""
    fetcher.MemoryRecords = AnyNameRecords


class AnyNameRecords:
    """The batches of records that were fetched from a partition, as aiokafka's MemoryRecords."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._records: Any = MemoryRecords(data)
        self._at = 0

    def has_next(self) -> bool:
        """Say whether there is a further whole batch."""
        return bool(self._records.has_next())

    def size_in_bytes(self) -> int:
        """Return the size of all batches together."""
        return int(self._records.size_in_bytes())

    def next_batch(self) -> _Batch:
        """Return the next batch."""
        start = self._at
        length = int.from_bytes(self._data[start + _LENGTH_AT : start + _LENGTH_END], "big")
        self._at = start + _LENGTH_END + length
        return _Batch(self._records.next_batch(), self._data[start : self._at])


class _Batch:
    """A batch of aiokafka's, all of whose records are read at once."""

    def __init__(self, batch: Any, data: memoryview) -> None:  # noqa: ANN401 - of several formats
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a batch has
        return getattr(self._batch, name)

    def __next__(self) -> Any:  # noqa: ANN401 - of several formats
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter([*self._batch])
        except UnicodeDecodeError:
            return iter(_AnyNameBatch(bytearray(self._data)))


class _AnyNameBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # it is final, for a C twin
    """A batch that is read in Python, which is slow, and only where it is needed."""

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        unpacked: bytearray = self._buffer
        self._buffer: bytearray = _AnyText(unpacked)


class _AnyText(bytearray):
    """Bytes that are decoded whatever they are, and whose slices are, too."""

    def __getitem__(self, at: Any) -> Any:  # noqa: ANN401 - an index or a slice
        found = super().__getitem__(at)
        return _AnyText(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        """Return the text, with what is no character spelled out."""
        return bytes(self).decode(encoding, errors)
