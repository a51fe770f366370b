"""Locks on files, which the system lets go when a process ends, however it ends."""

from __future__ import annotations

import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: there is no spool then, and events wait in memory alone
    fcntl = None  # type: ignore[assignment]  # what is not there


def lock_file(path: Path, *, create: bool, mode: int = 0o600) -> int | None:
    """Lock a file and return its descriptor; None: another process holds it, or it is gone.

    Raises OSError where the system has no such locks, or the file cannot be opened.
    """
    if fcntl is None:
        raise OSError("this system has no locks that end with a process")
    try:
        file = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), mode)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its holder may have removed it since: then this is the lock of nothing.
        if path.stat().st_ino == os.fstat(file).st_ino:
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(file)
        raise
    os.close(file)
    return None
