"""Reads and writes DuckDB's binary serialization, as far as quack's messages need it.

An object is a row of fields, each a number of two bytes and a value, and ends with FF FF. Numbers
are LEB128, texts and bytes have their length before them, lists their count. A field with its
default value may be left out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from lineage import QueryError

__all__ = ["END", "FieldReader", "field", "items", "number", "text"]

_FIELD = struct.Struct("<H")
END = b"\xff\xff"
"""The end of an object."""
_NUMBER_BYTES_MAX = 10


def number(value: int) -> bytes:
    """Return a number that is not negative."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def text(value: str | bytes) -> bytes:
    """Return a text, or bytes, after its length."""
    raw = value.encode() if isinstance(value, str) else value
    return number(len(raw)) + raw


def field(tag: int, *parts: bytes) -> bytes:
    """Return a field of an object, whose value is made of the parts."""
    return _FIELD.pack(tag) + b"".join(parts)


def items(values: Iterable[bytes]) -> bytes:
    """Return a list."""
    parts = list(values)
    return number(len(parts)) + b"".join(parts)


class FieldReader:
    """Reads the fields of objects in their order. Raises QueryError for anything else."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, tag: int, default: int | None = None) -> int:
        """Return the number of a field, or the default where the field is not there."""
        return self._number() if self._is_next(tag, default) else default or 0

    def text(self, tag: int, default: str | None = None) -> str:
        """Return the text of a field, or the default where the field is not there."""
        if not self._is_next(tag, default):
            return default or ""
        try:
            return self._take(self._number()).decode()
        except UnicodeDecodeError:
            raise QueryError("the message holds a text that is no UTF-8") from None

    def numbers(self, tag: int, count: int) -> tuple[int, ...]:
        """Return a field of several numbers."""
        self._is_next(tag, None)
        return tuple(self._number() for _ in range(count))

    def end(self) -> None:
        """Read the end of an object."""
        if self._take(len(END)) != END:
            raise QueryError("the message has a field that is not known")

    def finish(self) -> None:
        """Read the end of the last object, after which there is nothing."""
        self.end()
        if self._at != len(self._data):
            raise QueryError("the message is longer than what it says")

    def _is_next(self, tag: int, default: object) -> bool:
        start = self._at
        (found,) = _FIELD.unpack(self._take(_FIELD.size))
        if found == tag:
            return True
        if default is None:
            raise QueryError(f"the message lacks its field {tag}")
        self._at = start
        return False

    def _number(self) -> int:
        value = 0
        for place in range(_NUMBER_BYTES_MAX):
            (byte,) = self._take(1)
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                return value
        raise QueryError("the message holds a number that is too long")

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise QueryError("the message is cut off")
        self._at += size
        return taken
