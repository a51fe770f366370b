"""Writes events to an event log: a folder of JSON lines, a file for each process.

`lineage replay FOLDER` takes it as it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from ...errors import TransportError
from ...ids import uuid7
from ..locks import lock_file

_PREFIX = "lineage-"


class FileTransport:
    """A file of its own in the folder, made when there is something to write."""

    def __init__(self, folder: str, job: str) -> None:
        self._folder = Path(unquote(folder))
        self._job = re.sub(r"[^A-Za-z0-9._-]+", "-", job)[:64]
        self._file = -1
        self._size = 0

    def send(self, lines: Sequence[bytes]) -> None:
        """Append lines, all of them or none."""
        data = b"".join(lines)
        try:
            if self._file < 0:
                self._open()
            done = 0
            try:
                done = os.write(self._file, data)
            finally:
                if done < len(data):
                    os.ftruncate(self._file, self._size)
        except OSError as error:
            raise TransportError(f"{self._folder} takes nothing: {error.strerror}") from error
        if done < len(data):
            raise TransportError(f"{self._folder} takes nothing: the disk is full")
        self._size += done

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    forget = close

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in self._folder.glob(f"{_PREFIX}*.jsonl"):
            _mend(path)
        path = self._folder / f"{_PREFIX}{self._job}-{uuid7()}.jsonl"
        file = lock_file(path, create=True, mode=0o666)  # for whoever may read, by umask
        if file is None:
            raise OSError(f"{path} cannot be locked")
        self._file, self._size = file, 0


def _mend(path: Path) -> None:
    """Cut a last line that its process, killed while it wrote, did not finish: it comes again."""
    file = lock_file(path, create=False)
    if file is None:
        return
    try:
        size = end = os.fstat(file).st_size
        while end > 0 and os.pread(file, 1, end - 1) != b"\n":
            start = max(0, end - 4096)
            end = start + os.pread(file, end - start, start).rfind(b"\n") + 1
        if end < size:
            os.ftruncate(file, end)
    finally:
        os.close(file)
