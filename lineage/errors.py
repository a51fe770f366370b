"""The errors of lineage, and the exit code that the command gives for each.

LineageError
├── StoreError            3  the database cannot be used
│   ├── StoreBusyError       another process is writing it
│   ├── StoreVersionError    written by a version with another layout
│   ├── StoreDamagedError    parts of the file are not what was written
│   ├── NotAStoreError       a file that is not a lineage database
│   ├── StoreMissingError    no such file
│   ├── StoreUnreachableError   a store that is served does not answer, or lets nobody in
│   └── RuleError            a rule in force that cannot be evaluated
├── LogError              2  an event log that cannot be read
├── EventError            2  an event that breaks the contract
├── QueryError            2  a query that cannot be answered
│   └── QueryStuckError      one that was ended at a limit, and does not end
├── BackupError           2  a copy that cannot be made where it is asked for
├── PolicyError           2  a policy document that breaks the contract
└── DecoderProcessError           3  the second process, which decodes, ended
"""

from __future__ import annotations

from typing import ClassVar


class LineageError(Exception):
    """Base of all errors that lineage raises on purpose; the text is a sentence for a person."""

    exit_code: ClassVar[int] = 2


class StoreError(LineageError):
    """The database cannot be used."""

    exit_code = 3


class StoreBusyError(StoreError):
    """Another process has the database open for writing."""


class StoreVersionError(StoreError):
    """The database has the layout of another version."""


class StoreDamagedError(StoreError):
    """The file is a database, but parts of it are not what was written."""


class NotAStoreError(StoreError):
    """The file is there, but it is not a lineage database."""


class StoreMissingError(StoreError):
    """There is no database at that path."""


class StoreUnreachableError(StoreError):
    """A store that is served over HTTP does not answer, or does not let in."""


class RuleError(StoreError):
    """A rule in force that cannot be evaluated. Its text names the policy and the rule."""


class LogError(LineageError):
    """An event log that cannot be read."""


class EventError(LineageError):
    """An event breaks the contract, and the caller wants none that does."""


class QueryError(LineageError):
    """A query that cannot be answered."""


class QueryStuckError(QueryError):
    """A query is over its limit and does not react to an interrupt: only its process can end it."""


class BackupError(LineageError):
    """A copy of a database that cannot be made where it is asked for."""


class PolicyError(LineageError):
    """A policy document that breaks the contract. `reason` says where, and what would be right."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DecoderProcessError(LineageError):
    """The second process, which decodes, ended before it had answered."""

    exit_code = 3


_DAMAGE = (
    "Corrupt database file",
    "Could not read enough bytes",
    "Failed to read checksum",
    "Serialization Error: ",
)


def is_damage(error: BaseException) -> bool:
    """Say whether an error of DuckDB's means that a file is not as it was written."""
    return is_log_damage(error) or any(phrase in str(error) for phrase in _DAMAGE)


def is_log_damage(error: BaseException) -> bool:
    """Say whether an error of DuckDB's means that its write-ahead log is not as it was written."""
    return "replaying WAL file" in str(error) or "Corrupt WAL file" in str(error)


def sentence(error: Exception) -> str:
    """Return the first paragraph of a message of DuckDB's, in one line, without the quoted SQL."""
    return " ".join(str(error).split("\n\n")[0].split())
