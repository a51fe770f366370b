"""Walks over a large Avro datum without building what is in it, and counts its values.

The library builds a list for each array, or reads each item to throw it away: where 40 MiB are an
array of empty strings, that takes half a GiB and half a minute. This stops where it is too many.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from typing import Any

Avro = Any  # a parsed schema: str, list or dict, as JSON has it

_FIXED = {"null": 0, "boolean": 1, "float": 4, "double": 8}


class TooManyValuesError(Exception):
    """A datum has more items in its arrays and maps than it may."""


class Skip:
    """Walks over datums. schema: as fastavro parsed it. named: its types by their full names."""

    def __init__(self, schema: Avro, named: Mapping[str, Avro]) -> None:
        self._schema, self._named = schema, named

    def end_of(self, data: bytes, at: int, most: int) -> int:
        """Return where the datum that begins at a place ends.

        Raises IndexError where none does, and TooManyValuesError where it has more items than
        `most`.
        """
        self._left = most
        end = self._over(self._schema, data, at)
        if end > len(data):
            raise IndexError
        return end

    def _over(self, avro: Avro, data: bytes, at: int) -> int:
        if isinstance(avro, list):
            branch, at = long_at(data, at)
            if not 0 <= branch < len(avro):
                raise IndexError
            return self._over(avro[branch], data, at)
        if isinstance(avro, str) and avro in self._named:
            avro = self._named[avro]
        kind = avro["type"] if isinstance(avro, dict) else avro
        if kind in _FIXED:
            return at + _FIXED[kind]
        match kind:
            case "int" | "long" | "enum":
                return long_at(data, at)[1]
            case "string" | "bytes":
                return _over_string(data, at)
            case "fixed":
                return at + int(avro["size"])
            case "array" | "map":
                return self._over_blocks(avro, kind == "map", data, at)
        for field in avro["fields"]:
            at = self._over(field["type"], data, at)
        return at

    def _over_blocks(self, avro: Avro, is_map: bool, data: bytes, at: int) -> int:
        items = avro["values" if is_map else "items"]
        while True:
            count, at = long_at(data, at)
            if count == 0:
                return at
            if count < 0:
                count = -count
                _, at = long_at(data, at)
            self._left -= count
            if self._left < 0:
                raise TooManyValuesError
            for _ in range(count):
                if is_map:
                    at = _over_string(data, at)
                at = _over_string(data, at) if items == "string" else self._over(items, data, at)


def _over_string(data: bytes, at: int) -> int:
    byte = data[at]
    if byte < 0x80:
        size, at = byte >> 1, at + 1
        negative = byte & 1
    else:
        size, at = long_at(data, at)
        negative = size < 0
    if negative:
        raise IndexError
    return at + size


def long_at(data: bytes | mmap.mmap, at: int) -> tuple[int, int]:
    """Return the Avro long at a place, and where it ends. Raises IndexError where there is none."""
    number = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at
    raise IndexError
