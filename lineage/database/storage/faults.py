"""Words what is wrong with a database: held, damaged, full, read-only, of another version."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from lineage.errors import (
    NotAStoreError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreVersionError,
    is_damage,
    is_log_damage,
    sentence,
)

# Whole phrases of DuckDB's: "lock" is also in "block", and "old" in "folder".
_BUSY = re.compile(
    r"Could not set lock on file|Conflicting lock is held|being used by another process"
)
_OPEN_HERE = re.compile(
    r"different configuration than existing connections|configuration has been locked"
)
_VERSION = re.compile(
    r"with version number|storage version|(newer|older|different) version of DuckDB"
)
# Words of the system, and what makes room for the work to go on.
_SYSTEM = {
    "No space left on device": "make room on that disk",
    "Disk quota exceeded": "make room within the quota",
    "Read-only file system": "have it mounted for writing",
    "Permission denied": "let this user write the file and its folder",
    "Input/output error": "have a look at that disk",
}


def store_error(path: str | Path, error: duckdb.Error) -> StoreError:
    """Return the StoreError for an error of DuckDB's with a database, by the words in it."""
    text = sentence(error)
    if isinstance(error, duckdb.ConnectionException) and "closed" in text:
        return StoreError(f"{path}: the store is closed; open it again")
    if is_log_damage(error):
        return log_damaged(path, _plain(text))
    if is_damage(error):
        return StoreDamagedError(
            f"{path} is damaged ({_plain(text)}); take a copy of it that is"
            " whole, or replay the event log into a new database"
        )
    if _BUSY.search(text):
        return StoreBusyError(
            f"{path} is held by another process; one process at a time can write it, and "
            "none can read it meanwhile"
        )
    if _OPEN_HERE.search(text):
        return open_here(path)
    if "not a valid DuckDB database" in text:
        return NotAStoreError(f"{path} is not a lineage database")
    if _VERSION.search(text):
        return StoreVersionError(
            f"{path} was written by another version of DuckDB than {duckdb.__version__}"
        )
    for words, mend in _SYSTEM.items():
        if words in text:
            return StoreError(f"{path}: {words}; {mend}, and do it again")
    return StoreError(f"{path}: {text}")


def open_here(path: str | Path) -> StoreBusyError:
    """Return the error for a database that this process has open."""
    return StoreBusyError(f"{path} is open in this process already; close that store, or use it")


def log_damaged(path: str | Path, why: str) -> StoreDamagedError:
    """Return the error for a database whose write-ahead log is not as it was written."""
    return StoreDamagedError(
        f"{path}.wal is damaged ({why}): it holds what was recorded since the last checkpoint; take"
        f" a copy of both files that is whole; or move {path}.wal away (keep it), which leaves what"
        " was recorded before, and record the rest again: a worker reads it from Kafka, a replay"
        " from its log"
    )


def not_recorded(path: str | Path, error: duckdb.Error) -> StoreError:
    """Return the StoreError for a batch that was rolled back because of an error of DuckDB's."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return StoreError(
            "the batch was not recorded: it needs more memory than the database may take; "
            "give it more (--memory, LINEAGE_MEMORY, memory_mib) and record it again"
        )
    told = store_error(path, error)
    if isinstance(told, StoreDamagedError):
        return StoreDamagedError(f"the batch was not recorded: {told}")
    if isinstance(error, duckdb.ConnectionException):
        return told
    text = sentence(error)
    for words, mend in _SYSTEM.items():
        if words in text:
            return StoreError(
                f"the batch was not recorded: {path}: {words}; what was recorded before is safe;"
                f" {mend}, and record it again"
            )
    return StoreError(f"the batch was not recorded: {text}")


def _plain(text: str) -> str:
    return text.removeprefix("IO Error: ").removeprefix("Serialization Error: ")
