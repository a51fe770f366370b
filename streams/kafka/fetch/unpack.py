"""Unpacks what a producer compressed, up to a limit.

A broker looks at the size of a batch as it is packed (`max.message.bytes`). A few MiB can unpack to
many GiB, and a header can tell any length, for which libraries make room at once.
"""

from __future__ import annotations

import gzip
import io
from typing import Any, Final

import cramjam
import numpy as np

__all__ = ["CODECS", "UnpackError", "unpacked"]

CODECS: Final = {1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}
"""The codecs by their numbers in Kafka's protocol."""

_XERIAL: Final = b"\x82SNAPPY\x00"
_XERIAL_HEADER_BYTES: Final = 16


class UnpackError(ValueError):
    """Bytes that can't be unpacked, or not within the limit; the text says which."""


def unpacked(codec: int, packed: bytes, bytes_max: int, room: int = 0) -> memoryview:
    """Return unpacked bytes, after `room` bytes for a header. Raises UnpackError.

    No more memory is taken than for `bytes_max`, and what is packed to less takes less.
    """
    name = CODECS.get(codec)
    if name is None:
        raise UnpackError(f"is packed by a codec with the number {codec}, which Kafka has not")
    if name == "gzip":
        return _gunzipped(packed, bytes_max, room)
    if name == "snappy":
        return _unsnapped(packed, bytes_max, room)
    # Of memory that is asked for, what is never written to is none.
    buffer = _memory(room + bytes_max)
    decompress = cramjam.lz4.decompress_into if name == "lz4" else cramjam.zstd.decompress_into
    try:
        size = decompress(packed, buffer[room:])
    except cramjam.DecompressionError as error:
        # What Rust says where a buffer is full.
        if "write whole buffer" in str(error):
            raise _too_large(bytes_max) from None
        raise _damaged(name) from None
    return memoryview(buffer)[: room + size]


def _gunzipped(packed: bytes, bytes_max: int, room: int) -> memoryview:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            found = file.read(bytes_max + 1)
    except (OSError, EOFError, ValueError):
        raise _damaged("gzip") from None
    except Exception as error:  # zlib.error is a class of its own
        raise _damaged("gzip") from error
    if len(found) > bytes_max:
        raise _too_large(bytes_max)
    return memoryview(bytes(room) + found)


def _unsnapped(packed: bytes, bytes_max: int, room: int) -> memoryview:
    """Unpack one block of snappy, or several as its Java library frames them."""
    blocks = _xerial_blocks(packed) if packed.startswith(_XERIAL) else [packed]
    try:
        sizes = [int(cramjam.snappy.decompress_raw_len(block)) for block in blocks]
        if sum(sizes) > bytes_max:
            raise _too_large(bytes_max)
        buffer = _memory(room + sum(sizes))
        at = room
        for block, size in zip(blocks, sizes, strict=True):
            if cramjam.snappy.decompress_raw_into(block, buffer[at : at + size]) != size:
                raise _damaged("snappy")
            at += size
    except cramjam.DecompressionError:
        raise _damaged("snappy") from None
    return memoryview(buffer)


def _xerial_blocks(packed: bytes) -> list[bytes]:
    blocks, at = [], _XERIAL_HEADER_BYTES
    while at < len(packed):
        size = int.from_bytes(packed[at : at + 4], "big", signed=True)
        block = packed[at + 4 : at + 4 + size] if size > 0 else b""
        if size <= 0 or len(block) < size:
            raise _damaged("snappy")
        blocks.append(block)
        at += 4 + size
    return blocks


def _memory(size: int) -> Any:  # noqa: ANN401 - an array, which typing tells is a buffer from 3.12 on
    return np.empty(size, dtype=np.uint8)


def _too_large(bytes_max: int) -> UnpackError:
    return UnpackError(f"unpacks to more than {bytes_max >> 20:,} MiB")


def _damaged(name: str) -> UnpackError:
    return UnpackError(f"cannot be unpacked as {name}: its bytes are damaged")
