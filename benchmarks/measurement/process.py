"""Runs measured commands: each is a process of its own, so that nothing is left over from another.

The system counts the memory of whoever starts a process as the process's own until it runs its
program. So what imports this should stay small, and leave polars, DuckDB and Kafka's clients to
the processes that it starts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from benchmarks.errors import CommandFailedError
from benchmarks.measurement.memory import MemoryWatch

__all__ = ["Finished", "Program", "program", "run"]

LINEAGE = (sys.executable, "-m", "streams.cli")
_TOLD_CHARACTERS = 2_000
_STOP_SECONDS_MAX = 30.0


@dataclass(frozen=True)
class Finished:
    """A process that ended well: its seconds, its stdout, and the most memory that it had, in
    bytes, together with those that it started.
    """

    seconds: float
    peak_bytes: int
    stdout: str


def program(name: str, *arguments: object) -> list[str]:
    """Give the command of one of our own programs: a module below `benchmarks`."""
    return [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]


def run(command: Sequence[object], folder: Path, seconds_max: float = 3600.0) -> Finished:
    """Run a command to its end. Raises CommandFailedError, with the end of its stderr.

    folder: where its output is kept meanwhile. seconds_max: it is killed after so long.
    """
    with Program(command, folder) as running:
        return running.wait(seconds_max)


class Program:
    """A command that runs; leaving the block ends it."""

    def __init__(self, command: Sequence[object], folder: Path) -> None:
        self._command = [str(part) for part in command]
        name = f"{time.monotonic_ns()}"
        self._out, self._err = folder / f"{name}.out", folder / f"{name}.err"
        self._began = time.perf_counter()
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(  # noqa: S603 - commands of our own
                self._command, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def wait(self, seconds_max: float) -> Finished:
        """Wait for its end."""
        killer = threading.Timer(seconds_max, self._process.kill)
        killer.daemon = True
        killer.start()
        memory = MemoryWatch(self._process.pid)
        try:
            # Not Popen.wait: only this tells the memory of this child and no other.
            _, status, usage = os.wait4(self._process.pid, 0)
        finally:
            killer.cancel()
            together = memory.stop()
        seconds = time.perf_counter() - self._began
        self._process.returncode = os.waitstatus_to_exitcode(status)
        if self._process.returncode != 0:
            raise self._failed()
        # Linux counts in KiB, macOS in bytes.
        unit = 1 if sys.platform == "darwin" else 1024
        return Finished(
            seconds,
            max(usage.ru_maxrss * unit, together),
            self._out.read_text("utf-8", errors="replace"),
        )

    def last_line(self) -> str:
        """Give the last whole line of what it has written to stdout so far, or nothing."""
        lines = self._out.read_text("utf-8", errors="replace").split("\n")[:-1]
        return lines[-1] if lines else ""

    def check(self) -> None:
        """Raise CommandFailedError if it has ended."""
        if self._process.poll() is not None:
            raise self._failed()

    def stop(self) -> None:
        """End it, by force if it takes long; one that has ended is left as it is."""
        if self._process.returncode is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _failed(self) -> CommandFailedError:
        said = self._err.read_text("utf-8", errors="replace").strip()[-_TOLD_CHARACTERS:]
        command = " ".join(self._command)
        return CommandFailedError(
            f"`{command}` ended with {self._process.returncode}:\n{said or '(it said nothing)'}"
        )
