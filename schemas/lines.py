"""The lines of a .jsonl or .jsonl.gz file, in blocks, with what is broken told apart."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from schemas.batch import DeadLetter
from schemas.errors import LogError

GZIP_MAGIC = b"\x1f\x8b"
LINE_BYTES_MAX = 64 << 20  # a hop of a million records still fits
_READ_BYTES = 1 << 20

_BROKEN = "the packed data ends early or is damaged here; lines from here on are lost"

Progress = Callable[[int], None]


class _BrokenError(Exception):
    """The packed data ends early or is damaged."""


def blocks_of_lines(path: Path, read: Progress) -> Iterator[tuple[int, list[bytes]] | DeadLetter]:
    """Blocks of whole lines, each with the number of its first line, from 1.

    A line above LINE_BYTES_MAX is a dead letter without its bytes. Where packed data is broken,
    all that came before is given, then a dead letter for the rest. read: called with the bytes
    of the file that were read since the last call. LogError where the file can't be read.
    """
    try:
        with path.open("rb") as file:
            packed = path.suffix == ".gz"
            yield from _lines(str(path), _unpacked(file, read) if packed else _plain(file, read))
    except OSError as error:
        raise LogError(f"{path} can't be read: {error.strerror or error}") from error


def _lines(source: str, pieces: Iterator[bytes]) -> Iterator[tuple[int, list[bytes]] | DeadLetter]:
    position = 1
    open_line: list[bytes] = []  # joined once: a line can span many pieces
    broken = False
    while True:
        try:
            piece = next(pieces, None)
        except _BrokenError:
            broken, piece = True, None
        if piece is None:
            break
        first, *others = piece.split(b"\n")
        open_line.append(first)
        if others:
            lines = [b"".join(open_line), *others[:-1]]
            open_line = [others[-1]]
            yield position, lines
            position += len(lines)
        elif sum(map(len, open_line)) > LINE_BYTES_MAX:
            letter, rest = _too_long(source, position, open_line, pieces)
            yield letter
            position += 1
            open_line = []
            pieces = chain([rest], pieces)
    rest = b"".join(open_line)
    if broken:
        yield DeadLetter.of(source, 0, position, _BROKEN, rest)
    elif rest:
        yield position, [rest]


def _too_long(
    source: str, position: int, start: list[bytes], pieces: Iterator[bytes]
) -> tuple[DeadLetter, bytes]:
    """Reads over a line that is too long; what comes after it is given back, too."""
    digest = hashlib.sha256()
    for part in start:
        digest.update(part)
    rest = b""
    reason = f"the line has more than {LINE_BYTES_MAX >> 20} MiB"
    try:
        for piece in pieces:
            end, newline, rest = piece.partition(b"\n")
            digest.update(end)
            if newline:
                break
    except _BrokenError:
        reason += f", and {_BROKEN}"
    return DeadLetter(source, 0, position, reason, digest.hexdigest()), rest


def _plain(file: BinaryIO, read: Progress) -> Iterator[bytes]:
    while piece := file.read(_READ_BYTES):
        read(len(piece))
        yield piece


def _unpacked(file: BinaryIO, read: Progress) -> Iterator[bytes]:
    """The gzip module would throw away what it unpacked before it found the damage."""
    unpacker, begun = zlib.decompressobj(16 + zlib.MAX_WBITS), False
    for packed in _plain(file, read):
        rest = packed
        while rest:
            begun = True
            try:
                piece = unpacker.decompress(rest, _READ_BYTES)
            except zlib.error:
                raise _BrokenError from None
            if piece:
                yield piece
            rest = unpacker.unconsumed_tail
            if unpacker.eof:
                # Files can be several gzip members one after another, and end in zeros.
                rest = unpacker.unused_data.lstrip(b"\0")
                unpacker, begun = zlib.decompressobj(16 + zlib.MAX_WBITS), False
    if begun:
        raise _BrokenError
