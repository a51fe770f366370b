"""Watches the memory of a process and of those that it starts, while they run."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from pathlib import Path

__all__ = ["MemoryWatch"]

_PROC = Path("/proc")
_LOOK_SECONDS = 0.1


class MemoryWatch:
    """Looks ten times a second, where the system shows it (Linux), until it is stopped.

    peak_bytes: the most that all had together; what they share counts once for each.
    """

    def __init__(self, pid: int) -> None:
        self.peak_bytes = 0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Look no more; return the most there was."""
        self._ended.set()
        self._thread.join()
        return self.peak_bytes

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            self.peak_bytes = max(self.peak_bytes, _together(self._pid))


def _together(pid: int) -> int:
    children: defaultdict[int, list[int]] = defaultdict(list)
    pages: dict[int, int] = {}
    for path in _PROC.glob("[0-9]*/stat"):
        try:
            # The command, in brackets, can hold anything.
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        number = int(path.parent.name)
        children[int(fields[1])].append(number)
        pages[number] = int(fields[21])
    total, waiting = 0, [pid]
    while waiting:
        number = waiting.pop()
        total += pages.get(number, 0)
        waiting += children[number]
    return total * os.sysconf("SC_PAGE_SIZE")
