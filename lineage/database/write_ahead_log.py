"""The write-ahead log beside a database: whether it ends with a whole transaction.

DuckDB passes over the end of a log that is no whole transaction, without a word: that is right
after a kill, where it was not committed, but the tail of a log can also be lost. So it is told.

A log is a header, and entries: 8 bytes with the length of the data, 8 with its checksum, the data.
The data begins with a field's number, 100, in 2 bytes, and the kind of the entry.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

_HEADER: Final = 8
_ENTRY: Final = struct.Struct("<QQ3s")
_CHECKSUMMED: Final = 16
_COMMIT: Final = b"\x64\x00\x64"
_CHECKPOINT: Final = b"\x64\x00\x63"


def path_of(database: Path) -> Path:
    """Return the path of the log of a database."""
    return database.with_name(database.name + ".wal")


def unfinished_bytes(database: Path) -> int:
    """Return how many bytes at the end of a database's log are no whole transaction.

    0 where there is no log, or none that can be read.
    """
    path = path_of(database)
    try:
        size = path.stat().st_size
        with path.open("rb") as log:
            at = committed = min(_HEADER, size)
            while at + _ENTRY.size <= size:
                log.seek(at)
                length, _, kind = _ENTRY.unpack(log.read(_ENTRY.size))
                at += _CHECKSUMMED + length
                if at > size:
                    break
                if kind in (_COMMIT, _CHECKPOINT):
                    committed = at
    except OSError:
        return 0
    return size - committed


def unfinished(database: Path) -> str | None:
    """Return a sentence about the end of a database's log, if it is no whole transaction."""
    lost = unfinished_bytes(database)
    if not lost:
        return None
    return (
        f"{path_of(database)} ends with {lost:,} bytes that are no whole transaction: what its"
        " process recorded last was cut off and is not in the database; record it again: a worker"
        " reads it from Kafka, a replay from its log"
    )
