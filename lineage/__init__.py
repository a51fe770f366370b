"""message-lineage: where each message went, and which rules that broke.

>>> import lineage
>>> with lineage.open(":memory:") as store:
...     applied = store.apply([])
...     applied.events
0
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lineage.database.connection import MEMORY_MIB as _MEMORY_MIB
from lineage.errors import (
    BackupError,
    EventError,
    LineageError,
    LogError,
    NotAStoreError,
    PolicyError,
    QueryError,
    QueryStuckError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreMissingError,
    StoreUnreachableError,
    StoreVersionError,
)
from lineage.limits import DEFAULT_LIMITS as _DEFAULT_LIMITS
from lineage.limits import Limits as _Limits
from lineage.store.batch_result import BatchResult
from lineage.store.store import Replayed, Store

if TYPE_CHECKING:
    import duckdb

    from lineage.remote.client import RemoteStore

__version__ = "0.1.0"

__all__ = [
    "BackupError",
    "BatchResult",
    "EventError",
    "LineageError",
    "LogError",
    "NotAStoreError",
    "PolicyError",
    "QueryError",
    "QueryStuckError",
    "Replayed",
    "Store",
    "StoreBusyError",
    "StoreDamagedError",
    "StoreError",
    "StoreMissingError",
    "StoreUnreachableError",
    "StoreVersionError",
    "attach",
    "connect",
    "open",
]


def open(
    path: str | Path,
    read_only: bool = False,
    memory_mib: int = _MEMORY_MIB,
    limits: _Limits = _DEFAULT_LIMITS,
) -> Store:
    """Open the lineage database at `path`, made if there is none; ":memory:" is kept nowhere.

    memory_mib: MiB of memory for the database, at least 200 (64 if it is only read); the batch that
    is applied takes more on top. limits: how much is done at a time (`lineage.limits`). Raises
    StoreError, or the subclass of StoreError that tells what is wrong.
    """
    return Store(path, read_only=read_only, memory_mib=memory_mib, limits=limits)


def connect(url: str, token: str | None = None) -> RemoteStore:
    """Return the store that a worker or `lineage serve` serves at `url`, http://HOST:PORT.

    It answers `flags`, `route`, `sql`, `sql_batches` and `digest` as a store that was opened does.
    token: that of the server's token file, or of the file FILE.serve.json beside the database;
    not needed for questions on the same machine, unless the server was given a token file. Nothing
    is sent before the first question; an address that cannot be one raises StoreUnreachableError.
    """
    from lineage.remote.client import RemoteStore  # what speaks HTTP is loaded by those who need it

    return RemoteStore(url, token)


def attach(
    connection: duckdb.DuckDBPyConnection, url: str, token: str, name: str = "lineage"
) -> None:
    """Attach the store that is served at `url` with --quack to a connection of DuckDB's own.

    Its tables are NAME.flag and so on, and NAME.query('…') asks a SELECT of any other form. token:
    that of the server's token file, or of the file FILE.serve.json beside the database. Raises
    StoreError where the extra `quack` is not installed, and duckdb.Error where the server does not
    answer or lets nobody in.
    """
    from lineage.remote.attach import attach  # as with `connect`

    attach(connection, url, token, name)
