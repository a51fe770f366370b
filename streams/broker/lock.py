"""Lets one broker alone use a folder: a lock that lives as long as the broker does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from streams.errors import BrokerError, FolderInUseError

try:
    import fcntl
except ImportError:  # not a POSIX system: Kafka's own lock in the data folder must do
    fcntl = None  # type: ignore[assignment]  # the module is absent there, which callers check

__all__ = ["FolderLock"]


class FolderLock:
    """A lock on `folder`, held by this process and by every child that is given it.

    A broker can outlive the process that started it by some seconds; since it inherits the
    lock, nobody else starts on its data meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "broker.pid"
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock. Raises FolderInUseError where another broker has it."""
        try:
            file = self._path.open("a+", encoding="ascii")
        except OSError as error:
            raise BrokerError(f"{self._path.parent} cannot be written to: {error}") from error
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.seek(0)
                pid = file.read(20).strip()
                file.close()
                raise FolderInUseError(
                    f"another broker{f' (process {pid})' if pid else ''} runs on "
                    f"{self._path.parent}; end it, or give another folder"
                ) from error
        self._file = file

    def descriptors(self) -> tuple[int, ...]:
        """Return the file descriptors that a child must inherit to hold the lock too."""
        return () if self._file is None or os.name != "posix" else (self._file.fileno(),)

    def write(self, pid: int) -> None:
        """Say in the lock's file whose it is."""
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(f"{pid}\n")
            self._file.flush()

    def release(self) -> None:
        """Let go of it; a child that inherited it still holds it."""
        if self._file is not None:
            self._file.close()
            self._file = None
