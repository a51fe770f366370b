"""Canonical UUIDs (lower case, with dashes), parsed many at once, as two 64-bit integers each.

The text is read eight characters at a time: a character of hex is a byte of a 64-bit word, so a
few operations on words turn eight characters into digits, and the way back tells whether all
eight were valid (SIMD within a register).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineage.arrays import BoolArray

# (n, 2): the first and the last 64 bits of each.
Uuids = npt.NDArray[np.uint64]
_Words = npt.NDArray[np.uint64]

UUID_BYTES = 16
_TEXT_BYTES = 36
# So many UUIDs at a time stay in the processor's cache.
_CHUNK = 16_384
_DASH = ord("-")
_DASHES = (8, 13, 18, 23)
# Of each group of hex digits: its place in the text, its place among the digits alone, its length.
_GROUPS = ((0, 0, 8), (9, 8, 4), (14, 12, 4), (19, 16, 4), (24, 20, 12))
_DIGITS = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def _each(byte: int) -> np.uint64:
    return np.uint64(int.from_bytes(bytes([byte]) * 8, "little"))


def _bits(count: int) -> np.uint64:
    return np.uint64(count)


def no_uuids() -> Uuids:
    """Return an array of no UUIDs."""
    return np.zeros((0, 2), dtype=np.uint64)


def uuids_of(texts: pa.StringArray) -> tuple[BoolArray, Uuids]:
    """Parse texts (none of them null): which are canonical UUIDs; and these, in their order."""
    if not len(texts):
        return np.zeros(0, dtype=np.bool_), no_uuids()
    buffers: list[Any] = texts.buffers()
    _, offset_buffer, data = buffers
    offsets = np.frombuffer(offset_buffer, dtype=np.int32)[texts.offset :][: len(texts) + 1]
    is_uuid = np.diff(offsets) == _TEXT_BYTES
    characters = np.frombuffer(data if data is not None else b"", dtype=np.uint8)
    if is_uuid.all():
        characters = characters[offsets[0] :]
    else:
        first = offsets[:-1][is_uuid].astype(np.int64)
        characters = characters[first[:, None] + np.arange(_TEXT_BYTES)].ravel()
    found, canonical = _parsed(np.ascontiguousarray(characters), int(is_uuid.sum()))
    if canonical.all():
        return is_uuid, found
    is_uuid[is_uuid] = canonical
    return is_uuid, found[canonical]


def texts_of(uuids: Uuids) -> pa.StringArray:
    """Return the texts of UUIDs."""
    raw = as_bytes(uuids).reshape(-1, UUID_BYTES)
    digits = np.empty((len(raw), 2 * UUID_BYTES), dtype=np.uint8)
    digits[:, 0::2], digits[:, 1::2] = _DIGITS[raw >> 4], _DIGITS[raw & 15]
    text = np.full((len(raw), _TEXT_BYTES), _DASH, dtype=np.uint8)
    for at, digit, count in _GROUPS:
        text[:, at : at + count] = digits[:, digit : digit + count]
    offsets = np.arange(len(raw) + 1, dtype=np.int32) * _TEXT_BYTES
    return pa.StringArray.from_buffers(
        len(raw), pa.py_buffer(offsets.tobytes()), pa.py_buffer(text.tobytes())
    )


def is_v7(uuids: Uuids) -> BoolArray:
    """Say which UUIDs are of version 7, whose first 64 bits begin with the time."""
    found: BoolArray = uuids[:, 0] >> _bits(12) & _bits(15) == _bits(7)
    return found


def as_bytes(uuids: Uuids) -> npt.NDArray[np.uint8]:
    """Return the 16 bytes of each UUID, one after another."""
    return uuids.astype(">u8").view(np.uint8).ravel()


def _parsed(characters: npt.NDArray[np.uint8], count: int) -> tuple[Uuids, BoolArray]:
    """Parse texts of 36 bytes each, one after another: the UUIDs; and which are canonical."""
    found = np.empty((count, 2), dtype=np.uint64)
    canonical = np.empty(count, dtype=np.bool_)
    for first in range(0, count, _CHUNK):
        some = slice(first, min(first + _CHUNK, count))
        found[some], canonical[some] = _chunk(characters, first, some.stop - first)
    return found, canonical


def _chunk(characters: npt.NDArray[np.uint8], first: int, count: int) -> tuple[Uuids, BoolArray]:
    def at(place: int, dtype: str) -> npt.NDArray[Any]:
        offset = first * _TEXT_BYTES + place
        return np.ndarray(count, dtype, characters.data, offset, strides=(_TEXT_BYTES,))

    def four(place: int) -> _Words:
        return at(place, "<u4").astype(np.uint64)

    ok = np.ones(count, dtype=np.bool_)
    for place in _DASHES:
        ok &= at(place, "u1") == _DASH
    words = (
        at(0, "<u8").astype(np.uint64),
        four(9) | four(14) << _bits(32),
        four(19) | four(24) << _bits(32),
        at(28, "<u8").astype(np.uint64),
    )
    parts = [_number(word, ok) for word in words]
    return np.stack(
        (parts[0] << _bits(32) | parts[1], parts[2] << _bits(32) | parts[3]), axis=1
    ), ok


def _number(word: _Words, ok: BoolArray) -> _Words:
    """Parse eight hex digits, the first in the lowest byte; set `ok` to false for others."""
    letter = (word >> _bits(6)) & _each(1)
    digit = (word & _each(0x0F)) + letter * _bits(9)
    is_letter = ((digit + _each(6)) >> _bits(4)) & _each(1)
    text = digit + _each(ord("0")) + is_letter * _bits(ord("a") - ord("0") - 10)
    ok &= (text == word) & (digit & _each(0x10) == 0)
    # Two digits to a byte, two bytes to a pair, two pairs to 32 bits.
    digit = (digit << _bits(4) | digit >> _bits(8)) & np.uint64(0x00FF00FF00FF00FF)
    digit = (digit | digit >> _bits(8)) & np.uint64(0x0000FFFF0000FFFF)
    digit = (digit | digit >> _bits(16)) & np.uint64(0xFFFFFFFF)
    return digit.astype(np.uint32).byteswap().astype(np.uint64)
