"""The spill folder of one open database, for data that does not fit into its memory."""

from __future__ import annotations

import contextlib
import glob
import shutil
import sys
import tempfile
import weakref
from pathlib import Path
from typing import IO

if sys.platform != "win32":
    import fcntl

_LOCK = "lock"
_open: weakref.WeakSet[Spill] = weakref.WeakSet()


class Spill:
    """A folder next to a database, removed when the database is closed.

    The folder of a killed process is removed when the database is opened the next time: a lock on a
    file in the folder tells whether its process is still there. path: None where there can be no
    folder; DuckDB then ends a query that does not fit into memory.
    """

    def __init__(self, database: Path | None) -> None:
        """Make the folder.

        database: None for one in memory, whose folder is among the temporary files.
        """
        self.path: Path | None = None
        self._lock: IO[bytes] | None = None
        place = None if database is None else database.absolute().parent
        name = f"{'lineage' if database is None else database.name}.spill-"
        if place is not None:
            _sweep(place, name)
        try:
            # The folder gets its name with its lock, so that nobody takes it for one left behind.
            made = Path(tempfile.mkdtemp(prefix=".lineage-spill-", dir=place))
            self._lock = _locked(made / _LOCK, make=True)
            self.path = made.rename(made.with_name(name + made.name.rsplit("-", 1)[1]))
        except OSError:
            return
        _open.add(self)

    def close(self) -> None:
        """Remove the folder."""
        if self.path is not None:
            shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
        self.path = self._lock = None


def remove_all() -> None:
    """Remove the folders of all databases that are open: for a process that ends at once."""
    for spill in list(_open):
        spill.close()


def _sweep(place: Path, name: str) -> None:
    for left in place.glob(glob.escape(name) + "*"):
        with contextlib.suppress(OSError):
            lock = _locked(left / _LOCK, make=False)
            if lock is not None:
                shutil.rmtree(left, ignore_errors=True)
                lock.close()


def _locked(path: Path, *, make: bool) -> IO[bytes] | None:
    """Lock a file; return None if another process has it. Raises OSError if it is not there."""
    file = path.open("wb" if make else "r+b")
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
    elif not make:
        file.close()
        return None
    return file
