"""Reads the lines of a file in blocks, packed or not; broken parts become dead letters."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from lineage.codec.batch import DeadLetter
from lineage.codec.contract.limits import (
    READ_LIMITS,
    ReadLimits,
    mib,
)
from lineage.codec.errors import LogError
from lineage.codec.source_names import source_name

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
BOM = b"\xef\xbb\xbf"
_NEWLINE = ord("\n")
_READ_BYTES = 1 << 20
_ZSTD_READ_BYTES = (_READ_BYTES, 1 << 14, 1 << 7, 1)
# No event is so short. Lines that are so short are handled many at a time.
_SHORT_BYTES = 64
_SHORT_LINES_MIN = 1000  # of about a MiB

_BROKEN = "the packed data ends early or is damaged here; lines from here on are lost"

Lines = tuple[int, list[bytes]]

Progress = Callable[[int], None]


class _BrokenError(Exception):
    """The packed data can't be read on; the text says why."""


def blocks_of_lines(
    path: Path, read: Progress, limits: ReadLimits = READ_LIMITS, *, kept: bool
) -> Iterator[Lines | DeadLetter]:
    """Yield blocks of whole lines, each with the number of its first line, from 1.

    A line above the limit is a dead letter without its bytes. Where very many lines are too
    short to be events, those that follow each other are one dead letter, and blank ones left out.
    Where packed data is broken, all lines before come first, then a dead letter for the rest.
    read: called with the bytes of the file that were read since the last call.
    kept: whether dead letters have their bytes. LogError where the file can't be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(ZSTD_MAGIC))
            file.seek(0)
            if start.startswith(GZIP_MAGIC):
                pieces = _unpacked(file, read, limits)
            elif start == ZSTD_MAGIC:
                pieces = _unpacked_zstd(path, read, limits)
            else:
                pieces = _pieces(file, read)
            yield from _lines(source_name(path), pieces, limits.line, kept=kept)
    except OSError as error:
        raise LogError(f"{source_name(path)} can't be read: {error.strerror or error}") from error


def _lines(
    source: str, pieces: Iterator[bytes], line_max: int, *, kept: bool
) -> Iterator[Lines | DeadLetter]:
    position = 1
    open_line: list[bytes] = []  # joined once: a line can span many pieces
    broken = ""
    pieces = _without_bom(pieces)
    while True:
        try:
            piece = next(pieces, None)
        except _BrokenError as error:
            broken, piece = str(error), None
        if piece is None:
            break
        if piece.isspace() and b"\n" in piece:
            first, _, rest = piece.partition(b"\n")
            yield position, [b"".join([*open_line, first])]
            open_line = [rest.rpartition(b"\n")[2]]
            position += piece.count(b"\n")
            continue
        first, *others = piece.split(b"\n")
        open_line.append(first)
        if others:
            yield position, [b"".join(open_line)]
            if len(others) > max(_SHORT_LINES_MIN, len(piece) // _SHORT_BYTES):
                whole = piece[len(first) + 1 : len(piece) - len(others[-1]) - 1]
                yield from _of_short_lines(source, position + 1, whole, kept=kept)
            elif len(others) > 1:
                yield position + 1, others[:-1]
            open_line = [others[-1]]
            position += len(others)
        elif sum(map(len, open_line)) > line_max:
            letter, rest = _too_long(source, position, open_line, pieces, line_max)
            yield letter
            position += 1
            open_line = []
            pieces = chain([rest], pieces)
    rest = b"".join(open_line)
    if broken:
        yield DeadLetter.of(source, 0, position, broken, rest, kept=kept)
    elif rest:
        yield position, [rest]


def _without_bom(pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = next(pieces, b"")
    if first:
        yield first.removeprefix(BOM)
    yield from pieces


def _of_short_lines(
    source: str, position: int, whole: bytes, *, kept: bool
) -> Iterator[Lines | DeadLetter]:
    """Yield the lines in some bytes, of which the first is the one at a position."""
    if not whole or whole.isspace():
        return
    ends = np.append(np.flatnonzero(np.frombuffer(whole, np.uint8) == _NEWLINE), len(whole))
    starts = np.append(0, ends[:-1] + 1)
    short = ends - starts < _SHORT_BYTES
    # Runs of lines that are all short, or all not.
    runs = np.append(np.flatnonzero(np.diff(short, prepend=~short[:1])), len(short))
    for first, behind in zip(runs[:-1].tolist(), runs[1:].tolist(), strict=True):
        part = whole[starts[first] : ends[behind - 1]]
        if not short[first] or behind == first + 1:
            yield position + first, part.split(b"\n")
        elif part and not part.isspace():
            reason = (
                f"lines {position + first:,} to {position + behind - 1:,} are no events: each has "
                f"less than {_SHORT_BYTES} bytes; where lines are so short, they are told together"
            )
            yield DeadLetter.of(source, 0, position + first, reason, part, kept=kept)


def _too_long(
    source: str, position: int, start: list[bytes], pieces: Iterator[bytes], line_max: int
) -> tuple[DeadLetter, bytes]:
    """Read past the end of a line that is too long; return its dead letter and the bytes after."""
    digest = hashlib.sha256()
    for part in start:
        digest.update(part)
    rest = b""
    reason = f"the line has more than {mib(line_max)}; split a large hop into several"
    try:
        for piece in pieces:
            end, newline, rest = piece.partition(b"\n")
            digest.update(end)
            if newline:
                break
    except _BrokenError as error:
        reason += f", and {error}"
    return DeadLetter(source, 0, position, reason, digest.hexdigest()), rest


def _pieces(file: BinaryIO, read: Progress) -> Iterator[bytes]:
    try:
        while piece := file.read(_READ_BYTES):
            read(len(piece))
            yield piece
    except OSError as error:
        raise _BrokenError(
            f"the file can't be read on here: {error.strerror}; lines from here on are lost"
        ) from None


def _unpacked(file: BinaryIO, read: Progress, limits: ReadLimits) -> Iterator[bytes]:
    """Yield the unpacked bytes of a gzip file, up to the damage, if there is any.

    The gzip module would throw away the bytes unpacked before it found the damage.
    """
    unpacker, begun = zlib.decompressobj(16 + zlib.MAX_WBITS), False
    left = limits.unpacked_free
    for packed in _pieces(file, read):
        rest = packed
        left += limits.unpacked_ratio * len(packed)
        while rest:
            begun = True
            try:
                piece = unpacker.decompress(rest, _READ_BYTES)
            except zlib.error:
                raise _BrokenError(_BROKEN) from None
            if piece:
                left -= 0 if piece.isspace() else len(piece)
                if left < 0:
                    raise _BrokenError(_too_large(limits))
                yield piece
            rest = unpacker.unconsumed_tail
            if unpacker.eof:
                # Files can be several gzip members one after another, and end in zeros.
                rest = unpacker.unused_data.lstrip(b"\0")
                unpacker, begun = zlib.decompressobj(16 + zlib.MAX_WBITS), False
    if begun:
        raise _BrokenError(_BROKEN)


def _unpacked_zstd(path: Path, read: Progress, limits: ReadLimits) -> Iterator[bytes]:
    """Yield the unpacked bytes of a Zstandard file, up to the damage, if there is any."""
    done = told = 0
    # Of a read that fails nothing is there, so what is before the damage is read again, in smaller
    # and smaller pieces.
    for size in _ZSTD_READ_BYTES:
        with (
            path.open("rb") as file,
            pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd") as stream,
            suppress(OSError),
        ):
            _skip(stream, done)
            while piece := stream.read(size):
                packed = file.tell()
                read(max(0, packed - told))
                told = max(packed, told)
                done += len(piece)
                # Blank lines, too: a byte can stand for thousands of them.
                if done > limits.unpacked_free + limits.unpacked_ratio * packed:
                    raise _BrokenError(_too_large(limits))
                yield piece
            return
    raise _BrokenError(_BROKEN)


def _skip(stream: pa.NativeFile, count: int) -> None:
    while count:
        count -= len(stream.read(min(count, _READ_BYTES)))


def _too_large(limits: ReadLimits) -> str:
    return (
        f"the packed data unpacks to more than {limits.unpacked_ratio} times its bytes and "
        f"{mib(limits.unpacked_free)} here; lines from here on are not read; unpack the file first"
    )
