"""The spool: journals of all processes that report to one address, in one folder, bounded."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import ids
from .journal import Journal

_MEASURED_BYTES = 1 << 20
_MEASURED_SECONDS = 1.0


class Spool:
    """What this process has reported and not sent, and what ended processes left.

    root: the folder of one address. Where it takes nothing, events wait in memory, in their order.
    A line that finds no room is lost, and `append` says so.
    """

    def __init__(self, root: Path, bytes_max: int, buffer_bytes_max: int) -> None:
        self._root = root
        self._bytes_max = bytes_max
        self._buffer_bytes_max = buffer_bytes_max
        self._begin()

    def _begin(self) -> None:
        self.lock = threading.RLock()  # reentrant: a signal's handler may report, too
        self._own: Journal | None = None
        self._arrived: deque[bytes] = deque()
        self._busy = False
        self.lost = 0  # lines that found no room
        self._buffer: deque[bytes] = deque()
        self._buffer_bytes = 0
        self._held = False
        self._size = 0  # of all journals, as last measured and what this one wrote since
        self._since = 0  # bytes written since
        self._measured_at = float("-inf")
        self.trouble: str | None = None  # why the folder takes nothing now

    def append(self, line: bytes) -> bool:
        """Keep a line until it is sent; return whether there was room for it."""
        room = True
        with self.lock:
            self._arrived.append(line)
            # A signal's handler that reports in the middle of this leaves its line to it.
            while self._arrived and not self._busy:
                self._busy = True
                try:
                    room = self._keep(self._arrived.popleft())
                finally:
                    self._busy = False
        return room

    def _keep(self, line: bytes) -> bool:
        if self._drain_buffer() and self._to_disk(line):
            return True
        if self._buffer_bytes + len(line) > self._buffer_bytes_max:
            self.lost += 1
            return False
        self._buffer.append(line)
        self._buffer_bytes += len(line)
        return True

    @property
    def waiting(self) -> int:
        """Return how many lines of this process are not sent."""
        with self.lock:
            return len(self._buffer) + (self._own.unsent if self._own else 0)

    def own(self) -> Journal | None:
        """Return the journal of this process, if it has written any, with what memory held."""
        with self.lock:
            if self._own is not None and not self._own.folder.exists():
                # Somebody removed it. What comes goes into another one.
                self.lost += self._own.unsent
                self._own.forget()
                self._own = None
            self._drain_buffer()
            return self._own

    @property
    def buffered(self) -> int:
        """Return how many lines are in memory, which come after those of the journal."""
        with self.lock:
            return len(self._buffer)

    @contextmanager
    def held_buffer(self) -> Iterator[list[bytes]]:
        """Give the lines in memory; those that are in the list at the end are forgotten: sent.

        Meanwhile they stay where they are, and what comes is put behind them.
        """
        with self.lock:
            lines = list(self._buffer)
            self._held = True
        try:
            yield lines
        except BaseException:
            lines = []
            raise
        finally:
            with self.lock:
                self._held = False
                for line in lines:
                    self._buffer.popleft()
                    self._buffer_bytes -= len(line)

    def orphans(self) -> list[Journal]:
        """Adopt the journals of processes that have ended, the oldest first."""
        found: list[Journal] = []
        try:
            folders = sorted(path for path in self._root.iterdir() if path.name[0] != ".")
        except OSError:
            return found
        for folder in folders:
            if self._own is not None and folder == self._own.folder:
                continue
            try:
                journal = Journal.adopt(folder)
            except OSError:
                continue
            if journal is not None:
                found.append(journal)
        return found

    def close(self) -> None:
        """Let go of this process's journal."""
        with self.lock:
            if self._own is not None:
                self._own.close()
                self._own = None

    def forget(self) -> None:
        """Begin anew in a forked child: the parent sends what there is."""
        if self._own is not None:
            self._own.forget()
        self._begin()

    def _drain_buffer(self) -> bool:
        """Move lines from memory to the disk, in order; return whether none are left."""
        while self._buffer:
            if self._held or not self._to_disk(self._buffer[0]):
                return False
            self._buffer_bytes -= len(self._buffer.popleft())
        return True

    def _to_disk(self, line: bytes) -> bool:
        if not self._has_room(len(line)):
            self.trouble = f"the spool {self._root} is full ({self._bytes_max >> 20} MiB)"
            return False
        try:
            if self._own is None:
                self._own = Journal.create(self._root, ids.uuid7())
            self._own.append(line)
        except OSError as error:
            self.trouble = f"the spool {self._root} takes nothing: {error.strerror or error}"
            return False
        self._since += len(line)
        self.trouble = None
        return True

    def _has_room(self, more: int) -> bool:
        full = self._size + self._since + more > self._bytes_max
        # What others wrote, and what was sent, shows when it is measured again.
        if self._since >= _MEASURED_BYTES or full:
            now = time.monotonic()
            if not full or now - self._measured_at >= _MEASURED_SECONDS:
                self._size, self._since, self._measured_at = _size_of(self._root), 0, now
        return self._size + self._since + more <= self._bytes_max


def _size_of(root: Path) -> int:
    total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            try:
                total += (Path(folder) / name).stat().st_size
            except OSError:  # sent, and removed by its process, in this moment
                continue
    return total
