"""A journal: the events of one process on disk, from when they are reported until they are sent.

It is a folder with numbered segments of JSON lines, a mark that says how far they are sent, and a
lock, which the system lets go when the process ends in whatever way. Another process then adopts
the journal. Nothing is synced: what is written survives the process, not a loss of power.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from errno import ENOSPC
from pathlib import Path

from .locks import lock_file

SEGMENT_BYTES = 4 << 20
READ_BYTES = 1 << 20
READ_LINES = 1_000
_LOCK = "lock"
_MARK = "sent"


@dataclass(frozen=True)
class Portion:
    """Some whole lines of a segment, and where they end in it."""

    lines: list[bytes]
    segment: int
    end: int


class Journal:
    """A journal that this process holds; not for two threads at once.

    Raises OSError where the disk does not take or give what it should.
    """

    def __init__(self, folder: Path, lock: int, *, own: bool) -> None:
        self.folder = folder
        self._lock = lock
        self._own = own
        self._segment = 0  # that is written
        self._file = -1
        self._written = 0  # bytes of it
        self._reading, self._sent = self._read_mark()
        self._reader = -1
        self.unsent = 0 if own else 1  # lines; of an adopted one it is not known how many

    @classmethod
    def create(cls, root: Path, name: str) -> Journal:
        """Make a new journal in a folder, which is made, too."""
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Nobody is to find it before it is locked.
        hidden = root / f".{name}"
        hidden.mkdir(mode=0o700)
        lock = lock_file(hidden / _LOCK, create=True)
        if lock is None:
            raise OSError(f"{hidden} cannot be locked")
        hidden.rename(root / name)
        return cls(root / name, lock, own=True)

    @classmethod
    def adopt(cls, folder: Path) -> Journal | None:
        """Return the journal of a process that has ended; None: it has not, or another has it."""
        lock = lock_file(folder / _LOCK, create=False)
        return None if lock is None else cls(folder, lock, own=False)

    def append(self, line: bytes) -> None:
        """Write a line, all of it or nothing."""
        if self._file < 0 or self._written >= SEGMENT_BYTES:
            self._next_segment()
        try:
            done = os.write(self._file, line)
        except OSError:
            done = 0
            raise
        finally:
            if done < len(line):
                os.ftruncate(self._file, self._written)
        if done < len(line):
            raise OSError(ENOSPC, os.strerror(ENOSPC))
        self._written += done
        self.unsent += 1

    def read(self) -> Portion | None:
        """Return what is to be sent next; None: all is sent."""
        while True:
            if self._reader < 0:
                segments = self._segments()
                if not segments:
                    self.unsent = 0
                    return None
                if segments[0] != self._reading:
                    self._reading, self._sent = segments[0], 0
                self._reader = os.open(self._path(self._reading), os.O_RDONLY)
            current = self._own and self._reading == self._segment
            size = self._written if current else os.fstat(self._reader).st_size
            lines = self._lines(size)
            if lines:
                return Portion(lines, self._reading, self._sent + sum(map(len, lines)))
            if current:
                return None
            os.close(self._reader)
            self._reader = -1
            self._path(self._reading).unlink()

    def mark_sent(self, portion: Portion) -> None:
        """Note how far events are sent: they are not read again."""
        self._sent = portion.end
        if self._own:
            self.unsent -= len(portion.lines)
        mark = os.open(self.folder / _MARK, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(mark, b"%010d %020d\n" % (portion.segment, portion.end), 0)
        finally:
            os.close(mark)

    def close(self) -> None:
        """Let go of it; where all is sent, nothing of it stays."""
        self._close_files()
        if self.unsent == 0:
            with suppress(OSError):  # what stays has nothing in it that is not sent
                for path in self.folder.iterdir():
                    path.unlink()
                self.folder.rmdir()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def forget(self) -> None:
        """Close the files in a forked child, whose parent goes on with the journal."""
        self._close_files()
        os.close(self._lock)
        self._lock = -1

    def _close_files(self) -> None:
        for file in (self._file, self._reader):
            if file >= 0:
                os.close(file)
        self._file = self._reader = -1

    def _next_segment(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        number = self._segment + 1
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL
        self._file = os.open(self._path(number), flags, 0o600)
        self._segment, self._written = number, 0

    def _lines(self, size: int) -> list[bytes]:
        """Return whole lines from where the sent ones end, at least one if there is one."""
        wanted = READ_BYTES
        while True:
            data = os.pread(self._reader, min(wanted, size - self._sent), self._sent)
            end = data.rfind(b"\n") + 1
            if end or len(data) < wanted:
                break
            wanted *= 4
        return data[:end].splitlines(keepends=True)[:READ_LINES] if end else []

    def _segments(self) -> list[int]:
        return sorted(int(path.stem) for path in self.folder.glob("*.jsonl"))

    def _path(self, segment: int) -> Path:
        return self.folder / f"{segment:010d}.jsonl"

    def _read_mark(self) -> tuple[int, int]:
        try:
            segment, end = (self.folder / _MARK).read_bytes().split()
            return int(segment), int(end)
        except (OSError, ValueError):
            return 0, 0
