r"""Reads records whose header names are not UTF-8: Kafka's protocol takes any bytes.

aiokafka fails on such a record, and with it the consumer: one record would end every worker that
reads its topic. Here it is read as any other, with \xNN in the name for what is no character.
"""

from __future__ import annotations

from typing import Any

from aiokafka.record.default_records import _DefaultRecordBatchPy

__all__ = ["AnyNameBatch"]


class AnyNameBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # it is final, for a C twin
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
