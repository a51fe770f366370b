"""Opening the database file: making one, knowing ours, and saying why it can't be used."""

from __future__ import annotations

from pathlib import Path

import duckdb

from lineage.encoding import WORDS
from lineage.errors import (
    NotAStoreError,
    StoreBusyError,
    StoreError,
    StoreMissingError,
    StoreVersionError,
    sentence,
)
from lineage.policies import insert_policy
from lineage.policy import BUILT_IN, BUILT_IN_DOCUMENT
from lineage.sql import sql

PROGRAM = "message-lineage"
FORMAT_VERSION = 4
MEMORY_MIB = 1024

# A column of a row group ends in a block that is not full: with blocks of 256 KiB, as DuckDB makes
# them, a database takes a tenth more of the disk, a small one half as much again.
_BLOCK_BYTES = 65_536
_SETTINGS = {
    # Files, other databases and Python's variables are no business of a query.
    "enable_external_access": "false",
    # A large transaction leaves a row group that is not full in each table. To merge all of them
    # again at a checkpoint would stall the writer; so many a table at a time are merged in the end.
    "max_vacuum_tasks": "4",
    # Larger ones stall the writer longer, smaller ones cost throughput.
    "checkpoint_threshold": "'64MB'",
    # The client's progress bar would write into the data on stdout.
    "enable_progress_bar": "false",
}
# One thread is faster than two for a batch; what is read is decoded beside it. Who only asks has
# all processors.
_WRITING = {"threads": "1"}
_LOCK = {"lock_configuration": "true"}


def connect(
    path: str | Path, *, read_only: bool, memory_mib: int = MEMORY_MIB
) -> duckdb.DuckDBPyConnection:
    """A connection to the database at `path` (":memory:" too), made if there is none.

    memory_mib: what DuckDB may take; beyond it, it uses the disk.

    Raises StoreError, or the kind of it that tells what is wrong: held by another process, of
    another version, no lineage database, or not there (read_only).
    """
    in_memory = str(path) == ":memory:"
    if not in_memory:
        _check_path(Path(path), read_only=read_only)
    connection = _connect(str(path), read_only=read_only and not in_memory)
    try:
        limit = {"memory_limit": f"'{memory_mib}MiB'"}
        settings = {**limit, **_SETTINGS, **({} if read_only else _WRITING), **_LOCK}
        for name, value in settings.items():
            connection.execute(f"SET {name} = {value}")
        _check_format(connection, path, read_only=read_only)
    except duckdb.IOException as error:
        connection.close()
        raise StoreError(f"{path}: {sentence(error)}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _check_path(path: Path, *, read_only: bool) -> None:
    if path.is_dir():
        raise NotAStoreError(f"{path} is a folder; a lineage database is a file")
    if read_only and not path.exists():
        raise StoreMissingError(f"{path}: no such database; `lineage replay … --db` makes one")
    if not path.parent.exists():
        raise StoreMissingError(f"{path}: the folder {path.parent} does not exist")


def _connect(path: str, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(
            path, read_only=read_only, config={"default_block_size": _BLOCK_BYTES}
        )
    except (duckdb.IOException, duckdb.ConnectionException) as error:
        text = sentence(error)
        if "lock" in text.lower() or "different configuration" in text:
            raise StoreBusyError(
                f"{path} is held by another process; one process at a time can write it, and "
                "none can read it meanwhile"
            ) from error
        if "not a valid DuckDB database" in text:
            raise NotAStoreError(f"{path} is not a lineage database") from error
        if "storage version" in text or "newer version" in text or "old" in text:
            raise StoreVersionError(
                f"{path} was written by another version of DuckDB than {duckdb.__version__}"
            ) from error
        raise StoreError(f"{path}: {text}") from error
    except duckdb.Error as error:
        raise NotAStoreError(f"{path} is not a lineage database: {sentence(error)}") from error


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
    # DuckDB 1.5 cannot replay a log that makes a schema and then a type in it: who is killed
    # before the first checkpoint would leave a database that nobody can open.
    connection.execute("CREATE SCHEMA IF NOT EXISTS core")
    connection.execute("CHECKPOINT")
    connection.execute("BEGIN")
    connection.execute(sql("tables"))
    for name, words in WORDS.items():
        connection.execute(sql("words").format(name=name, words=list(words)))
    connection.execute(sql("identity"))
    fact = sql("fact").format(refusal=f"({sql('refusal')})")
    more = "f.arrived_at"
    connection.execute(
        sql("views").replace("{fact_text}", sql("fact_text").format(facts=f"({fact})", more=more))
    )
    connection.execute(sql("macros"))
    connection.execute(sql("comments"))
    insert_policy(
        connection,
        {
            "n": 0,
            "policy_id": "built-in",
            "effective_at": None,
            "disclosed_at": None,
            "document": BUILT_IN_DOCUMENT,
        },
        BUILT_IN,
    )
    # Disclosed since ever.
    connection.execute("UPDATE core.policy SET disclosed_at = '-infinity' WHERE n = 0")
    connection.execute(sql("policy_span"))
    connection.execute("INSERT INTO core.format VALUES (?, ?)", [PROGRAM, FORMAT_VERSION])
    connection.execute("COMMIT")
