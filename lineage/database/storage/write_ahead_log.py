"""The write-ahead log beside a database: whether it ends with a whole transaction.

DuckDB passes over the end of a log that is no whole transaction, without a word: that is right
after a kill, where it was not committed, but the tail of a log can also be lost. So it is told.

A log is a header, and entries: 8 bytes with the length of the data, 8 with its checksum, the data.
The data begins with a field's number, 100, in 2 bytes, and the kind of the entry.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO, Final

from lineage.database.storage.faults import log_damaged

# Of the version of the log that this DuckDB writes.
_HEADER: Final = b"\x64\x00\x62\x65\x00\x02\xff\xff"
_ENTRY: Final = struct.Struct("<QQ3s")
_CHECKSUMMED: Final = 16
_COMMIT: Final = b"\x64\x00\x64"
# The end of a transaction has no content, so that all of them are these bytes.
_WHOLE_COMMIT: Final = bytes.fromhex("0500000000000000e7fe7d722fed3d5e640064ffff")
_CHUNK: Final = 1 << 20


def path_of(database: Path) -> Path:
    """Return the path of the log of a database."""
    return database.with_name(database.name + ".wal")


def unfinished(database: Path) -> str | None:
    """Return a sentence about the end of a database's log, if it is no whole transaction.

    Raises StoreDamagedError where there are whole transactions behind such a place: DuckDB would
    pass over them as well, and write over them.
    """
    path = path_of(database)
    try:
        with path.open("rb") as log:
            size = path.stat().st_size
            committed = _committed(log, size)
            if _is_damaged(log, committed):
                raise log_damaged(database, f"an entry after byte {committed:,} is none")
    except OSError:  # there is none, or none that can be read: opening the database tells
        return None
    if committed == size:
        return None
    return (
        f"{path} ends with {size - committed:,} bytes that are no whole transaction: what its"
        " process recorded last was cut off and is not in the database; record it again: a worker"
        " reads it from Kafka, a replay from its log"
    )


def _committed(log: IO[bytes], size: int) -> int:
    """Return where the last whole transaction ends that has only whole ones before it."""
    header = log.read(len(_HEADER))
    if header != _HEADER:
        return size if _HEADER.startswith(header) else 0
    at = committed = len(_HEADER)
    while at + _ENTRY.size <= size:
        log.seek(at)
        length, _, kind = _ENTRY.unpack(log.read(_ENTRY.size))
        at += _CHECKSUMMED + length
        if at > size:
            break
        if kind == _COMMIT:
            committed = at
    return committed


def _is_damaged(log: IO[bytes], committed: int) -> bool:
    """Say whether another transaction ends after the last whole one."""
    log.seek(committed)
    before = b""
    while chunk := log.read(_CHUNK):
        if _WHOLE_COMMIT in before + chunk:
            return True
        before = chunk[-len(_WHOLE_COMMIT) :]
    return False
