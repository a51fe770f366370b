"""How blocks of Avro container files are packed."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

import cramjam

_BYTES_MAX = 256 << 20  # unpacked; a block that would be larger is taken for damaged


class BlockError(Exception):
    """A block can't be unpacked; the text says why."""


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _bounded(new: Callable[[], _Unpacker]) -> Callable[[bytes], bytes]:
    def unpack(data: bytes) -> bytes:
        unpacker = new()
        try:
            out = unpacker.decompress(data, _BYTES_MAX)
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
            raise BlockError("the block can't be unpacked") from None
        if not unpacker.eof:
            raise BlockError("the block can't be unpacked to its end")
        return out

    return unpack


def _snappy(data: bytes) -> bytes:
    packed, checksum = data[:-4], data[-4:]
    try:
        if cramjam.snappy.decompress_raw_len(packed) > _BYTES_MAX:
            raise BlockError("the block is too large")
        out = bytes(cramjam.snappy.decompress_raw(packed))
    except cramjam.DecompressionError:
        raise BlockError("the block can't be unpacked") from None
    if zlib.crc32(out).to_bytes(4, "big") != checksum:
        raise BlockError("the block's checksum is wrong")
    return out


def _zstandard(data: bytes) -> bytes:
    try:
        return bytes(cramjam.zstd.decompress(data))
    except cramjam.DecompressionError:
        raise BlockError("the block can't be unpacked") from None


def _null(data: bytes) -> bytes:
    return data


CODECS: Mapping[str, Callable[[bytes], bytes]] = {
    "null": _null,
    "deflate": _bounded(lambda: zlib.decompressobj(-zlib.MAX_WBITS)),
    "bzip2": _bounded(bz2.BZ2Decompressor),
    "xz": _bounded(lzma.LZMADecompressor),
    "snappy": _snappy,
    "zstandard": _zstandard,
}
