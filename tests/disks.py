"""Disks of their own for tests: small, read-only; and a database whose process was killed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_KILLED = """
import os, signal, sys, lineage
from tests.disks import batch
with lineage.open(sys.argv[1]) as store:
    store.apply_batch(batch(0), {("t", 0): 1})
    store._connection.execute("CHECKPOINT")
    for number in range(1, int(sys.argv[2])):
        store.apply_batch(batch(number), {("t", 0): number + 1})
    os.kill(os.getpid(), signal.SIGKILL)
"""


class Disk:
    """A mounted file system in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def remount(self, options: str) -> None:
        """Change its size, or whether it may be written."""
        command = ["mount", "-o", f"remount,{options}", str(self.folder)]
        subprocess.run(command, check=True, capture_output=True)

    def fill(self, left: int) -> Path:
        """Fill it up to so many bytes; return the file that does."""
        ballast = self.folder / "ballast"
        ballast.write_bytes(bytes(max(0, shutil.disk_usage(self.folder).free - left)))
        return ballast


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Disk]:
    """Mount a disk of a size at a folder; skips the test, saying why, where that is not allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield Disk(folder)
    finally:
        unmount = ["umount", "--lazy", str(folder)]
        subprocess.run(unmount, check=True)


def batch(number: int, messages: int = 20) -> object:
    """A batch of messages and of hops that move them on."""
    from lineage.codec import from_events
    from tests.lineage.events.builders import at, hop, message

    ids = [f"m{number}-{i}" for i in range(messages)]
    moved = [hop(f"h{number}-{one}", "inbox", "vendor", [one], moved_at=at(5)) for one in ids]
    return from_events([*(message(one) for one in ids), *moved])


def killed(path: Path, batches: int) -> Path:
    """Record batches in a process that is killed: all but the first are in the log."""
    command = [sys.executable, "-c", _KILLED, str(path), str(batches)]
    ended = subprocess.run(command, cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    return path
