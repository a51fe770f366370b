"""Opens the database file: creates it, checks its format, and words why it can't be used."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import duckdb

from lineage.database.policies import insert_policy
from lineage.database.process import processors
from lineage.database.schema.codes import LABELS
from lineage.database.schema.ddl import comments, create_table, create_view
from lineage.database.schema.tables import TABLES
from lineage.database.spans import POLICIES, derive_spans
from lineage.database.statements import sql
from lineage.database.storage.faults import open_here, store_error
from lineage.database.storage.write_ahead_log import path_of
from lineage.errors import (
    NotAStoreError,
    StoreBusyError,
    StoreError,
    StoreMissingError,
    StoreVersionError,
)
from lineage.policy.parse import BUILT_IN, BUILT_IN_DOCUMENT, BUILT_IN_ID

PROGRAM = "message-lineage"
FORMAT_VERSION = 9
MEMORY_MIB = 1024
# Below that, a batch or a digest does not find the room that it needs at least.
WRITING_MIB_MIN = 200
READING_MIB_MIN = 64

# A column of a row group ends in a block that is not full: with blocks of 256 KiB, as DuckDB makes
# them, a database takes a tenth more of the disk, a small one half as much again.
_BLOCK_BYTES = 65_536
# DuckDB must never look for extensions on the network.
_CONFIG = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
_SETTINGS = {
    # Files, other databases and Python's variables are no business of a query.
    "enable_external_access": "false",
    # A large transaction leaves a row group that is not full in each table. Merging all of them at
    # one checkpoint would stall the writer; with so many at a time, all are merged in the end.
    "max_vacuum_tasks": "4",
    # Larger ones stall the writer longer, smaller ones cost throughput.
    "checkpoint_threshold": "'64MB'",
}
# Writers use one thread: a batch is faster than with two, as decoding needs the other core.
# Read-only connections use as many threads as processors and memory allow: each thread holds
# buffers of its own.
_WRITING_THREADS = 1
_MIB_PER_THREAD = 128
# Disk space for a query that does not fit into memory (spilling).
_SPILL_MIB_MIN = 10_240
_SPILL_PER_MEMORY = 10
# No event is earlier: the built-in policy has always held, and been disclosed.
_EVER = datetime(1970, 1, 1)  # without a zone, as all instants are stored
_MAGIC = b"DUCK"
_MAGIC_AT = 8
_LOCK = {"lock_configuration": "true"}
# The files that this process has open, where the system shows them (Linux, macOS, BSD).
_OPEN_FILES = Path("/dev/fd")


def connect(
    path: str | Path,
    *,
    read_only: bool,
    memory_mib: int = MEMORY_MIB,
    threads: int | None = None,
    spill: Path | None = None,
) -> duckdb.DuckDBPyConnection:
    """Connect to the database at `path` (":memory:" too), made if there is none.

    memory_mib: MiB that DuckDB may take; beyond that, DuckDB spills to the folder `spill`, if there
    is one. threads: None for one to write, and for as many as processors and memory allow to read.

    Raises StoreError, or the subclass of StoreError that tells what is wrong: held by another
    process, open in this one, of another version, no lineage database, damaged, or not there
    (read_only).
    """
    in_memory = str(path) == ":memory:"
    least = READING_MIB_MIN if read_only else WRITING_MIB_MIN
    if memory_mib < least:
        raise StoreError(
            f"{path}: memory_mib is {memory_mib}, and a database needs at least {least} MiB to be"
            f" {'read' if read_only else 'written'}"
        )
    if not in_memory:
        _check_path(Path(path), read_only=read_only)
    is_new = not in_memory and not Path(path).exists()
    try:
        return _opened(path, read_only, memory_mib, threads, spill)
    except StoreError as error:
        # What a full disk leaves of a new database could not be opened.
        if is_new and not isinstance(error, StoreBusyError):
            for left in (Path(path), path_of(Path(path))):
                with suppress(OSError):
                    left.unlink()
        raise


def without_progress_bar(connection: duckdb.DuckDBPyConnection) -> None:
    """Turn the client's progress bar off, which would write into the data on stdout.

    In Jupyter without ipywidgets there is none, and the setting cannot be changed at all.
    """
    with suppress(duckdb.InvalidInputException):
        connection.execute("SET enable_progress_bar = false")


def _opened(
    path: str | Path, read_only: bool, memory_mib: int, threads: int | None, spill: Path | None
) -> duckdb.DuckDBPyConnection:
    connection = _connect(str(path), read_only=read_only and str(path) != ":memory:")
    try:
        if threads is None:
            threads = _threads(connection, memory_mib) if read_only else _WRITING_THREADS
        spill_mib = max(_SPILL_MIB_MIN, _SPILL_PER_MEMORY * memory_mib)
        limits = {
            "memory_limit": f"'{memory_mib}MiB'",
            "threads": str(threads),
            "temp_directory": _quoted(str(spill or "")),
            "max_temp_directory_size": f"'{spill_mib}MiB'",
        }
        without_progress_bar(connection)
        for name, value in {**limits, **_SETTINGS, **_LOCK}.items():
            connection.execute(f"SET {name} = {value}")
        _check_format(connection, path, read_only=read_only)
    except duckdb.Error as error:
        connection.close()
        raise store_error(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def is_open_here(path: Path) -> bool:
    """Say whether this process has a file open; False where that cannot be told."""
    try:
        wanted = path.stat()
        files = list(_OPEN_FILES.iterdir())
    except OSError:
        return False
    for file in files:
        with suppress(OSError):  # closed since
            found = file.stat()
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                return True
    return False


def _threads(connection: duckdb.DuckDBPyConnection, memory_mib: int) -> int:
    row = connection.execute("SELECT current_setting('threads')").fetchone()
    machine = int(row[0]) if row else 1
    return max(1, min(machine, processors() or machine, memory_mib // _MIB_PER_THREAD))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _check_path(path: Path, *, read_only: bool) -> None:
    if path.is_dir():
        raise NotAStoreError(f"{path} is a folder; a lineage database is a file")
    if read_only and not path.exists():
        raise StoreMissingError(f"{path}: no such database; `lineage replay … --db` makes one")
    if not path.parent.exists():
        raise StoreMissingError(f"{path}: the folder {path.parent} does not exist")
    # Closing a file lets go of the locks that its process has on it, DuckDB's too, and another
    # process could write the database: one that is open here is not looked at.
    if is_open_here(path):
        raise open_here(path)
    # DuckDB would look for an extension to read a file that is no database of its own.
    try:
        with path.open("rb") as file:
            head = file.read(_MAGIC_AT + len(_MAGIC))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    if head and head[_MAGIC_AT:] != _MAGIC:
        raise NotAStoreError(f"{path} is not a lineage database")


def _connect(path: str, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(
            path, read_only=read_only, config={**_CONFIG, "default_block_size": _BLOCK_BYTES}
        )
    except duckdb.Error as error:
        raise store_error(path, error) from error


def _check_format(
    connection: duckdb.DuckDBPyConnection, path: str | Path, *, read_only: bool
) -> None:
    tables = connection.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE NOT temporary"
    ).fetchall()
    if not tables and not read_only:
        _create(connection)
        return
    if ("core.format",) not in tables:
        raise NotAStoreError(f"{path} is a DuckDB database, but not one of {PROGRAM}")
    row = connection.execute("SELECT program, version FROM core.format").fetchone()
    if row is None or row[0] != PROGRAM:
        raise NotAStoreError(f"{path} is a DuckDB database of another program")
    if row[1] != FORMAT_VERSION:
        raise StoreVersionError(
            f"{path} has layout {row[1]} and this version of {PROGRAM} reads {FORMAT_VERSION}; "
            "replay the event log into a new database"
        )


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    # DuckDB 1.5 cannot replay a log that makes a schema and then a type in it: a process killed
    # before the first checkpoint would leave a database that nobody can open.
    connection.execute("CREATE SCHEMA IF NOT EXISTS core")
    connection.execute("CHECKPOINT")
    connection.execute("BEGIN")
    connection.execute(";\n".join(_definitions()))
    row = {
        "id": 0,
        "policy_id": BUILT_IN_ID,
        "effective_at": _EVER,
        "disclosed_at": _EVER,
        "document": BUILT_IN_DOCUMENT,
    }
    insert_policy(connection, row, BUILT_IN)
    derive_spans(connection, POLICIES)
    connection.execute("INSERT INTO core.format VALUES (?, ?, 0, false)", [PROGRAM, FORMAT_VERSION])
    connection.execute("COMMIT")


def _definitions() -> list[str]:
    """Return the statements that create all tables, views and macros, in their order."""
    codes = [
        sql("database/codes").format(name=name, labels=list(labels))
        for name, labels in LABELS.items()
    ]
    shown = [table for table in TABLES if table.view]
    return [
        sql("database/tables"),
        *map(create_table, TABLES),
        *codes,
        sql("database/identity"),
        *map(create_view, shown),
        sql("database/views"),
        sql("database/macros"),
        *(comment for table in shown for comment in comments(table)),
        sql("database/comments"),
    ]
