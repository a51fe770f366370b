"""Makes a copy of a database that is whole: under its name only once it is all there.

The file and its write-ahead log are copied while nothing is written, which is the state that a kill
leaves; opening the copy applies the log. To copy the rows into a new database takes far longer: of
20 million arrivals in 260 MiB 12.7 s, and 0.2 s this way.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from os import O_RDONLY, close, fsync
from os import open as open_descriptor
from pathlib import Path
from typing import IO

import duckdb

from lineage.database.connection import connect
from lineage.database.storage.faults import store_error
from lineage.database.storage.spill import Spill
from lineage.database.storage.write_ahead_log import path_of
from lineage.errors import BackupError, StoreError

_MIB = 2**20
# Applying the log writes what is in it once more.
_LOG_TIMES = 3


@dataclass(frozen=True)
class Backup:
    """A copy of a database: its path, and the bytes that it takes."""

    path: Path
    bytes: int


def check_target(database: Path, to: Path) -> None:
    """Raise BackupError where no copy can be made, and StoreError where there is no room for it."""
    if not database.exists():
        raise BackupError(f"{database} is in memory, or is no file; there is nothing to copy")
    if to.exists() or path_of(to).exists():
        there = to if to.exists() else path_of(to)
        raise BackupError(f"{there} is there already, and is not overwritten; name another file")
    if not to.absolute().parent.is_dir():
        raise BackupError(f"{to}: the folder {to.absolute().parent} does not exist")
    needed = _size(database) + _LOG_TIMES * _size(path_of(database))
    free = shutil.disk_usage(to.absolute().parent).free
    if free < needed:
        raise StoreError(
            f"{to}: the copy needs {-(-needed // _MIB):,} MiB and the disk has {free // _MIB:,} MiB"
            " left; make room, or name a file on another disk"
        )


class Copy:
    """A copy on its way, in a folder beside its name that goes with it. A context manager."""

    def __init__(self, to: Path) -> None:
        self._to = to
        self._folder = Spill(to)
        if self._folder.path is None:
            raise StoreError(f"{to}: no file can be made in {to.absolute().parent}")
        self._file = self._folder.path / to.name

    def __enter__(self) -> Copy:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.close()

    def take(self, database: Path, file: IO[bytes]) -> None:
        """Copy a database and its log, which nobody writes meanwhile.

        file: the open database, which the caller closes after the database: closing it would let go
        of the locks that this process has on it.
        """
        try:
            with self._file.open("wb") as copy:
                file.seek(0)
                shutil.copyfileobj(file, copy, _MIB)
                copy.flush()
                fsync(copy.fileno())
            if path_of(database).exists():
                shutil.copyfile(path_of(database), path_of(self._file))
        except OSError as error:
            raise StoreError(f"{self._to}: the copy was not made: {error.strerror}") from error

    def finish(self, memory_mib: int) -> Backup:
        """Apply the log to the copy, see that it can be opened, and give it its name."""
        connection = connect(self._file, read_only=False, memory_mib=memory_mib)
        try:
            connection.execute("CHECKPOINT")
        except duckdb.Error as error:
            raise store_error(self._to, error) from error
        finally:
            connection.close()
        try:
            with self._file.open("rb") as copy:
                fsync(copy.fileno())
            # A link is refused where there is a file by then; a rename would replace it.
            self._to.hardlink_to(self._file)
            _sync_folder(self._to.absolute().parent)
        except FileExistsError as error:
            raise BackupError(f"{self._to} is there by now, and is not overwritten") from error
        except OSError as error:
            raise StoreError(f"{self._to}: the copy was not made: {error.strerror}") from error
        return Backup(self._to, _size(self._to))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sync_folder(folder: Path) -> None:
    """Have the name of a new file survive a loss of power."""
    descriptor = open_descriptor(folder, O_RDONLY)
    try:
        fsync(descriptor)
    finally:
        close(descriptor)
