"""Gives parts their environment: temporary folders, a Kafka, event logs, words to people."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from benchmarks.errors import CommandFailedError, MissingError
from benchmarks.measurement.process import LINEAGE, Finished, Program, program, run

__all__ = ["Environment", "Log", "Mix", "database_bytes", "need_packages"]

Mix = Literal["own", "worst"]
Format = Literal["avro", "jsonl"]
MIB = 2**20
_SECONDS_MAX = 3600.0
_WATCH_SECONDS = 15.0


@dataclass(frozen=True)
class Log:
    """A simulated event log: its folder, what is in it, the bytes of its files."""

    folder: Path
    messages: int
    events: int
    arrivals: int
    bytes: int


class Environment:
    """One part's temporary folder, gone when the block is left; `say` tells what goes on.

    logs: where simulated logs are kept, and found again.
    """

    def __init__(
        self, part: str, logs: Path | None = None, tell: Callable[[str], None] | None = None
    ) -> None:
        self.part = part
        self._logs = logs
        self._tell = tell or _to_stderr
        self._began = time.monotonic()
        self._temporary = tempfile.TemporaryDirectory(prefix="lineage-bench-")
        self.folder = Path(self._temporary.name)

    def __enter__(self) -> Environment:
        return self

    def __exit__(self, *_: object) -> None:
        self._temporary.cleanup()

    def say(self, what: str) -> None:
        """Tell the person who waits."""
        self._tell(f"{self.part} {time.monotonic() - self._began:5.0f} s  {what}")

    def run(self, command: list[str], seconds_max: float = _SECONDS_MAX) -> Finished:
        """Run a command to its end; see `process.run`."""
        return run(command, self.folder, seconds_max)

    def run_watched(self, command: list[str], told: Callable[[str], str]) -> Finished:
        """Run a command, and say now and then what its last line of stdout tells."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(_WATCH_SECONDS):
                if line := running.last_line():
                    self.say(told(line))

        with Program(command, self.folder) as running:
            watcher = threading.Thread(target=watch, daemon=True)
            watcher.start()
            try:
                return running.wait(_SECONDS_MAX)
            finally:
                ended.set()
                watcher.join()

    def lineage(self, *arguments: object) -> Finished:
        """Run the command `lineage`."""
        return self.run([*LINEAGE, *map(str, arguments)])

    def log(self, messages: int, mix: Mix, file_format: Format, seed: int = 1) -> Log:
        """Simulate a log in a folder of its own, unless it is there already."""
        folder = (self._logs or self.folder) / f"{mix}-{file_format}-{messages}-{seed}"
        summary = folder.with_suffix(".json")
        if not summary.exists():
            self.say(f"simulating {messages:,} messages, {mix} mix, .{file_format}")
            done = self.lineage(
                *("simulate", "--messages", messages, "--mix", mix, "--format", file_format),
                *("--seed", seed, "--out", folder, "--json"),
            )
            summary.write_text(done.stdout)
        made = json.loads(summary.read_text())
        size = sum(Path(path).stat().st_size for path in made["paths"])
        return Log(folder, messages, sum(made["events"].values()), made["arrivals"], size)

    @contextmanager
    def kafka(self) -> Iterator[str]:
        """Run a Kafka of our own, empty, and give its HOST:PORT.

        Raises MissingError where Java or Maven is not there.
        """
        folder = tempfile.mkdtemp(prefix="kafka-", dir=self.folder)
        with Program([*LINEAGE, "broker", "--dir", folder], self.folder) as broker:
            while not (bootstrap := broker.last_line()):
                try:
                    broker.check()
                except CommandFailedError as error:
                    raise MissingError(f"there is no Kafka: {error}") from error
                time.sleep(0.1)
            yield bootstrap

    def load(self, log: Log | Path, bootstrap: str, partitions: int, *options: str) -> int:
        """Put a log of .avro files into Kafka's topics; return the number of records in them."""
        folder = log.folder if isinstance(log, Log) else log
        done = self.run(
            program("scripts.load", folder, bootstrap, "--partitions", partitions, *options)
        )
        return int(json.loads(done.stdout)["records"])


def database_bytes(database: Path) -> int:
    """Give the bytes of a DuckDB file and what it has not yet taken in of its write-ahead log."""
    files = (database, Path(f"{database}.wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def need_packages(*modules: str) -> None:
    """Raise MissingError unless all of these can be imported."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise MissingError(
            f"{', '.join(missing)} not installed; `pip install -e '.[bench]'` gets what peers need"
        )


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
