"""Codecs of the blocks of Avro container files, bounded in how much of a block is unpacked."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

import cramjam
import numpy as np

_XZ_MEMORY_MAX = 128 << 20  # what xz -9 writes takes half of it
_FULL = "failed to write whole buffer"  # what cramjam says where the buffer was too small


class BlockError(Exception):
    """A block can't be unpacked; the text says why."""


class TooLargeError(BlockError):
    """A block would unpack to more than it may."""


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _bounded(new: Callable[[], _Unpacker]) -> Callable[[bytes, int], bytes]:
    def unpack(data: bytes, most: int) -> bytes:
        unpacker = new()
        try:
            # One byte more: what fills it exactly may not have come to its end.
            out = unpacker.decompress(data, most + 1)
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError):
            raise BlockError("the block can't be unpacked") from None
        if len(out) > most:
            raise TooLargeError
        if not unpacker.eof:
            raise BlockError("the block can't be unpacked to its end")
        return out

    return unpack


def _snappy(data: bytes, most: int) -> bytes:
    packed, checksum = data[:-4], data[-4:]
    try:
        if cramjam.snappy.decompress_raw_len(packed) > most:
            raise TooLargeError
        out = bytes(cramjam.snappy.decompress_raw(packed))
    except cramjam.DecompressionError:
        raise BlockError("the block can't be unpacked") from None
    if zlib.crc32(out).to_bytes(4, "big") != checksum:
        raise BlockError("the block's checksum is wrong")
    return out


def _zstandard(data: bytes, most: int) -> bytes:
    # A buffer of a fixed size, whatever its frames claim: only what is used of it is in memory.
    out = np.empty(most + 1, np.uint8)
    try:
        size = cramjam.zstd.decompress_into(data, out.data)
    except cramjam.DecompressionError as error:
        if _FULL in str(error):
            raise TooLargeError from None
        raise BlockError("the block can't be unpacked") from None
    if size > most:
        raise TooLargeError
    return out[:size].tobytes()


def _null(data: bytes, most: int) -> bytes:
    if len(data) > most:
        raise TooLargeError
    return data


# Each unpacks a block to so many bytes at the most; BlockError where it can't.
CODECS: Mapping[str, Callable[[bytes, int], bytes]] = {
    "null": _null,
    "deflate": _bounded(lambda: zlib.decompressobj(-zlib.MAX_WBITS)),
    "bzip2": _bounded(bz2.BZ2Decompressor),
    "xz": _bounded(lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY_MAX)),
    "snappy": _snappy,
    "zstandard": _zstandard,
}
